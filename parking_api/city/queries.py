"""What is asked of the database about the whole city."""

from collections.abc import Sequence

import asyncpg

from parking_api.answers import Row
from parking_api.database import Connection
from parking_api.errors import CityIncompleteError
from sql.named import named


async def totals(connection: Connection) -> Sequence[Row]:
    """Read the totals: one row of the city, one of each district."""
    return await connection.fetch(named("city_totals"))


async def ready_lots(connection: Connection) -> int:
    """Count the lots of a city that is whole.

    Raises:
        CityIncompleteError: No lot is loaded, or simulated ones have not reported yet.
    """
    row = await connection.fetchrow(named("city_readiness"))
    assert row is not None  # noqa: S101 - an aggregate always has its row
    if not row["lots"]:
        raise CityIncompleteError("No lot is loaded yet.")
    if row["lots_awaited"]:
        raise CityIncompleteError(
            f"{row['lots_awaited']} of {row['lots']} lots have not been heard from yet."
        )
    return int(row["lots"])


async def lots(connection: Connection) -> Sequence[asyncpg.Record]:
    """Read every lot, for the copy in memory."""
    return await connection.fetch(named("city_lots"))
