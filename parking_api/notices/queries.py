"""Notice queries: the statement of `sql/queries/notices.sql`."""

from collections.abc import Sequence

from sql.engine import Db
from sql.statements import Row, Statements

statement = Statements("notices")


class Place(Row):
    """What a zone or a lot is called."""

    name_zh: str
    name_en: str


@statement
async def places(db: Db, zone_ids: Sequence[str], lot_ids: Sequence[str]) -> list[Place]:
    """Read the names of zones and lots."""
