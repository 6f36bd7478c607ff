"""What the database knows and does of tariffs: the statements of `sql/queries/tariffs.sql`."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import pricing
from parking_api.models import Name
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("tariffs")

State = Literal[
    "draft", "in_review", "approved", "scheduled", "in_force", "superseded", "withdrawn"
]
Stage = Literal["draft", "in_review", "approved", "published", "withdrawn"]


class Progress(Row):
    """How far a version has come: all that changes once it has left its draft."""

    state: State
    effective_from: datetime | None
    effective_to: datetime | None
    submitted_by: str | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    published_by: str | None
    published_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None


class Version(Progress):
    """A tariff version; its document is JSON, as it was drafted."""

    tariff_id: str
    version: int
    document_text: str
    content_hash: str
    zones: list[str]
    lot_types: list[str]
    lots: list[str]
    copy_of: int | None
    imported: bool
    drafted_by: str
    drafted_at: datetime

    @property
    def stage(self) -> str:
        """Its state without regard to when it is in force."""
        if self.state in ("scheduled", "in_force", "superseded"):
            return "published"
        return self.state

    @property
    def document(self) -> dict[str, Any]:
        """The document, read anew each time."""
        document: dict[str, Any] = json.loads(self.document_text)
        return document

    @property
    def tariff(self) -> pricing.Tariff:
        """What the document says: what was stored was right."""
        return pricing.read_tariff(self.document_text)

    @property
    def name(self) -> Name:
        """The name in both languages."""
        return Name.model_validate(self.document["name"])

    @property
    def applies_to(self) -> dict[str, list[str]]:
        """What it prices: each of the zones with each of the lot types; or lots."""
        return {"zones": self.zones, "lot_types": self.lot_types, "lots": self.lots}


class UnknownTarget(Row):
    """A zone or a lot that is not there."""

    kind: str
    id: str


class Effect(Row):
    """What a version prices from `effective_from` to before `effective_to`.

    It is a lot, or a zone's lots of a type; the other columns are null.
    """

    tariff_id: str
    version: int
    zone_id: str | None
    lot_type: str | None
    lot_id: str | None
    effective_from: datetime
    effective_to: datetime | None

    @property
    def message(self) -> str:
        """Which version prices what from when on."""
        target = self.lot_id or f"{self.zone_id} x {self.lot_type}"
        until = f" to {self.effective_to.isoformat()}" if self.effective_to else " on"
        return (
            f"version {self.version} of {self.tariff_id} prices {target} "
            f"from {self.effective_from.isoformat()}{until}"
        )


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
) -> list[Version]:
    """Read versions with their state at a time, by `tariff_id` and `version`."""


@statement
async def locked(db: Transaction, tariff_id: str, version: int, at: datetime) -> Version | None:
    """Read a version with its state at a time, and lock it."""


@statement
async def settle(
    db: Transaction, tariff_id: str, version: int, *, state: Stage, by: str, at: datetime
) -> Progress:
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
async def overlapping(
    db: Db,
    *,
    zones: Sequence[str],
    lot_types: Sequence[str],
    lots: Sequence[str],
    starts_at: datetime,
    ends_at: datetime | None,
) -> list[Effect]:
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
