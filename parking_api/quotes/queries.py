"""Queries for what prices the city: the statements of `sql/queries/quotes.sql`."""

from datetime import date, datetime

from sql.engine import Db
from sql.statements import Row, Statements

statement = Statements("quotes")


class StoredVersion(Row):
    """A tariff version that prices, or has priced, something; its document is JSON."""

    tariff_id: str
    version: int
    content_hash: str
    document_text: str


class StoredEffect(Row):
    """What a version prices from `starts_at` to before `ends_at`.

    It is a lot, or a zone's lots of a type; the other columns are null.
    """

    tariff_id: str
    version: int
    zone_id: str | None
    lot_type: str | None
    lot_id: str | None
    starts_at: datetime
    ends_at: datetime | None

    @property
    def target(self) -> tuple[str, ...]:
        """What it prices: `(lot_id,)` or `(zone_id, lot_type)`."""
        return tuple(each for each in (self.lot_id, self.zone_id, self.lot_type) if each)


class ZonedLot(Row):
    """A lot with a zone that contains it for a time; with nulls where none ever does."""

    lot_id: str
    lot_type: str
    zone_id: str | None
    valid_from: datetime
    valid_to: datetime | None


class Year(Row):
    """A year of the city's calendar."""

    year: int
    holidays: list[date]
    makeup_workdays: list[date]
    published_by: str
    published_at: datetime


@statement
async def versions(db: Db) -> list[StoredVersion]:
    """Read every version that prices, or has priced, anything."""


@statement
async def effects(db: Db) -> list[StoredEffect]:
    """Read what each version prices, and when."""


@statement
async def lots(db: Db) -> list[ZonedLot]:
    """Read every lot with each zone that ever contains it, the newest first."""


@statement
async def calendar(db: Db) -> list[Year]:
    """Read the city's calendar, all years."""
