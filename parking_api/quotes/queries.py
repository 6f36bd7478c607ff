"""Quote queries: the statements of `sql/queries/quotes.sql`."""

from collections.abc import Sequence
from datetime import datetime

from parking_api.quotes.models import PublishedYear
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
    planned_to: datetime | None

    @property
    def target(self) -> tuple[str, ...]:
        """What it prices: `(lot_id,)` or `(zone_id, lot_type)`."""
        return tuple(each for each in (self.lot_id, self.zone_id, self.lot_type) if each)

    @property
    def message(self) -> str:
        """Which version prices what from when on."""
        until = f" to {self.ends_at.isoformat()}" if self.ends_at else " on"
        return (
            f"version {self.version} of {self.tariff_id} prices {' x '.join(self.target)} "
            f"from {self.starts_at.isoformat()}{until}"
        )


class StoredSuspension(Row):
    """A window in which a version is suspended, from `starts_at` to before `ends_at`."""

    tariff_id: str
    version: int
    starts_at: datetime
    ends_at: datetime | None
    reason: str


class ZoneOfLot(Row, gc=False):
    """A lot with its type, since when it is retired, and a zone that contains it for a time."""

    lot_id: str
    lot_type: str
    retired_at: datetime | None
    zone_id: str | None
    valid_from: datetime | None
    valid_to: datetime | None


@statement
async def versions(
    db: Db, *, known_tariffs: Sequence[str], known_versions: Sequence[int]
) -> list[StoredVersion]:
    """Read every version that prices, or has priced, anything, but for those known already."""


@statement
async def effects(db: Db) -> list[StoredEffect]:
    """Read what each version prices, and when."""


@statement
async def suspensions(db: Db) -> list[StoredSuspension]:
    """Read the windows in which versions are suspended, of each version in order."""


@statement
async def zones_of_lots(db: Db, *, after: str, most: int) -> list[ZoneOfLot]:
    """Read lots by `lot_id`, from the one after `after` on, with all their zones, newest first."""


@statement
async def calendar(db: Db) -> list[PublishedYear]:
    """Read the city's calendar, all years."""
