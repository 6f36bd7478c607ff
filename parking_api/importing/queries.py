"""Imports in the database: the statements of `sql/queries/importing.sql`.

Rows are copied into staging tables, one for each table, and merged from there.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("importing")

Staged = Literal["operator", "gateway", "district", "zone", "lot", "space"]


class Merged(Row):
    """How many rows were given, and how many of them were new and changed."""

    given: int
    added: int
    changed: int


class MergedSpaces(Merged):
    """The same of bays, and how many are no more."""

    gone: int


class ForeignLot(Row):
    """A lot whose gateway is another operator's."""

    lot_id: str
    operator_id: str
    gateway_id: str
    gateway_operator_id: str


class Gateway(Row):
    """Whose a gateway is."""

    gateway_id: str
    operator_id: str


class District(Row):
    """A district's polygon, WGS 84 degrees."""

    adcode: str
    wkb: bytes


class StoredLot(Row):
    """A lot as a row of a file would have it."""

    lot_id: str
    operator_id: str
    gateway_id: str
    name_zh: str
    name_en: str
    lot_type: str
    land_use: str | None
    reporting: str
    report_interval_s: str
    levels: str
    height_limit_m: str | None
    opens_at: str | None
    closes_at: str | None
    timezone: str


async def copy(
    db: Transaction,
    table: Staged,
    columns: Sequence[str],
    records: Iterable[Sequence[object]],
) -> None:
    """Copy records into the staging table of a table."""
    await db.copy_records_to_table(f"staged_{table}", records=records, columns=columns)
    await db.execute(f"ANALYZE staged_{table}")


@statement
async def stage(db: Transaction) -> None:
    """Make the staging tables, empty; they go with the transaction."""


@statement
async def merge_operators(db: Transaction) -> Merged:
    """Bring operators to what is staged."""


@statement
async def merge_gateways(db: Transaction) -> Merged:
    """Bring gateways to what is staged; passwords are kept."""


@statement
async def merge_districts(db: Transaction) -> Merged:
    """Bring districts to what is staged."""


@statement
async def merge_zones(db: Transaction) -> Merged:
    """Bring zones to what is staged; the end of a zone is kept where none is given."""


@statement
async def derive_districts(db: Transaction) -> None:
    """Give each staged lot that names no district the one that covers it."""


@statement
async def merge_lots(db: Transaction) -> Merged:
    """Bring lots to what is staged, but for their zones and states."""


@statement
async def stage_own_spaces(db: Transaction) -> None:
    """Stage the bays that staged lots keep, and those that they lack; before `merge_lots`."""


@statement
async def merge_spaces(db: Transaction) -> MergedSpaces:
    """Bring the bays of the staged lots to what is staged."""


@statement
async def suspend_space_checks(db: Transaction) -> bool:
    """Drop what makes adding many bays slow, if there is no bay yet; tell whether that was so."""


@statement
async def resume_space_checks(db: Transaction) -> None:
    """Make again what `suspend_space_checks` dropped."""


@statement
async def analyze_registration(db: Transaction) -> None:
    """Renew the planner's statistics of lots and bays."""


@statement
async def notify(db: Transaction, lot_ids: str) -> None:
    """Tell whoever knows lots by heart to read these again: ids with spaces between, '' for all."""


@statement
async def foreign_gateways(db: Transaction) -> list[ForeignLot]:
    """Read the lots whose gateway belongs to another operator."""


@statement
async def operator_ids(db: Db) -> list[str]:
    """Read every operator's id."""


@statement
async def gateways(db: Db) -> list[Gateway]:
    """Read whose each gateway is."""


@statement
async def districts(db: Db) -> list[District]:
    """Read every district's polygon."""


@statement
async def timezones(db: Db) -> list[str]:
    """Read the time zones that the database can count in."""


@statement
async def stored_lots(db: Db, lot_ids: Sequence[str]) -> list[StoredLot]:
    """Read the lots of these ids."""


@statement
async def add_version(
    db: Transaction,
    *,
    tariff_id: str,
    document_text: str,
    content_hash: str,
    zones: Sequence[str],
    lot_types: Sequence[str],
    lots: Sequence[str],
    by: str,
    at: datetime,
) -> None:
    """Add version 1 of a tariff that was in force before it came in."""
