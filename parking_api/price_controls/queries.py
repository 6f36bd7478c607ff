"""Price control queries and commands: the statements of `sql/queries/price_controls.sql`."""

from collections.abc import Sequence
from datetime import datetime

from parking_api.price_controls.models import PriceControl
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("price_controls")


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
