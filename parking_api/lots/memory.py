"""A copy of the city in memory, which answers while the database is away.

It is read from the database at the start and at intervals, and follows the retained `state`
messages in between. It has lots, not bays. It measures every distance, so that tests compare the
database's answers with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from pyproj import Geod

from ingest_mqtt.wire import StateMessage
from parking_api.errors import LotUnknownError
from parking_api.lots.models import LotsAsk, NearestLotsAsk
from parking_api.lots.opening import closes_within, is_open
from parking_api.lots.queries import CityLot, LotColumns, LotNow, NearestLot
from parking_api.lots.service import nearest_answer
from parking_api.models import DataState, Json, LotStatus, SpaceClass
from parking_api.paging import cut
from parking_api.parameters import corners
from parking_api.quotes.models import Stay
from sql.kinds import SPACE_CLASSES
from sql.lot_states import data_state

WGS_84 = Geod(ellps="WGS84")


_STATE_COLUMNS = (
    "version",
    "free_spaces",
    "unknown_spaces",
    "capacity",
    "observed_at",
    "committed_at",
    *(f"free_{name}" for name in SPACE_CLASSES),
)
_NEAR_COLUMNS = set(NearestLot.__struct_fields__) & set(LotNow.__struct_fields__)


class City:
    """Every lot with its newest known state."""

    def __init__(self) -> None:
        self._lots: dict[str, CityLot] = {}
        self._places: NDArray[np.float64] = np.empty((2, 0))

    def load(self, lots: Iterable[CityLot]) -> None:
        """Replace all lots.

        Args:
            lots: By `lot_id`. Where the copy has a newer state of a lot, it stays.
        """
        self._lots = {lot.lot_id: _newer(lot, self._lots.get(lot.lot_id)) for lot in lots}
        places = [(lot.longitude, lot.latitude) for lot in self._lots.values()]
        self._places = np.array(places, dtype=np.float64).reshape(-1, 2).T

    def apply(self, state: StateMessage) -> None:
        """Set a lot's committed state, unless the copy has a newer one.

        Raises:
            ValueError: A time in the message cannot be read; nothing has changed.
        """
        lot = self._lots.get(state.lot)
        if lot is None or int(state.version) <= (lot.version or 0):
            return
        free_by_class = state.free_by_class or {}
        self._lots[state.lot] = replace(
            lot,
            version=int(state.version),
            free_spaces=state.free_spaces,
            unknown_spaces=state.unknown_spaces,
            capacity=state.capacity,
            observed_at=datetime.fromisoformat(state.observed_at),
            committed_at=datetime.fromisoformat(state.committed_at),
            **{f"free_{name}": free_by_class.get(name) for name in SPACE_CLASSES},
        )

    def as_of(self) -> datetime | None:
        """The newest commit that is known here."""
        commits = [lot.committed_at for lot in self._lots.values() if lot.committed_at]
        return max(commits, default=None)

    def nearest_lots(self, ask: NearestLotsAsk, stay: Stay, now: datetime) -> Json:
        """Return the lots nearest to a place, by measuring all distances."""
        near = self._by_distance(ask.lon, ask.lat, ask.radius_m)
        lots = ((_at(lot, now), distance_m) for lot, distance_m in near)
        suitable = [_near(lot, m, ask.space_class) for lot, m in lots if _suits(lot, ask, stay)]
        of_class = ask.space_class is not None
        found = suitable[: ask.limit]
        return nearest_answer(found, self.as_of(), stay, of_class=of_class, degraded=True)

    def lots_page(
        self, ask: LotsAsk, stay: Stay, now: datetime
    ) -> tuple[Sequence[LotNow], str | None]:
        """Return a page of lots by `lot_id`, and the cursor of the next, as the database does."""
        asked = (lot for lot in self._lots.values() if _is_asked_for(lot, ask, stay))
        lots = (_at(lot, now) for lot in asked)
        found = (lot for lot in lots if ask.status in {None, lot.status})
        return cut(list(islice(found, ask.limit + 1)), ask.limit, lambda lot: lot.lot_id)

    def lot(self, lot_id: str, now: datetime) -> LotNow:
        """Return one lot.

        Raises:
            LotUnknownError: There is none of that id.
        """
        if lot_id not in self._lots:
            raise LotUnknownError
        return _at(self._lots[lot_id], now)

    def lots(self, now: datetime) -> Iterator[tuple[CityLot, LotNow]]:
        """Yield every lot as registered, and with its state at `now`, by `lot_id`."""
        for lot in self._lots.values():
            yield lot, _at(lot, now)

    def _by_distance(
        self, lon: float, lat: float, radius_m: float
    ) -> Iterator[tuple[CityLot, float]]:
        lons, lats = self._places
        here = np.full_like(lons, lon), np.full_like(lats, lat)
        _, _, distances_m = WGS_84.inv(*here, lons, lats)
        lots = list(self._lots.values())
        # Stable, so that ties keep the order of lot_id that the lots are in.
        for index in np.argsort(distances_m, kind="stable"):
            if distances_m[index] > radius_m:
                return
            yield lots[index], float(distances_m[index])


def _newer(read: CityLot, heard: CityLot | None) -> CityLot:
    """Return the lot as read, with the state from the broker where that is newer."""
    if heard is None or (heard.version or 0) <= (read.version or 0):
        return read
    return replace(read, **{column: getattr(heard, column) for column in _STATE_COLUMNS})


def _at(lot: CityLot, now: datetime) -> LotNow:
    """Return a lot at `now`, by the rules of the view `lot_now`."""
    state = data_state(lot.observed_at, lot.report_interval_s, now)
    capacity = lot.registered_capacity if lot.capacity is None else lot.capacity
    unknown = capacity if state == "unknown" else lot.unknown_spaces or 0
    free = None if state == "unknown" or 0 < unknown == capacity else lot.free_spaces
    age_s = None
    if lot.observed_at is not None:
        age_s = max((now - lot.observed_at).total_seconds(), 0.0)
    return LotNow(
        **{column: getattr(lot, column) for column in LotColumns.__struct_fields__},
        capacity=capacity,
        free_spaces=free,
        unknown_spaces=unknown,
        age_s=age_s,
        data_state=state,
        status=_status(lot, state, free, unknown, now),
    )


def _status(
    lot: CityLot, state: DataState, free: int | None, unknown: int, now: datetime
) -> LotStatus:
    if state == "unknown":
        return "unknown"
    local = now.astimezone(ZoneInfo(lot.timezone)).time()
    if not is_open(lot.opens_at, lot.closes_at, local):
        return "closed"
    if free:
        return "open"
    return "unknown" if unknown else "full"


def _is_asked_for(lot: CityLot, ask: LotsAsk, stay: Stay) -> bool:
    """Return whether a lot passes the filters of the statement `lots.lots`."""
    if lot.lot_id <= (ask.cursor or ""):
        return False
    wanted = (
        (ask.district, lot.district),
        (ask.zone, lot.zone_id),
        (ask.operator, lot.operator_id),
        (ask.lot_type, lot.lot_type),
    )
    if any(asked not in {None, value} for asked, value in wanted):
        return False
    if ask.bbox and not _is_inside(lot, *corners(ask.bbox)):
        return False
    return not (ask.open_throughout and _closes_within(lot, stay))


def _is_inside(lot: CityLot, west: float, south: float, east: float, north: float) -> bool:
    return west <= lot.longitude <= east and south <= lot.latitude <= north


def _closes_within(lot: CityLot | LotNow, stay: Stay) -> bool:
    hours = lot.opens_at, lot.closes_at, lot.timezone
    return closes_within(*hours, stay.start, stay.end) is not None


def _suits(lot: LotNow, ask: NearestLotsAsk, stay: Stay) -> bool:
    """Return whether a lot passes the filters of the statement `lots.nearest_lots`."""
    if ask.open_throughout and _closes_within(lot, stay):
        return False
    limit_m = lot.height_limit_m
    if lot.status == "closed" or (ask.height_m and limit_m and limit_m < ask.height_m):
        return False
    if ask.min_free and (lot.free_spaces is None or lot.free_spaces < ask.min_free):
        return False
    if ask.space_class is None:
        return True
    of_class = _free_of_class(lot, ask.space_class)
    known = lot.data_state != "unknown" and of_class is not None
    return known and (of_class or 0) >= max(ask.min_free, 1)


def _free_of_class(lot: LotNow, space_class: SpaceClass | None) -> int | None:
    free: int | None = getattr(lot, f"free_{space_class}", None)
    return free


def _near(lot: LotNow, distance_m: float, space_class: SpaceClass | None) -> NearestLot:
    columns = {column: getattr(lot, column) for column in _NEAR_COLUMNS}
    of_class = _free_of_class(lot, space_class)
    return NearestLot(**columns, as_of=None, distance_m=distance_m, free_of_class=of_class)
