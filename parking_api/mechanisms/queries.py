"""Price mechanism queries and commands: the statements of `sql/queries/mechanisms.sql`."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pricing
from parking_api.mechanisms.models import BureauMechanism, Mode, ReviewAnswer, State
from parking_api.models import LotType
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("mechanisms")


class Owner(Row):
    """The price mechanism that moves prices of a lot type."""

    lot_type: LotType
    mechanism_id: str


class PricedType(Row):
    """A tariff version that has priced lots of a type, and all that the version applies to."""

    lot_type: LotType
    tariff_id: str
    version: int
    starts_at: datetime
    in_force: bool
    document_text: str
    zones: list[str]
    lot_types: list[LotType]

    @property
    def document(self) -> dict[str, Any]:
        """The document as it was drafted."""
        document: dict[str, Any] = json.loads(self.document_text)
        return document

    @property
    def tariff(self) -> pricing.Tariff:
        """The tariff: what was stored was right."""
        return pricing.read_tariff(self.document_text)


class Seen(Row):
    """What history knows of a lot in a time band, in seconds, and seconds x spaces.

    Attributes:
        beside: Whether the mechanism does not move the lot, and one that it moves is near.
        known_s: Seconds that are known, weighed by the share of the lot that was.
        space_s: Of spaces in service; known, free, and of the time in which every one was taken.
    """

    time_band: str
    lot_id: str
    capacity: int
    beside: bool
    known_s: float
    space_s: float
    known_space_s: float
    free_space_s: float
    full_space_s: float


@statement
async def mechanisms(
    db: Db, *, include_drafts: bool, mechanism_id: str | None = None
) -> list[BureauMechanism]:
    """Read mechanisms by `mechanism_id`; or one of them."""


@statement
async def lock(db: Transaction, mechanism_id: str) -> str | None:
    """Keep others from changing a mechanism; None where there is none."""


@statement
async def add(
    db: Transaction,
    *,
    mechanism_id: str,
    definition: str,
    hash: str,  # noqa: A002 - the column's name
    zone_id: str,
    lot_types: Sequence[LotType],
    mode: Mode,
    by: str,
    at: datetime,
) -> BureauMechanism | None:
    """Draft a mechanism; None where its id is taken."""


@statement
async def change(
    db: Transaction,
    *,
    mechanism_id: str,
    definition: str,
    hash: str,  # noqa: A002 - the column's name
    zone_id: str,
    lot_types: Sequence[LotType],
    mode: Mode,
    at: datetime,
) -> BureauMechanism:
    """Write a draft anew."""


@statement
async def settle(
    db: Transaction,
    mechanism_id: str,
    *,
    state: State | None = None,
    mode: Mode | None = None,
    approved_by: str | None = None,
    approved_at: datetime | None = None,
    retired_by: str | None = None,
    retired_at: datetime | None = None,
) -> BureauMechanism:
    """Say how a mechanism stands; what is None stays."""


@statement
async def add_targets(db: Transaction, mechanism_id: str) -> None:
    """Give a mechanism its zone and lot types, but for those that another has."""


@statement
async def targets_of_others(db: Transaction, mechanism_id: str) -> list[Owner]:
    """Read which of a mechanism's zone and lot types others have."""


@statement
async def remove_targets(db: Transaction, mechanism_id: str) -> None:
    """Give up what a mechanism has."""


@statement
async def tariffs(
    db: Db, zone_id: str, lot_types: Sequence[LotType], at: datetime
) -> list[PricedType]:
    """Read the versions that have priced lots of a zone until `at`, by lot type and start."""


@statement
async def history(
    db: Db,
    *,
    zone_id: str,
    lot_types: Sequence[LotType],
    at: datetime,
    beside_m: float,
    time_bands: Sequence[str],
    starts: Sequence[datetime],
    ends: Sequence[datetime],
) -> list[Seen]:
    """Read what history knows, within intervals, of the lots that a mechanism moves or has near."""


@statement
async def reviews(
    db: Db, mechanism_id: str, *, most: int, number: int | None = None, before: int | None = None
) -> list[ReviewAnswer]:
    """Read reviews, newest first, from the one before `before` on; or one of them."""


@statement
async def add_review(
    db: Transaction,
    *,
    mechanism_id: str,
    at: datetime,
    by: str,
    definition: str,
    read_from: datetime,
    read_to: datetime,
    lots: int,
    tariff_id: str,
    version: int,
    proposals: str,
) -> ReviewAnswer:
    """Record a review under its next number."""


@statement
async def note_draft(
    db: Transaction, *, mechanism_id: str, number: int, version: int, by: str, at: datetime
) -> ReviewAnswer:
    """Write beside a review which tariff version was drafted from it."""
