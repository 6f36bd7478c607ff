"""The real ground: districts, named places and streets, read from the package's data.

Where the data come from stands in `data/NOTICE`.
"""

import csv
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

SHORE_MARGIN_DEG: Final = 0.000_15
"""Lots keep this far from their district's edge: about 15 m, wider than the polygons' noise."""


@dataclass(frozen=True)
class District:
    """A district and its part of the city's lots.

    Attributes:
        adcode: Six digits of GB/T 2260.
        name_zh: Chinese name.
        name_en: English name.
        land: Its land, Polygon or MultiPolygon, WGS 84 degrees; prepared.
        inner: The land without its outermost 15 m; prepared.
        people: Who lives there, from `PEOPLE`.
        bays_per_1000: Bays of the whole city's lots there for 1,000 people.
        lot_share: Lots in the city of 1,670.
        zone_class: Of its zone outside the busy core: 2 in the urban districts, 3 beyond.
        feature: The feature as in `data/districts.geojson`.
    """

    adcode: str
    name_zh: str
    name_en: str
    land: BaseGeometry
    inner: BaseGeometry
    people: int
    bays_per_1000: float
    lot_share: int
    zone_class: int
    feature: dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A named place that people drive to; longitude and latitude in WGS 84 degrees."""

    district: str
    land_use: str
    name_zh: str
    name_en: str
    longitude: float
    latitude: float
    weight: float


@dataclass(frozen=True)
class Street:
    """A straight stretch of a street, from one end to the other, WGS 84 degrees."""

    district: str
    name_zh: str
    name_en: str
    from_longitude: float
    from_latitude: float
    to_longitude: float
    to_latitude: float


PEOPLE: Final[dict[str, int]] = {
    "370202": 486_643,
    "370203": 1_096_879,
    "370211": 1_903_595,
    "370212": 502_370,
    "370213": 737_281,
    "370214": 1_109_606,
    "370215": 1_336_077,
    "370281": 987_820,
    "370283": 1_191_348,
    "370285": 720_103,
}
"""Residents on 1 November 2020: seventh national census, Qingdao, by district."""

BAYS_PER_1000: Final[dict[str, tuple[float, float, float]]] = {
    "370202": (85.0, 110.0, 135.0),
    "370203": (60.0, 75.0, 90.0),
    "370211": (40.0, 50.0, 60.0),
    "370212": (60.0, 75.0, 90.0),
    "370213": (40.0, 50.0, 60.0),
    "370214": (40.0, 50.0, 60.0),
    "370215": (24.0, 32.0, 40.0),
    "370281": (24.0, 32.0, 40.0),
    "370283": (13.0, 18.0, 23.0),
    "370285": (15.0, 20.0, 25.0),
}
"""The fewest bays for 1,000 residents, what is aimed at, and the most, in the whole city.

An assumption of ours: 47 on average, most where people work and shop, fewest in the counties,
where yards and lanes hold the cars; districts of one kind are alike.
"""

# Lots of each district and the class of its wider zone: dense in the centre, thin in the counties.
_DISTRICT_TABLE: Final[dict[str, tuple[int, int]]] = {
    "370202": (220, 2),
    "370203": (300, 2),
    "370211": (320, 2),
    "370212": (160, 2),
    "370213": (145, 2),
    "370214": (185, 2),
    "370215": (135, 3),
    "370281": (100, 3),
    "370283": (60, 3),
    "370285": (45, 3),
}


def _text(name: str) -> str:
    return (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file in `data/`."""
    return list(csv.DictReader(_text(name).splitlines()))


@cache
def districts_document() -> dict[str, Any]:
    """The FeatureCollection of the districts, with its attribution."""
    document: dict[str, Any] = json.loads(_text("districts.geojson"))
    return document


@cache
def load_districts() -> tuple[District, ...]:
    """The ten districts, in the order of their codes."""
    features = districts_document()["features"]
    return tuple(sorted((_district(f) for f in features), key=lambda d: d.adcode))


def _district(feature: dict[str, Any]) -> District:
    properties = feature["properties"]
    land = shape(feature["geometry"])
    inner = land.buffer(-SHORE_MARGIN_DEG)
    shapely.prepare(land)
    shapely.prepare(inner)
    adcode = properties["adcode"]
    lot_share, zone_class = _DISTRICT_TABLE[adcode]
    return District(
        **properties,
        land=land,
        inner=inner,
        people=PEOPLE[adcode],
        bays_per_1000=BAYS_PER_1000[adcode][1],
        lot_share=lot_share,
        zone_class=zone_class,
        feature=feature,
    )


@cache
def load_places() -> tuple[Place, ...]:
    """The named places, in the order of the file."""
    return msgspec.convert(read_rows("places.csv"), tuple[Place, ...], strict=False)


@cache
def load_streets() -> tuple[Street, ...]:
    """The streets, in the order of the file."""
    return msgspec.convert(read_rows("streets.csv"), tuple[Street, ...], strict=False)
