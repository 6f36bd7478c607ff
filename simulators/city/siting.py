"""Where the lots stand: around named places, along streets, and at addresses between them.

A lot claims the whole ground of its bays: on its district's land, and over no other lot's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from simulators.city.apportion import apportion
from simulators.city.geodesy import Floats, between, metres_per_degree, offset
from simulators.city.ground import District, Place, Street, load_places, load_streets
from simulators.city.land_use import ADDRESS_USES, LAND_USES

ON_STREET_SHARE: Final = 0.16
ADDRESS_SHARE: Final = 0.34
SPACING_M: Final = 45.0
"""The middles of two lots stand at least this far apart."""
GAP_M: Final = 3.0
"""Ground between the bays of two lots."""
_WEIGHTY: Final = 6.0
"""Weight of a place from which on its lots may be as large as any of their land use."""
_CANDIDATES: Final = 96
_ROUNDS: Final = 12
"""How often a lot that finds no room looks farther away, each time 1.5 times as far."""
_FARTHER: Final = 1.5
_KERB_M: Final = 8.0

SiteKind = Literal["place", "address", "street"]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a lot is to serve, before it has its ground.

    Attributes:
        district: Its district's code.
        kind: Whether it belongs to a place, has only an address, or is on the street.
        land_use: As in the import format.
        place: The place that it serves, for kind `place`.
        street: The street that it is named after, for kinds `address` and `street`.
        part: For the same kinds, which of the street's equal parts it prefers, 0..`parts` - 1.
        parts: In how many parts the lots of its kind divide the street.
        importance: How many people the place attracts, 0..1; 0.5 at an address.
    """

    district: str
    kind: SiteKind
    land_use: str
    place: Place | None = None
    street: Street | None = None
    part: int = 0
    parts: int = 1
    importance: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Site(Wish):
    """The ground of one lot.

    Attributes:
        longitude: WGS 84 degrees, 7 decimals; the middle of its bays.
        latitude: WGS 84 degrees, 7 decimals.
        bearing_rad: Direction of its rows of bays, radians anticlockwise from east.
        along_m: Metres from the street's beginning, for kinds `address` and `street`.
        left: Whether it lies on the left-hand side of the street.
    """

    longitude: float
    latitude: float
    bearing_rad: float
    along_m: float = 0.0
    left: bool = False


@dataclass(frozen=True)
class Candidates:
    """Where a lot could stand, best first; all of shape (candidates,)."""

    longitude: Floats
    latitude: Floats
    bearing_rad: Floats
    along_m: Floats
    left: Floats


def wish_lots(
    district: District, counts: tuple[int, int, int], rng: np.random.Generator
) -> list[Wish]:
    """Choose what a district's lots serve.

    Args:
        district: Where.
        counts: How many lots at places, at addresses and on the street.
        rng: The only source of chance.

    Returns:
        First those at places in the places' order, then addresses, then streets.
    """
    places = [place for place in load_places() if place.district == district.adcode]
    streets = [street for street in load_streets() if street.district == district.adcode]
    at_places, at_addresses, on_streets = counts
    quotas = apportion(at_places, [place.weight for place in places])
    return [
        *(
            Wish(
                district=district.adcode,
                kind="place",
                land_use=place.land_use,
                place=place,
                importance=min(1.0, max(0.25, place.weight / _WEIGHTY)),
            )
            for place, n in zip(places, quotas, strict=True)
            for _ in range(n)
        ),
        *_along(district, streets, at_addresses, "address", rng),
        *_along(district, streets, on_streets, "street", rng),
    ]


def _along(
    district: District,
    streets: Sequence[Street],
    count: int,
    kind: Literal["address", "street"],
    rng: np.random.Generator,
) -> list[Wish]:
    lengths_m = [float(np.hypot(*_length_m(street))) for street in streets]
    on_street = kind == "street"
    return [
        Wish(
            district=district.adcode,
            kind=kind,
            land_use="street" if on_street else _address_use(rng),
            street=street,
            part=part,
            parts=parts,
            importance=1.0 if on_street else 0.5,
        )
        for street, parts in zip(streets, apportion(count, lengths_m), strict=True)
        for part in range(parts)
    ]


def _address_use(rng: np.random.Generator) -> str:
    return str(rng.choice(list(ADDRESS_USES), p=list(ADDRESS_USES.values())))


class Ground:
    """The land of one district, and what of it is taken."""

    def __init__(self, district: District) -> None:
        self._district = district
        self._scale = np.array(metres_per_degree(district.land.centroid.y))
        self._middles = np.empty((0, 2))
        self._reaches_m = np.empty(0)
        self._footprints = np.empty(0, dtype=object)

    def take(
        self, longitude: float, latitude: float, bearing_rad: float, extent_m: tuple[float, float]
    ) -> None:
        """Note ground as taken; `extent_m` is its length along the bearing, and its depth."""
        middle = np.array([longitude, latitude]) * self._scale
        self._note(middle, extent_m, _rectangle(middle, bearing_rad, extent_m))

    def _note(self, middle: Floats, extent_m: tuple[float, float], footprint: BaseGeometry) -> None:
        self._middles = np.vstack([self._middles, middle])
        self._reaches_m = np.append(self._reaches_m, np.hypot(*extent_m) / 2)
        self._footprints = np.append(self._footprints, [footprint])

    def claim(self, candidates: Candidates, extent_m: tuple[float, float]) -> int | None:
        """Take the first candidate whose footprint is on free land; None if none is.

        Args:
            candidates: Where the lot could stand.
            extent_m: Length along its bearing, and depth, of the ground that it needs.
        """
        inner = self._district.inner
        on_land = shapely.contains_xy(inner, candidates.longitude, candidates.latitude)
        middles = np.column_stack([candidates.longitude, candidates.latitude]) * self._scale
        reach_m = float(np.hypot(*extent_m)) / 2
        for one in np.flatnonzero(on_land).tolist():
            gaps_m = np.hypot(*(self._middles - middles[one]).T)
            # Most that fail fail here, before a polygon is made.
            if (gaps_m < SPACING_M).any():
                continue
            footprint = _rectangle(middles[one], float(candidates.bearing_rad[one]), extent_m)
            near = self._footprints[gaps_m < self._reaches_m + reach_m + GAP_M]
            if (shapely.distance(near, footprint) < GAP_M).any():
                continue
            corners = shapely.get_coordinates(footprint) / self._scale
            if shapely.contains(inner, shapely.polygons(corners)):
                self._note(middles[one], extent_m, footprint)
                return int(one)
        return None


# A rectangle's corners, in halves of its length and depth.
_CORNERS: Final = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])


def _rectangle(middle: Floats, bearing_rad: float, extent_m: tuple[float, float]) -> BaseGeometry:
    cosine, sine = math.cos(bearing_rad), math.sin(bearing_rad)
    corners_m = _CORNERS * extent_m @ np.array([(cosine, sine), (-sine, cosine)]) + middle
    rectangle: BaseGeometry = shapely.polygons(corners_m)
    return rectangle


def site_lot(
    wish: Wish, extent_m: tuple[float, float], ground: Ground, rng: np.random.Generator
) -> Site:
    """Find the ground of a lot, as near to what it serves as there is room.

    Args:
        wish: What it serves.
        extent_m: Length along its rows, and depth, of the ground that its bays cover.
        ground: Its district's; the lot's part is taken.
        rng: The only source of chance.

    Raises:
        ValueError: there is no room far and wide.
    """
    for farther in range(_ROUNDS):
        reach = _FARTHER**farther
        candidates = _beside_place(wish, reach, rng) if wish.place else _beside(wish, reach, rng)
        chosen = ground.claim(candidates, extent_m)
        if chosen is not None:
            return Site(
                **{name: getattr(wish, name) for name in Wish.__dataclass_fields__},
                longitude=float(candidates.longitude[chosen]),
                latitude=float(candidates.latitude[chosen]),
                bearing_rad=float(candidates.bearing_rad[chosen]),
                along_m=float(candidates.along_m[chosen]),
                left=bool(candidates.left[chosen]),
            )
    beside = wish.place or wish.street
    name = beside.name_en if beside else "nothing"
    raise ValueError(f"no room for a lot of {extent_m} m at {name} in district {wish.district}")


def _beside_place(wish: Wish, reach: float, rng: np.random.Generator) -> Candidates:
    place = wish.place
    if place is None:
        raise ValueError("a lot at a place has a place")
    spread_m = LAND_USES[wish.land_use].spread_m * reach
    east_m, north_m = rng.normal(0.0, spread_m, (2, _CANDIDATES))
    longitude, latitude = offset(place.longitude, place.latitude, east_m, north_m)
    bearing_rad = rng.uniform(0.0, np.pi, _CANDIDATES)
    none = np.zeros(_CANDIDATES)
    return Candidates(longitude, latitude, bearing_rad, none, none)


def _length_m(street: Street) -> tuple[float, float]:
    """Metres east and north from a street's beginning to its end."""
    east_m, north_m = between(
        street.from_longitude,
        street.from_latitude,
        np.asarray(street.to_longitude),
        np.asarray(street.to_latitude),
    )
    return float(east_m), float(north_m)


def _beside(wish: Wish, reach: float, rng: np.random.Generator) -> Candidates:
    """Beside a street: around the middle of the wished part of it, wider later."""
    street = wish.street
    if street is None:
        raise ValueError(f"a lot of kind {wish.kind!r} has a street")
    east_m, north_m = _length_m(street)
    length_m = float(np.hypot(east_m, north_m))
    spread = np.linspace(0.2, 0.5, _CANDIDATES) / wish.parts * reach
    along = (wish.part + 0.5) / wish.parts + rng.uniform(-1.0, 1.0, _CANDIDATES) * spread
    along = np.clip(along, 0.02, 0.98)
    left = rng.random(_CANDIDATES) < 0.5  # noqa: PLR2004 - either side alike
    if wish.kind == "street":
        aside_m = np.full(_CANDIDATES, _KERB_M * reach)
    else:
        aside_m = rng.uniform(40.0, 320.0 * reach, _CANDIDATES)
    aside_m *= np.where(left, 1.0, -1.0)
    # The left-hand normal of (east, north) is (-north, east).
    longitude, latitude = offset(
        street.from_longitude,
        street.from_latitude,
        along * east_m - aside_m * north_m / length_m,
        along * north_m + aside_m * east_m / length_m,
    )
    bearing_rad = np.full(_CANDIDATES, np.arctan2(north_m, east_m))
    return Candidates(longitude, latitude, bearing_rad, along * length_m, left.astype(np.float64))
