"""What the database knows and does of price controls: `sql/queries/price_controls.sql`."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from parking_api.models import Name
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("price_controls")


class PriceControl(Row):
    """A price control: money in smallest units, of an hour but for `day_ceiling_minor`."""

    price_control_id: str
    legal_reference_zh: str
    legal_reference_en: str
    zone_class: int | None
    lot_types: list[str]
    currency: str
    vehicle: str | None
    base_minor: int
    float_up_percent: int | None
    float_down_percent: int | None
    floor_minor: int | None
    ceiling_minor: int | None
    day_ceiling_minor: int | None
    valid_from: datetime
    valid_to: datetime | None
    drafted_by: str
    drafted_at: datetime
    approved_by: str | None
    approved_at: datetime | None

    @property
    def state(self) -> str:
        """Where in the workflow it is: a draft, or approved."""
        return "draft" if self.approved_at is None else "approved"

    @property
    def legal_reference(self) -> Name:
        """The law or notice that it comes from, in both languages."""
        return Name(zh=self.legal_reference_zh, en=self.legal_reference_en)

    @property
    def hour_floor_minor(self) -> int | None:
        """The least that an hour may cost: of the amount and the float the higher."""
        down = self.float_down_percent
        floated = None if down is None else ceil(self.base_minor * (100 - down) / 100)
        return max((each for each in (self.floor_minor, floated) if each is not None), default=None)

    @property
    def hour_ceiling_minor(self) -> int | None:
        """The most that an hour may cost: of the amount and the float the lower."""
        up = self.float_up_percent
        floated = None if up is None else self.base_minor * (100 + up) // 100
        limits = (each for each in (self.ceiling_minor, floated) if each is not None)
        return min(limits, default=None)

    @property
    def citation(self) -> str:
        """Its name and its time."""
        until = f" to {self.valid_to.isoformat()}" if self.valid_to else ""
        return (
            f"(Price control {self.price_control_id}, from {self.valid_from.isoformat()}{until}.)"
        )


class PricingVersion(Row):
    """A tariff version that prices something from `begins_at` on; its document is JSON."""

    tariff_id: str
    version: int
    document_text: str
    zones: list[str]
    lot_types: list[str]
    lots: list[str]
    begins_at: datetime


@statement
async def controls(
    db: Db, control_id: str | None = None, *, include_drafts: bool
) -> list[PriceControl]:
    """Read the price controls, by `price_control_id`; or one of them."""


@statement
async def applying(
    db: Db,
    *,
    zones: Sequence[str],
    lot_types: Sequence[str],
    lots: Sequence[str],
    starts_at: datetime,
    ends_at: datetime | None,
) -> list[PriceControl]:
    """Read the price controls that hold within a time for zones with lot types, or for lots."""


@statement
async def add(
    db: Transaction,
    *,
    control_id: str,
    reference_zh: str,
    reference_en: str,
    zone_class: int | None,
    lot_types: Sequence[str],
    currency: str,
    vehicle: str | None,
    base_minor: int,
    float_up_percent: int | None,
    float_down_percent: int | None,
    floor_minor: int | None,
    ceiling_minor: int | None,
    day_ceiling_minor: int | None,
    valid_from: datetime,
    valid_to: datetime | None,
    by: str,
    at: datetime,
) -> PriceControl | None:
    """Draft a price control; None where its id is taken."""


@statement
async def settle(
    db: Transaction,
    control_id: str,
    *,
    approved_by: str | None,
    approved_at: datetime | None,
    valid_to: datetime | None,
) -> PriceControl:
    """Say who approved a price control and when, and when it ends."""


@statement
async def versions_pricing(
    db: Db, starts_at: datetime, ends_at: datetime | None
) -> list[PricingVersion]:
    """Read the tariff versions that price anything within a time."""
