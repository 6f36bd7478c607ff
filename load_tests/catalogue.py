"""The lots of the city, as `/v1/lots` lists them, and the places that people drive to."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, radians
from random import Random
from typing import Any, Final

import httpx

_PAGE: Final = 1000
_TIMEOUT_S: Final = 10.0
METRES_PER_DEGREE: Final = 111_195.0
# How far from a lot its visitors' destination lies: the standard deviation on each axis.
_SPREAD_M: Final = 250.0
# Visits per space and day relative to housing's: places of short stays draw more searches.
_DRAW: Final = {
    "hospital": 4.0,
    "station": 4.0,
    "mall": 3.0,
    "market": 3.0,
    "street": 3.0,
    "scenic": 2.0,
    "school": 2.0,
    "hotel": 1.5,
    "office": 1.5,
}


@dataclass(frozen=True, slots=True)
class Lot:
    """What the load knows of a lot: degrees in WGS 84; `reporting` is `bays` or `count`.

    Attributes:
        free_spaces: When the load began; None where nothing was known.
        occupied_bits: Likewise: bay n at bit (n-1) mod 8 of byte (n-1) div 8.
    """

    lot_id: str
    operator_id: str
    reporting: str
    capacity: int
    land_use: str
    longitude: float
    latitude: float
    lot_type: str = "surface"
    is_always_open: bool = True
    free_spaces: int | None = None
    occupied_bits: bytes | None = None


def read_catalogue(http: str) -> tuple[Lot, ...]:
    """Read every lot, page by page.

    Raises:
        httpx.HTTPError: The API does not answer, or not with 200.
        LookupError: It lists no lot.
    """
    lots: list[Lot] = []
    path: str | None = f"/v1/lots?limit={_PAGE}"
    with httpx.Client(base_url=http, timeout=_TIMEOUT_S, trust_env=False) as client:
        while path:
            body = client.get(path).raise_for_status().json()
            lots += [_lot(item) for item in body["items"]]
            path = body["next"]
    if not lots:
        raise LookupError("the city has no lots")
    return tuple(lots)


def _lot(item: dict[str, Any]) -> Lot:
    longitude, latitude = item["location"]["coordinates"]
    return Lot(
        item["lot_id"],
        item["operator_id"],
        item["reporting"],
        item["capacity"],
        item["land_use"] or "",
        longitude,
        latitude,
        item["lot_type"],
        item["opening_hours"] is None,
    )


def draws(lots: Sequence[Lot]) -> list[float]:
    """Return each lot's weight on an ordinary day."""
    return [lot.capacity * _DRAW.get(lot.land_use, 1.0) for lot in lots]


class Places:
    """Where people look for a space: around lots, by weights.

    Args:
        lots: At least one.
        weights: Of the lots; None: by capacity and by what draws people there.
    """

    def __init__(self, lots: Sequence[Lot], weights: Sequence[float] | None = None) -> None:
        self._lots = lots
        self._sums = list(accumulate(draws(lots) if weights is None else weights))

    def draw(self, random: Random) -> tuple[float, float]:
        """Draw a place: longitude and latitude in degrees, to the seventh digit."""
        at = bisect_left(self._sums, random.random() * self._sums[-1])
        lot = self._lots[min(at, len(self._lots) - 1)]
        north = random.gauss(0.0, _SPREAD_M) / METRES_PER_DEGREE
        east = random.gauss(0.0, _SPREAD_M) / METRES_PER_DEGREE / cos(radians(lot.latitude))
        return round(lot.longitude + east, 7), round(lot.latitude + north, 7)
