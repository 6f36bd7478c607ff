"""Import queries and commands: the statements of `sql/queries/importing.sql`.

Rows are copied into staging tables, one for each table, and merged from there.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("importing")

Staged = Literal["operator", "gateway", "district", "zone", "lot", "place", "space"]


class MergedSpaces(Row):
    """How many bays are new, how many have changed, and how many are no more."""

    added: int
    changed: int
    gone: int


class ForeignLot(Row):
    """A lot whose gateway is another operator's."""

    lot_id: str
    operator_id: str
    gateway_id: str
    gateway_operator_id: str


class Gateway(Row):
    """A gateway and its operator."""

    gateway_id: str
    operator_id: str


class District(Row):
    """A district's polygon, WGS 84 degrees."""

    adcode: str
    wkb: bytes


class RegisteredThing(Row):
    """A thing that imports write: its details are a JSON object."""

    kind: str
    thing_id: str
    details: str


class DoubtfulPlace(Row):
    """A lot in no district or far from all others: degrees; metres to the nearest if it is far."""

    lot_id: str
    longitude: float
    latitude: float
    is_outside: bool
    nearest_m: float | None
    looks_swapped: bool


class StoredLot(Row):
    """A lot, and the cells that a row of a file would have: a JSON object of texts."""

    lot_id: str
    cells: str


class KnownSteps(Row):
    """Which steps of a day are known of a lot, 0..287, and the next free number of a part."""

    lot_id: str
    places: list[int]
    next_part: int


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
async def merge_operators(db: Transaction) -> list[bool]:
    """Bring operators to what is staged; for each one written, whether it is new."""


@statement
async def merge_gateways(db: Transaction) -> list[bool]:
    """Do so with gateways; passwords are kept."""


@statement
async def merge_districts(db: Transaction) -> list[bool]:
    """Do so with districts."""


@statement
async def merge_places(db: Transaction) -> list[bool]:
    """Do so with named places; one that names no district gets the one that covers it."""


@statement
async def merge_zones(db: Transaction) -> list[bool]:
    """Do so with zones; the end of a zone is kept where none is given."""


@statement
async def derive_districts(db: Transaction) -> None:
    """Give each staged lot that names no district the one that covers it."""


@statement
async def merge_lots(db: Transaction, *, has_closures: bool, has_retired: bool) -> list[bool]:
    """Do so with lots, but for their zones and states; closures and retirement if they are said."""


class HandedLot(Row):
    """Whose a lot is, by which gateway it reports, and whether it is closed or retired."""

    lot_id: str
    operator_id: str
    gateway_id: str
    closed_from: datetime | None
    closed_until: datetime | None
    closed_reason: str | None
    retired_at: datetime | None


@statement
async def lock_handed_lots(
    db: Transaction, *, has_closures: bool, has_retired: bool
) -> list[HandedLot]:
    """Lock the lots whose operator, gateway, closure or retirement will change; give them."""


@statement
async def handed_lots(db: Transaction, lot_ids: Sequence[str]) -> list[HandedLot]:
    """Read the same of some lots as they are now, by `lot_id`."""


@statement
async def lots_taken_over(db: Transaction) -> list[str]:
    """Read which staged lots go to another operator's gateway; before `merge_lots`."""


@statement
async def stage_own_spaces(db: Transaction) -> None:
    """Stage the bays that staged lots keep, and those that they lack; before `merge_lots`."""


@statement
async def analyze_staged(db: Transaction) -> None:
    """Let the planner know how many lots and bays are staged."""


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
    """Have all who keep lots in memory read these again: ids with spaces between, '' for all."""


@statement
async def foreign_gateways(db: Transaction) -> list[ForeignLot]:
    """Read the lots whose gateway belongs to another operator."""


@statement
async def operator_ids(db: Db) -> list[str]:
    """Read every operator's id."""


@statement
async def gateways(db: Db) -> list[Gateway]:
    """Read every gateway with its operator."""


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
async def registered(db: Db) -> list[RegisteredThing]:
    """Read all that an import may write."""


@statement
async def doubtful_places(db: Db, lot_ids: Sequence[str], far_m: float) -> list[DoubtfulPlace]:
    """Read which of these lots are in no district, or have no other within so many metres."""


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


@statement
async def lot_ids(db: Db) -> list[str]:
    """Read the ids of all lots, retired ones too."""


@statement
async def known_steps(db: Db, day_at: datetime, lot_ids: Sequence[str]) -> list[KnownSteps]:
    """Read which steps of a day in UTC are known, of those lots of which any is."""


async def copy_past(db: Transaction, records: Iterable[Sequence[object]]) -> None:
    """Copy past days of lots, in the order of the columns of `lot_occupancy_day`."""
    await db.copy_records_to_table("lot_occupancy_day", records=records)
