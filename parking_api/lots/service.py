"""Makes the answers about lots: reads lots, adds the closing time and the price of a stay."""

from collections.abc import Sequence
from datetime import datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

import numpy as np

from ingest_mqtt.wire import VERSION_DIGITS
from parking_api.city.memory import City
from parking_api.city.queries import LotBasics, LotNow, newest_commit
from parking_api.city.service import missing
from parking_api.city.states import micros
from parking_api.city.table import STATUSES
from parking_api.errors import LotUnknownError
from parking_api.lots import queries
from parking_api.lots.models import LotsAsk, NearestLotsQuery, OccupancyStep
from parking_api.lots.queries import NearestLot, StoredStep
from parking_api.models import AGE_STEPS, DISTANCE_STEPS, Json, local, name, point, rounded
from parking_api.paging import cut
from parking_api.quotes.models import Stay
from sql.engine import Db, transaction


async def nearest_lots(db: Db, ask: NearestLotsQuery, stay: Stay) -> Json:
    """Read the lots nearest to a place, by geodesic distance on the spheroid."""
    opens_by, closes_after = _opening(ask, stay)
    # One snapshot: the lots have no state that is newer than `as_of`.
    async with transaction(db, isolation="repeatable_read", readonly=True):
        as_of = await newest_commit(db)
        lots = await queries.nearest_lots(
            db,
            lon=ask.lon,
            lat=ask.lat,
            radius_m=ask.radius_m,
            most=ask.limit,
            min_free=ask.min_free,
            space_class=ask.space_class,
            height_m=ask.height_m,
            lot_type=ask.lot_type,
            opens_by=opens_by,
            closes_after=closes_after,
        )
    of_class = ask.space_class is not None
    return nearest_answer(lots, as_of, stay, of_class=of_class, degraded=False)


async def lots_page(db: Db, ask: LotsAsk, stay: Stay) -> tuple[Sequence[LotNow], str | None]:
    """Read a page of lots.

    Returns:
        The lots, by `lot_id`, and the cursor of the next page where there is one.
    """
    west, south, east, north = ask.box(ask.bbox) if ask.bbox else (None, None, None, None)
    opens_by, closes_after = _opening(ask, stay)
    found = await queries.lots(
        db,
        after=ask.cursor or "",
        most=ask.limit + 1,
        west=west,
        south=south,
        east=east,
        north=north,
        district=ask.district,
        zone_id=ask.zone,
        operator_id=ask.operator,
        lot_type=ask.lot_type,
        status=ask.status,
        opens_by=opens_by,
        closes_after=closes_after,
    )
    return cut(found, ask.limit, lambda lot: lot.lot_id)


def _opening(
    ask: NearestLotsQuery | LotsAsk, stay: Stay
) -> tuple[datetime | None, datetime | None]:
    """Return start and end of the time through which lots must be open; Nones where any do."""
    return (stay.arrival, stay.end) if ask.open_throughout else (None, None)


async def one_lot(db: Db, lot_id: str) -> LotNow:
    """Read one lot.

    Raises:
        LotRetiredError: It is retired.
        LotUnknownError: There is none of that id.
    """
    for found in await queries.lots(db, most=1, lot_id=lot_id):
        return found
    raise await missing(db, lot_id)


def remembered_page(
    city: City, ask: LotsAsk, stay: Stay, now: datetime
) -> tuple[Sequence[LotNow], str | None]:
    """Return a page of lots from memory, as `lots_page` does."""
    table = city.table
    at = micros(now)
    fits = np.ones(len(table.lots), dtype=np.bool_)
    if ask.status is not None:
        fits &= table.statuses(at)[1] == STATUSES.index(ask.status)
    if ask.open_throughout:
        fits &= table.are_open_through(stay.arrival, stay.end)
    if ask.bbox:
        fits &= table.in_box(*ask.box(ask.bbox))
    lots = (table.lots[index].facts for index in np.flatnonzero(fits).tolist())
    wanted = {
        "district": ask.district,
        "zone_id": ask.zone,
        "operator_id": ask.operator,
        "lot_type": ask.lot_type,
    }
    found = (
        facts.lot_id
        for facts in lots
        if facts.lot_id > (ask.cursor or "")
        and all(value in {None, getattr(facts, column)} for column, value in wanted.items())
    )
    page, cursor = cut(list(islice(found, ask.limit + 1)), ask.limit, lambda lot_id: lot_id)
    return [table.at(table.by_id[lot_id], at) for lot_id in page], cursor


def remembered_lot(city: City, lot_id: str, now: datetime) -> LotNow:
    """Return one lot from memory.

    Raises:
        LotRetiredError: It is retired.
        LotUnknownError: There is none of that id.
    """
    return city.table.at(city.lot(lot_id), micros(now))


async def occupancy(
    db: Db, lot_id: str, start: datetime, end: datetime, step_s: int
) -> tuple[str, list[StoredStep]]:
    """Read the history of one lot.

    Args:
        db: A connection.
        lot_id: The lot.
        start: On a whole step.
        end: Exclusive.
        step_s: Seconds, a multiple of the stored 300.

    Returns:
        The lot's time zone, and a row a step.

    Raises:
        LotUnknownError: There is none of that id.
    """
    timezone = await queries.timezone(db, lot_id)
    if timezone is None:
        raise LotUnknownError
    return timezone, await queries.occupancy(db, lot_id, start, end, step_s)


def nearest_answer(
    rows: Sequence[NearestLot],
    as_of: datetime | None,
    stay: Stay,
    *,
    of_class: bool,
    degraded: bool,
) -> Json:
    """Return the answer of `/v1/nearest`.

    Args:
        rows: Nearest first.
        as_of: The newest commit that they reflect.
        stay: What was asked for.
        of_class: Whether a space class was asked for.
        degraded: Whether they come from memory.
    """
    lots = [nearest_lot(row, row.distance_m) | closing(row, stay) for row in rows]
    if of_class:
        for lot, row in zip(lots, rows, strict=True):
            lot["free_of_class"] = row.free_of_class
    return {"lots": lots, "stay": stay_answer(stay), "as_of": as_of, "degraded": degraded}


def stay_answer(stay: Stay) -> Json:
    """Return the stay that an answer's quotes are for."""
    return {"from": stay.start, "duration_min": stay.duration_min, "vehicle": stay.vehicle}


def closing(row: LotBasics, stay: Stay) -> Json:
    """Return `closes_at`, where an open lot closes during the stay; else nothing."""
    at = row.opening.not_open_within(stay.arrival, stay.end)
    return {"closes_at": at} if at and at > stay.arrival else {}


def nearest_lot(row: NearestLot | LotNow, distance_m: float | None) -> Json:
    """Return a lot for an answer of `/v1/nearest`, made from its row; its price is added later."""
    return {
        "lot_id": row.lot_id,
        "name": name(row),
        "lot_type": row.lot_type,
        "location": point(row),
        "distance_m": rounded(distance_m, DISTANCE_STEPS),
        **_counts(row),
        "observed_at": local(row.observed_at, row.timezone),
        "age_s": rounded(row.age_s, AGE_STEPS),
        "zone_id": row.zone_id,
        "quote": None,
    }


def lot(row: LotNow, stay: Stay) -> Json:
    """Return a lot for an answer, made from its row; its price is added later."""
    return {
        "lot_id": row.lot_id,
        "name": name(row),
        "operator_id": row.operator_id,
        "district": row.district,
        "zone_id": row.zone_id,
        "lot_type": row.lot_type,
        "land_use": row.land_use,
        "reporting": row.reporting,
        "report_interval_s": row.report_interval_s,
        "levels": row.levels,
        # Stored in single precision: two digits take its noise away.
        "height_limit_m": _rounded(row.height_limit_m, 2),
        "opening_hours": _opening_hours(row.opens_at, row.closes_at),
        "timezone": row.timezone,
        "location": point(row),
        **_state(row),
        "quote": None,
        **closing(row, stay),
    }


def _closure(row: LotNow) -> Json:
    """Return until when a lot is closed, and why, where it is closed for a time; else nothing."""
    if not row.is_shut:
        return {}
    until = local(row.closed_until, row.timezone)
    return {"closed_until": until, "closed_reason": row.closed_reason}


def _state(row: LotNow) -> Json:
    return {
        **_counts(row),
        **_closure(row),
        "free_by_class": _free_by_class(row),
        "observed_at": local(row.observed_at, row.timezone),
        "age_s": rounded(row.age_s, AGE_STEPS),
        "committed_at": local(row.committed_at, row.timezone),
        "version": _version(row),
    }


def lot_state(row: LotNow) -> Json:
    """Return a lot for the events of `/v1/stream`, made from its row."""
    return {
        "lot_id": row.lot_id,
        "location": point(row),
        **_counts(row),
        **_closure(row),
        "observed_at": local(row.observed_at, row.timezone),
        "version": _version(row),
    }


def _version(row: LotNow) -> str | None:
    return None if row.version is None else f"{row.version:0{VERSION_DIGITS}d}"


def _counts(row: NearestLot | LotNow) -> Json:
    return {
        "capacity": row.capacity,
        "free_spaces": row.free_spaces,
        "unknown_spaces": row.unknown_spaces,
        "status": row.status,
        "data_state": row.data_state,
    }


def _free_by_class(row: LotNow) -> Json | None:
    if row.free_spaces is None or row.free_standard is None:
        return None
    return {
        "standard": row.free_standard,
        "accessible": row.free_accessible,
        "ev": row.free_ev,
        "large": row.free_large,
    }


def _opening_hours(opens_at: time | None, closes_at: time | None) -> Json | None:
    if opens_at is None or closes_at is None:
        return None
    return {"opens_at": f"{opens_at:%H:%M}", "closes_at": f"{closes_at:%H:%M}"}


def occupancy_step(row: StoredStep, timezone: str) -> OccupancyStep:
    """Return a step of history for an answer, made from its row."""
    return OccupancyStep(
        at=row.starts_at.astimezone(ZoneInfo(timezone)),
        capacity=row.capacity,
        free_spaces=_rounded(row.free_spaces, 2),
        free_min=row.free_min,
        free_max=row.free_max,
        free_last=row.free_last,
        occupancy=_rounded(row.occupancy, 4),
        coverage=round(row.coverage, 4),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
