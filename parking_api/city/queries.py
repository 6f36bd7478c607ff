"""What is asked of the database about the whole city."""

from collections.abc import Sequence

import asyncpg

from parking_api.database import Connection
from parking_api.models import Row
from sql.named import named


async def totals(connection: Connection) -> Sequence[Row]:
    """Read the totals: one row of the city, one of each district."""
    return await connection.fetch(named("city_totals"))


async def lots(connection: Connection) -> Sequence[asyncpg.Record]:
    """Read every lot, for the copy in memory."""
    return await connection.fetch(named("city_lots"))
