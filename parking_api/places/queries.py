"""Place queries: the statement of `sql/queries/places.sql`."""

from typing import Literal

from parking_api.models import Named, Placed
from sql.engine import Db
from sql.statements import Row, Statements

statement = Statements("places")

Kind = Literal["place", "district", "lot"]


class NamedThing(Named, Placed, Row):
    """A named place, a district or a lot; of a district a point inside it.

    Attributes:
        rank: Of its kind: places come first, then districts, then lots.
    """

    rank: int
    kind: Kind
    id: str
    name_zh: str
    name_en: str
    district: str | None
    longitude: float
    latitude: float


@statement
async def named_things(db: Db, *, after_rank: int, after_id: str, most: int) -> list[NamedThing]:
    """Read what has a name: places, then districts, then lots, each by its id; a page of it."""
