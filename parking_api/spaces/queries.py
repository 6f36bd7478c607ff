"""What is asked of the database about bays."""

from parking_api.database import Connection
from parking_api.errors import LotUnknownError
from parking_api.models import DISTANCE_DIGITS, Json, Row, local, point
from parking_api.spaces.models import NearestSpacesAsk
from sql.named import named


async def nearest_spaces(connection: Connection, ask: NearestSpacesAsk) -> Json:
    """Find the free bays nearest to a place, in the spheroid's own order."""
    rows = await connection.fetch(
        named("nearest_spaces"),
        ask.lon,
        ask.lat,
        ask.radius_m,
        ask.limit,
        ask.space_class,
        ask.height_m,
    )
    found = [row for row in rows if row["lot_id"] is not None]
    return {"spaces": [_nearest_space(row) for row in found], "as_of": rows[0]["as_of"]}


async def lot_spaces(connection: Connection, lot_id: str) -> Json:
    """Read the bays of one lot with their states.

    Raises:
        LotUnknownError: There is none of that id.
    """
    rows = await connection.fetch(named("lot_spaces"), lot_id)
    if not rows:
        raise LotUnknownError
    bays = [row for row in rows if row["number"] is not None]
    lot = rows[0]
    return {
        "items": [{**_bay(row, lot_id), "state": row["state"]} for row in bays],
        "next": None,
        "data_state": lot["data_state"],
        "observed_at": local(lot["observed_at"], lot["timezone"]),
        "as_of": local(lot["committed_at"], lot["timezone"]),
    }


def _bay(row: Row, lot_id: str) -> Json:
    return {
        "space_id": f"{lot_id}-{row['number']:04d}",
        "number": row["number"],
        "level": row["level"],
        "space_class": row["space_class"],
        "location": point(row),
    }


def _nearest_space(row: Row) -> Json:
    return {
        **_bay(row, row["lot_id"]),
        "lot_id": row["lot_id"],
        "distance_m": round(row["distance_m"], DISTANCE_DIGITS),
        "data_state": row["data_state"],
        "observed_at": local(row["observed_at"], row["timezone"]),
    }
