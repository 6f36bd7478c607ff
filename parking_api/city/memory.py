"""A copy of the city in memory: what can still be answered while the database is away.

It is read from the database at the start and at intervals, and follows the retained `state`
messages in between. It holds lots, not bays, and measures every distance, so that it is also what
tests hold the database's answers against.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from parking_api.errors import LotUnknownError
from parking_api.lots import service
from parking_api.lots.models import LotsAsk, NearestLotsAsk, Stay
from parking_api.lots.opening import closes_within, is_open
from parking_api.models import Json, Row
from parking_api.paging import cut
from parking_api.parameters import corners
from sql.kinds import SPACE_CLASSES
from sql.lot_states import data_state

WGS_84 = Geod(ellps="WGS84")


class State(msgspec.Struct, frozen=True):
    """What this copy takes from a `state` message."""

    lot: str
    version: str
    free_spaces: int | None
    unknown_spaces: int
    capacity: int
    observed_at: datetime
    committed_at: datetime
    free_by_class: dict[str, int] | None = None


class City:
    """Every lot as last heard of."""

    def __init__(self) -> None:
        self._lots: dict[str, dict[str, Any]] = {}
        self._places: NDArray[np.float64] = np.empty((2, 0))

    def load(self, rows: Iterable[asyncpg.Record]) -> None:
        """Take over the city.

        Args:
            rows: Columns as `city_lots.sql` has them, by `lot_id`. A lot of which something newer
                was heard keeps that.
        """
        lots = {row["lot_id"]: dict(row.items()) for row in rows}
        for lot_id, lot in lots.items():
            known = self._lots.get(lot_id)
            if known and (known["version"] or 0) > (lot["version"] or 0):
                lot.update({column: known[column] for column in _state_columns()})
        self._lots = lots
        places = [(lot["longitude"], lot["latitude"]) for lot in lots.values()]
        self._places = np.array(places, dtype=np.float64).reshape(-1, 2).T

    def apply(self, state: State) -> None:
        """Take over a lot's committed state, unless it is older than what is known."""
        lot = self._lots.get(state.lot)
        if lot is None or int(state.version) <= (lot["version"] or 0):
            return
        free_by_class = state.free_by_class or {}
        lot.update(
            version=int(state.version),
            free_spaces=state.free_spaces,
            unknown_spaces=state.unknown_spaces,
            capacity=state.capacity,
            observed_at=state.observed_at,
            committed_at=state.committed_at,
            **{f"free_{name}": free_by_class.get(name) for name in SPACE_CLASSES},
        )

    def as_of(self) -> datetime | None:
        """The newest commit that is known here."""
        commits = [lot["committed_at"] for lot in self._lots.values() if lot["committed_at"]]
        return max(commits, default=None)

    def nearest_lots(self, ask: NearestLotsAsk, stay: Stay, now: datetime) -> Json:
        """Find the lots nearest to a place, by measuring all distances."""
        near = self._by_distance(ask.lon, ask.lat, ask.radius_m)
        suitable = [row for row in (_at(lot, now) | m for lot, m in near) if _suits(row, ask, stay)]
        of_class = ask.space_class is not None
        found = [row | {"free_of_class": row.get(f"free_{ask.space_class}")} for row in suitable]
        found = found[: ask.limit]
        return service.nearest_lots(found, self.as_of(), stay, of_class=of_class, degraded=True)

    def lots_page(
        self, ask: LotsAsk, stay: Stay, now: datetime
    ) -> tuple[Sequence[Row], str | None]:
        """List a page of lots by `lot_id`, and tell the cursor of the next, as the database."""
        asked = (lot for lot in self._lots.values() if _is_asked_for(lot, ask, stay))
        rows = (_at(lot, now) for lot in asked)
        found = (row for row in rows if ask.status in {None, row["status"]})
        return cut(list(islice(found, ask.limit + 1)), ask.limit, "lot_id")

    def lot(self, lot_id: str, now: datetime) -> Row:
        """Look one lot up.

        Raises:
            LotUnknownError: There is none of that id.
        """
        if lot_id not in self._lots:
            raise LotUnknownError
        return _at(self._lots[lot_id], now)

    def totals(self, now: datetime) -> Sequence[Row]:
        """Total the city and its districts, with the columns of `city_totals.sql`."""
        lots = [_at(lot, now) for lot in self._lots.values()]
        districts: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
        for lot in lots:
            districts[lot["district"]].append(lot)
        in_order = sorted(districts, key=lambda adcode: (adcode is None, adcode))
        whole = _totals(lots) | {"is_city": True, "as_of": self.as_of()}
        return [whole, *(_district_totals(districts[adcode]) for adcode in in_order)]

    def _by_distance(
        self, lon: float, lat: float, radius_m: float
    ) -> Iterator[tuple[dict[str, Any], dict[str, float]]]:
        lons, lats = self._places
        here = np.full_like(lons, lon), np.full_like(lats, lat)
        _, _, distances_m = WGS_84.inv(*here, lons, lats)
        lots = list(self._lots.values())
        # Stable, so that ties keep the order of lot_id that the lots are in.
        for index in np.argsort(distances_m, kind="stable"):
            if distances_m[index] > radius_m:
                return
            yield lots[index], {"distance_m": float(distances_m[index])}


def _state_columns() -> list[str]:
    counts = ["version", "free_spaces", "unknown_spaces", "capacity"]
    return counts + ["observed_at", "committed_at"] + [f"free_{name}" for name in SPACE_CLASSES]


def _at(lot: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Say what a lot is worth at `now`, with the rules and columns of the view `lot_now`."""
    row, observed_at = dict(lot), lot["observed_at"]
    row["data_state"] = data_state(observed_at, lot["report_interval_s"], now)
    row["age_s"] = None if observed_at is None else max((now - observed_at).total_seconds(), 0.0)
    if lot["capacity"] is None:
        row["capacity"] = lot["registered_capacity"]
    if row["data_state"] == "unknown":
        row["unknown_spaces"] = row["capacity"]
    if row["data_state"] == "unknown" or 0 < row["unknown_spaces"] == row["capacity"]:
        row["free_spaces"] = None
    row["status"] = _status(row, now)
    return row


def _status(row: dict[str, Any], now: datetime) -> str:
    if row["data_state"] == "unknown":
        return "unknown"
    if not _is_open(row, now):
        return "closed"
    if row["free_spaces"]:
        return "open"
    return "unknown" if row["unknown_spaces"] else "full"


def _is_open(row: dict[str, Any], now: datetime) -> bool:
    local = now.astimezone(ZoneInfo(row["timezone"])).time()
    return is_open(row["opens_at"], row["closes_at"], local)


def _is_asked_for(lot: dict[str, Any], ask: LotsAsk, stay: Stay) -> bool:
    """Hold what is registered of a lot against what `lots_page.sql` filters by."""
    wanted = {
        "district": ask.district,
        "zone_id": ask.zone,
        "operator_id": ask.operator,
        "lot_type": ask.lot_type,
    }
    if lot["lot_id"] <= (ask.cursor or ""):
        return False
    if any(value not in {None, lot[column]} for column, value in wanted.items()):
        return False
    if ask.bbox and not _is_inside(lot, *corners(ask.bbox)):
        return False
    return not (ask.open_throughout and _closes_within(lot, stay))


def _is_inside(lot: dict[str, Any], west: float, south: float, east: float, north: float) -> bool:
    return bool(west <= lot["longitude"] <= east and south <= lot["latitude"] <= north)


def _closes_within(lot: dict[str, Any], stay: Stay) -> bool:
    hours = lot["opens_at"], lot["closes_at"], lot["timezone"]
    return closes_within(*hours, stay.start, stay.end) is not None


def _suits(row: dict[str, Any], ask: NearestLotsAsk, stay: Stay) -> bool:
    """Hold a lot against what `nearest_lots.sql` filters by."""
    if ask.open_throughout and _closes_within(row, stay):
        return False
    limit_m = row["height_limit_m"]
    if row["status"] == "closed" or (ask.height_m and limit_m and limit_m < ask.height_m):
        return False
    if ask.min_free and (row["free_spaces"] is None or row["free_spaces"] < ask.min_free):
        return False
    if ask.space_class is None:
        return True
    of_class = row[f"free_{ask.space_class}"]
    known = row["data_state"] != "unknown" and of_class is not None
    return known and bool(of_class >= max(ask.min_free, 1))


def _totals(lots: list[dict[str, Any]]) -> dict[str, Any]:
    heard = [lot for lot in lots if lot["data_state"] != "unknown"]
    free_spaces = sum(lot["free_spaces"] or 0 for lot in heard)
    known = sum(lot["capacity"] - lot["unknown_spaces"] for lot in heard)
    states = [lot["data_state"] for lot in lots]
    return {
        "lots": len(lots),
        "capacity": sum(lot["capacity"] for lot in lots),
        "free_spaces": free_spaces,
        "unknown_spaces": sum(lot["unknown_spaces"] for lot in heard),
        "occupancy": 1 - free_spaces / known if known else None,
        **{f"lots_{state}": states.count(state) for state in ("live", "stale", "unknown")},
    }


def _district_totals(lots: list[dict[str, Any]]) -> dict[str, Any]:
    names = {"name_zh": lots[0]["district_zh"], "name_en": lots[0]["district_en"]}
    return _totals(lots) | names | {"is_city": False, "adcode": lots[0]["district"]}
