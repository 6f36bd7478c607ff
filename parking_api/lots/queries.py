"""What is asked of the database about lots."""

from collections.abc import Sequence
from datetime import datetime

from parking_api.database import Connection
from parking_api.errors import LotUnknownError
from parking_api.lots import service
from parking_api.lots.models import LotsAsk, NearestLotsAsk, Stay
from parking_api.models import Json, Row
from parking_api.paging import cut
from parking_api.parameters import corners
from sql.named import named


async def nearest_lots(connection: Connection, ask: NearestLotsAsk, stay: Stay) -> Json:
    """Find the lots nearest to a place, in the spheroid's own order."""
    rows = await connection.fetch(
        named("nearest_lots"),
        ask.lon,
        ask.lat,
        ask.radius_m,
        ask.limit,
        ask.min_free,
        ask.space_class,
        ask.height_m,
        *_opening(stay, open_throughout=ask.open_throughout),
    )
    found = [row for row in rows if row["lot_id"] is not None]
    of_class = ask.space_class is not None
    return service.nearest_lots(found, rows[0]["as_of"], stay, of_class=of_class, degraded=False)


async def lots_page(
    connection: Connection, ask: LotsAsk, stay: Stay
) -> tuple[Sequence[Row], str | None]:
    """Read a page of lots.

    Returns:
        The rows, by `lot_id`, and the cursor of the next page where there is one.
    """
    box = corners(ask.bbox) if ask.bbox else (None, None, None, None)
    rows: Sequence[Row] = await connection.fetch(
        named("lots_page"),
        ask.cursor or "",
        ask.limit + 1,
        *box,
        ask.district,
        ask.zone,
        ask.operator,
        ask.lot_type,
        ask.status,
        *_opening(stay, open_throughout=ask.open_throughout),
    )
    return cut(rows, ask.limit, "lot_id")


def _opening(stay: Stay, *, open_throughout: bool) -> tuple[datetime | None, datetime | None]:
    """Between which instants lots must be open, if they must."""
    return (stay.start, stay.end) if open_throughout else (None, None)


async def one_lot(connection: Connection, lot_id: str) -> Row:
    """Read one lot.

    Raises:
        LotUnknownError: There is none of that id.
    """
    row: Row | None = await connection.fetchrow(named("lot_one"), lot_id)
    if row is None:
        raise LotUnknownError
    return row


async def occupancy(
    connection: Connection, lot_id: str, start: datetime, end: datetime, step_s: int
) -> tuple[str, Sequence[Row]]:
    """Read the history of one lot.

    Args:
        connection: To the database.
        lot_id: The lot.
        start: On a whole step.
        end: Exclusive.
        step_s: Seconds, a multiple of the stored 300.

    Returns:
        The lot's time zone, and the rows of `occupancy_steps.sql`.

    Raises:
        LotUnknownError: There is none of that id.
    """
    timezone = await connection.fetchval(named("lot_known"), lot_id)
    if timezone is None:
        raise LotUnknownError
    rows = await connection.fetch(named("occupancy_steps"), lot_id, start, end, step_s)
    return timezone, rows
