"""Tariff queries and commands: the statements of `sql/queries/tariffs.sql`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from parking_api.quotes.queries import StoredEffect
from parking_api.tariffs.models import BureauSuspension, BureauVersion, State
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("tariffs")

Stage = Literal["draft", "in_review", "approved", "published", "withdrawn"]


class UnknownTarget(Row):
    """A zone or a lot that is not there."""

    kind: str
    id: str


@statement
async def versions(
    db: Db,
    at: datetime,
    *,
    tariff_id: str | None = None,
    version: int | None = None,
    state: State | None = None,
    zone: str | None = None,
    lot_type: str | None = None,
    lot: str | None = None,
    include_drafts: bool,
    after_tariff: str | None = None,
    after_version: int | None = None,
    most: int,
) -> list[BureauVersion]:
    """Read versions with their state at a time, by `tariff_id` and `version`."""


@statement
async def lock_version(db: Transaction, tariff_id: str, version: int) -> int | None:
    """Keep others from changing a version; None where there is none."""


@statement
async def settle(
    db: Transaction,
    tariff_id: str,
    version: int,
    *,
    state: Stage,
    by: str,
    at: datetime,
    office_zh: str | None = None,
    office_en: str | None = None,
    document_number: str | None = None,
    issued_on: date | None = None,
) -> BureauVersion:
    """Say that a version is in review, approved, published or withdrawn, once its effects are."""


@statement
async def add_tariff(db: Transaction, tariff_id: str, by: str, at: datetime) -> str | None:
    """Make a tariff; None where its id is taken."""


@statement
async def lock_tariff(db: Transaction, tariff_id: str) -> str | None:
    """Keep others from adding versions to a tariff; None where there is none."""


@statement
async def newest(db: Db, tariff_id: str) -> int:
    """Tell the number of a tariff's newest version; 0 for none."""


@statement
async def add_version(
    db: Transaction,
    *,
    tariff_id: str,
    version: int,
    document_text: str,
    content_hash: str,
    zones: Sequence[str],
    lot_types: Sequence[str],
    lots: Sequence[str],
    copy_of: int | None,
    by: str,
    at: datetime,
) -> None:
    """Draft a version."""


@statement
async def change_draft(
    db: Transaction,
    *,
    tariff_id: str,
    version: int,
    document_text: str,
    content_hash: str,
    zones: Sequence[str],
    lot_types: Sequence[str],
    lots: Sequence[str],
    at: datetime,
) -> None:
    """Write a draft anew."""


@statement
async def unknown_targets(db: Db, zones: Sequence[str], lots: Sequence[str]) -> list[UnknownTarget]:
    """List those of some zones and lots that are not there."""


@statement
async def later_versions(db: Db, tariff_id: str, at: datetime) -> list[int]:
    """List the versions of a tariff that come into force at a time or after it."""


@statement
async def newer_versions(db: Db, tariff_id: str, version: int) -> list[int]:
    """List the versions of a tariff that were drafted after one, and are published."""


@statement
async def overlapping(
    db: Db,
    *,
    zones: Sequence[str],
    lot_types: Sequence[str],
    lots: Sequence[str],
    starts_at: datetime,
    ends_at: datetime | None,
) -> list[StoredEffect]:
    """Read what is priced already within a time of some zones with lot types, or of lots."""


@statement
async def add_effects(
    db: Transaction,
    *,
    tariff_id: str,
    version: int,
    zones: Sequence[str],
    lot_types: Sequence[str],
    lots: Sequence[str],
    starts_at: datetime,
    ends_at: datetime | None,
) -> None:
    """Have a version price zones with lot types, or lots, within a time."""


@statement
async def cut_effects(
    db: Transaction, tariff_id: str, at: datetime, version: int | None = None
) -> None:
    """Let what a tariff prices, or one version of it, end at a time."""


@statement
async def remove_effects(
    db: Transaction, tariff_id: str, version: int, at: datetime
) -> list[datetime]:
    """Take back what a version is to price after a time; tell when each part was to begin."""


@statement
async def restore_effects(db: Transaction, tariff_id: str, at: datetime) -> None:
    """Let what would have been taken over at a time go on to the end that was meant."""


@statement
async def latest_suspension(
    db: Db, tariff_id: str, version: int, at: datetime
) -> BureauSuspension | None:
    """Read a version's latest suspension with its state at a time; None where there is none."""


@statement
async def suspensions(db: Db, at: datetime) -> list[BureauSuspension]:
    """Read all suspensions with their state at a time, the newest first."""


@statement
async def has_lapsed(db: Db, tariff_id: str, version: int, by: str) -> bool:
    """Whether a suspension of a version by somebody was never confirmed."""


@statement
async def suspend(
    db: Transaction,
    *,
    tariff_id: str,
    version: int,
    by: str,
    at: datetime,
    lapses_at: datetime,
    reason: str,
) -> BureauSuspension:
    """Suspend a version until it lapses."""


@statement
async def confirm_suspension(
    db: Transaction, suspension_id: int, *, by: str, at: datetime
) -> BureauSuspension:
    """Let a suspension last."""


@statement
async def resume(db: Transaction, suspension_id: int, *, by: str, at: datetime) -> BureauSuspension:
    """Let a suspension end; its window is kept."""
