"""Zone queries and commands: the statements of `sql/queries/zones.sql`."""

from collections.abc import Sequence
from datetime import datetime

from parking_api.zones.models import DraftFacts, DrawnDraft, DrawnZone, PublishedZone, State
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("zones")


class Overlap(Row):
    """Two zones that share ground, in square metres, from an instant on."""

    zone_id: str
    other_id: str
    area_m2: float
    since: datetime

    @property
    def message(self) -> str:
        """Who shares what from when on."""
        return (
            f"{self.zone_id} and {self.other_id} share {self.area_m2:,.0f} square metres "
            f"from {self.since.isoformat()} on."
        )


@statement
async def zones_at(db: Db, at: datetime, zone_id: str | None = None) -> list[DrawnZone]:
    """Read the zones in force at a time, by `zone_id`; or one of them."""


@statement
async def published(db: Transaction, zone_id: str) -> PublishedZone | None:
    """Read a published zone, in force now or not, and lock it."""


@statement
async def drafts(db: Db) -> list[DraftFacts]:
    """Read the drafts that are neither published nor withdrawn."""


@statement
async def draft(db: Transaction, zone_id: str) -> DrawnDraft | None:
    """Read a draft in any state, and lock it."""


@statement
async def add_draft(
    db: Transaction,
    *,
    zone_id: str,
    name_zh: str,
    name_en: str,
    zone_class: int,
    valid_from: datetime,
    valid_to: datetime | None,
    replaces: Sequence[str],
    ewkb: bytes,
    by: str,
    at: datetime,
) -> DrawnDraft | None:
    """Add a draft of a zone; None where its id is taken."""


@statement
async def change_draft(
    db: Transaction,
    *,
    zone_id: str,
    name_zh: str,
    name_en: str,
    zone_class: int,
    valid_from: datetime,
    valid_to: datetime | None,
    replaces: Sequence[str],
    ewkb: bytes,
    at: datetime,
) -> DrawnDraft:
    """Replace the content of a draft."""


@statement
async def settle_draft(
    db: Transaction, zone_id: str, state: State, by: str | None = None, at: datetime | None = None
) -> DrawnDraft:
    """Set the final state of a draft, and who published it when."""


@statement
async def lots_within(db: Db, zone_id: str) -> int:
    """Count the lots that a draft contains."""


@statement
async def put_in_force(db: Transaction, zone_id: str) -> str | None:
    """Add a zone from its draft; None where there is a zone of that id."""


@statement
async def end_zone(db: Transaction, zone_id: str, valid_to: datetime) -> PublishedZone | None:
    """Set the end of a zone; None where it begins no earlier, or ends earlier."""


@statement
async def overlaps(
    db: Db, zone_ids: Sequence[str], tolerance_m2: float, border_m: float
) -> list[Overlap]:
    """Read pairs of zones that overlap while both are in force, one of each in `zone_ids`."""


@statement
async def is_turning(db: Db, after: datetime, until: datetime) -> bool:
    """Read whether a zone begins or ends in (after, until]."""


@statement
async def move_lots(db: Transaction, at: datetime) -> None:
    """Set every lot's zone to the one that covers it at a time."""
