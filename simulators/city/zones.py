"""Tariff zones of the city: class 1 around the busiest places, class 2 and 3 for the rest.

They tile the districts: each urban district is cut in two, its busy core and what is left of it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import shapely
from shapely import affinity
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from simulators.city.geodesy import metres_per_degree
from simulators.city.ground import District, Place, load_districts, load_places

CORE_CLASS: Final = 1
URBAN_CLASS: Final = 2
BUSY_WEIGHT: Final = 6.0
"""Weight of a place from which on what surrounds it is class 1."""
METRES_BY_WEIGHT: Final = 120.0
"""A place of weight 6 has a core of 720 m around it, one of weight 10 of 1,200 m."""
_QUARTER_SEGMENTS: Final = 12
# Slivers that cutting leaves, in square degrees: 1e-9 is ten square metres.
_SLIVER: Final = 1e-9


@dataclass(frozen=True)
class Zone:
    """A tariff zone.

    Attributes:
        zone_id: `zone-{adcode}-core`, or `zone-{adcode}` for the rest of the district.
        adcode: Its district.
        name_zh: Chinese name.
        name_en: English name.
        zone_class: 1, 2 or 3.
        ground: WGS 84 degrees.
    """

    zone_id: str
    adcode: str
    name_zh: str
    name_en: str
    zone_class: int
    ground: MultiPolygon


@cache
def load_zones() -> tuple[Zone, ...]:
    """All zones, in the order of their ids."""
    zones = [zone for district in load_districts() for zone in _zones(district)]
    return tuple(sorted(zones, key=lambda zone: zone.zone_id))


def _zones(district: District) -> list[Zone]:
    if district.zone_class != URBAN_CLASS:
        return [_rest(district, district.land)]
    places = [p for p in load_places() if p.district == district.adcode and p.weight >= BUSY_WEIGHT]
    core = _polygons(shapely.union_all([_around(place) for place in places]) & district.land)
    return [
        Zone(
            zone_id=f"zone-{district.adcode}-core",
            adcode=district.adcode,
            name_zh=f"{district.name_zh}核心停车收费区",
            name_en=f"{district.name_en} Core Parking Zone",
            zone_class=CORE_CLASS,
            ground=core,
        ),
        _rest(district, district.land - core),
    ]


def _rest(district: District, ground: BaseGeometry) -> Zone:
    return Zone(
        zone_id=f"zone-{district.adcode}",
        adcode=district.adcode,
        name_zh=f"{district.name_zh}停车收费区",
        name_en=f"{district.name_en} Parking Zone",
        zone_class=district.zone_class,
        ground=_polygons(ground),
    )


def _around(place: Place) -> BaseGeometry:
    """A circle on the ground, as a polygon in degrees."""
    east_m_deg, north_m_deg = (float(each) for each in metres_per_degree(place.latitude))
    circle = Point(place.longitude, place.latitude).buffer(
        place.weight * METRES_BY_WEIGHT, quad_segs=_QUARTER_SEGMENTS
    )
    centre = (place.longitude, place.latitude)
    return affinity.scale(circle, 1 / east_m_deg, 1 / north_m_deg, origin=centre)


def _polygons(ground: BaseGeometry) -> MultiPolygon:
    parts = shapely.get_parts(ground)
    return MultiPolygon([p for p in parts if isinstance(p, Polygon) and p.area > _SLIVER])
