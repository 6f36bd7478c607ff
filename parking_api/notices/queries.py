"""What a notice names, in the database: the statement of `sql/queries/notices.sql`."""

from collections.abc import Sequence

from sql.engine import Db
from sql.statements import Statements

statement = Statements("notices")


@statement
async def places(db: Db, zone_ids: Sequence[str], lot_ids: Sequence[str]) -> list[str]:
    """Read the Chinese names of zones and lots."""
