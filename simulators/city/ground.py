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
        lot_share: Lots in the city of 1,670.
        zone_class: Of its zone outside the busy core: 2 in the urban districts, 3 beyond.
        feature: The feature as in `data/districts.geojson`.
    """

    adcode: str
    name_zh: str
    name_en: str
    land: BaseGeometry
    inner: BaseGeometry
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


# Lots of each district and the class of its wider zone: dense in the centre, thin in the counties.
_DISTRICT_TABLE: Final[dict[str, tuple[int, int]]] = {
    "370202": (300, 2),
    "370203": (335, 2),
    "370211": (260, 2),
    "370212": (200, 2),
    "370213": (190, 2),
    "370214": (165, 2),
    "370215": (80, 3),
    "370281": (80, 3),
    "370283": (32, 3),
    "370285": (28, 3),
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
    lot_share, zone_class = _DISTRICT_TABLE[properties["adcode"]]
    return District(**properties, land=land, inner=inner, lot_share=lot_share,
                    zone_class=zone_class, feature=feature)  # fmt: skip


@cache
def load_places() -> tuple[Place, ...]:
    """The named places, in the order of the file."""
    return msgspec.convert(read_rows("places.csv"), tuple[Place, ...], strict=False)


@cache
def load_streets() -> tuple[Street, ...]:
    """The streets, in the order of the file."""
    return msgspec.convert(read_rows("streets.csv"), tuple[Street, ...], strict=False)
