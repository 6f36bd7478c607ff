"""An import as a whole: one connection, one transaction, all or nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from parking_api.command_line import Connection
from parking_api.geometry import multipolygon_ewkb, point_ewkb
from parking_api.importing.bays import Bay
from parking_api.importing.city import City, read_city
from parking_api.importing.faults import Faults
from parking_api.importing.loading_tariffs import check_zones, load_tariffs
from parking_api.importing.lots_file import (
    LotOptions,
    checked_lots,
    find_parties,
    notes,
    read_lots_file,
)
from parking_api.importing.lots_file import timezones as known_timezones
from parking_api.importing.progress import Steps
from parking_api.importing.rows import GatewayRow, LotRow, OperatorRow
from parking_api.quotes import coverage
from parking_api.quotes.coverage import Unpriced
from parking_api.zones.queries import move_lots
from sql import lot_state_store
from sql.engine import AdvisoryLock, Transaction, lock
from sql.lot_states import misfits
from sql.named import named

_OPERATOR: Final = ("operator_id", "name_zh", "name_en")
_GATEWAY: Final = ("gateway_id", "operator_id", "simulated")
_DISTRICT: Final = ("adcode", "name_zh", "name_en")
_ZONE: Final = ("zone_id", "name_zh", "name_en", "zone_class", "valid_from", "valid_to")
_SPACE: Final = ("lot_id", "number", "level", "space_class", "geog")
_LOT: Final = tuple(name for name in LotRow.model_fields if name not in ("longitude", "latitude"))
_TICK: Final = 10_000
# Ids of 64 characters then fit into the 8,000 bytes that a notification may have.
NOTIFIED_LOTS: Final = 100


@dataclass
class Totals:
    """What an import did.

    Attributes:
        counts: Rows given, new and changed, by word (`lots`).
        bays_deleted: Bays that are no more.
        unpriced: Lots that have lost their price: their zone is gone, or drawn smaller, or they
            moved.
    """

    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    bays_deleted: int = 0
    unpriced: Sequence[Unpriced] = ()

    def __str__(self) -> str:
        """Return one line for people."""
        parts = []
        for word, (given, added, changed) in self.counts.items():
            noun = word.removesuffix("s") if given == 1 else word
            parts.append(f"{given:,} {noun} ({added:,} new, {changed:,} changed)")
        if self.bays_deleted:
            parts.append(f"{self.bays_deleted:,} bays deleted")
        return ", ".join(parts)


async def import_city(
    connection: Connection, directory: Path, *, at: datetime, steps: Steps
) -> Totals:
    """Import a city's directory.

    Args:
        connection: To a migrated database.
        directory: Where the six files are.
        at: The time whose zones count.
        steps: Told how far it is.

    Returns:
        What was done.

    Raises:
        ImportFaultsError: The files have faults; nothing was changed.
    """
    faults = Faults()
    timezones = await known_timezones(connection)
    city = read_city(directory, faults, steps, timezones)
    faults.raise_if_any()
    async with connection.transaction():
        await prepare(connection)
        before = await coverage.read(connection)
        totals = await load_city(connection, city, at=at, steps=steps)
        totals.unpriced = coverage.newly_unpriced(before, await coverage.read(connection), at)
    return totals


@dataclass(frozen=True)
class LotsImport:
    """What an import of lots alone did.

    Attributes:
        totals: Rows written.
        left_out: The faults of the rows that were left out; none without `skip_bad`.
        rows: Rows (or features) of the file.
        notes: What else a user should know.
    """

    totals: Totals
    left_out: Faults
    rows: int
    notes: tuple[str, ...]


async def import_lots(
    connection: Connection, path: Path, options: LotOptions, *, at: datetime
) -> LotsImport:
    """Import lots alone.

    Args:
        connection: To a migrated database.
        path: A CSV or GeoJSON file.
        options: What the command line says.
        at: The time whose zones count.

    Returns:
        What was done.

    Raises:
        ImportFaultsError: The file has faults and `skip_bad` is not given, or it cannot be read,
            or no row is right; nothing was changed.
    """
    faults = Faults()
    source = read_lots_file(path, faults)
    if faults.unread:
        faults.raise_if_any()
    async with connection.transaction():
        await prepare(connection)
        parties = await find_parties(connection, options)
        lots = await checked_lots(connection, source, options, parties, faults)
        if not (lots and options.skip_bad):
            faults.raise_if_any()
        before = await coverage.read(connection)
        totals = await load_lots(connection, lots, parties.operators, parties.gateways, at=at)
        totals.unpriced = coverage.newly_unpriced(before, await coverage.read(connection), at)
    return LotsImport(totals, faults, len(source.records), notes(source, parties))


async def prepare(connection: Connection) -> None:
    """Wait for other imports, and teach the connection to send geometry; within a transaction."""
    await lock(Transaction(connection), AdvisoryLock.REGISTRATION)
    for kind in ("geometry", "geography"):
        await connection.set_type_codec(
            kind, schema="public", encoder=bytes, decoder=bytes, format="binary"
        )


async def load_city(connection: Connection, city: City, *, at: datetime, steps: Steps) -> Totals:
    """Bring the database to what a city's directory says; within a transaction.

    Args:
        connection: As `prepare` leaves it.
        city: The city, without faults.
        at: The time whose zones count.
        steps: Told how far it is.

    Returns:
        What was done.

    Raises:
        ImportFaultsError: A lot that the city does not name would be left with another operator's
            gateway, two zones would overlap, or two tariffs price the same.
    """
    totals = Totals()
    with steps.step("writing districts, operators, gateways, zones, lots"):
        await _load_parties(
            connection, city.operators.entries.values(), city.gateways.entries.values(), totals
        )
        await _load_polygons(connection, city, totals)
        await check_zones(connection, list(city.zones.entries))
        await _load_lots(connection, city.lots.entries.values(), at, totals)
        await _check_gateways(connection, city)
    with steps.step("copying bays", len(city.bays)) as advance:
        await _stage(connection, "space", _SPACE, _ticking(city.bays, advance))
    with steps.step("writing bays"):
        await _load_spaces(connection, len(city.bays), totals)
    if city.tariffs.tariffs:
        with steps.step("writing tariffs"):
            totals.counts["tariffs"] = await load_tariffs(connection, city.tariffs, at)
    await _finish(connection, list(city.lots.entries))
    return totals


async def load_lots(
    connection: Connection,
    lots: Sequence[LotRow],
    operators: Sequence[OperatorRow],
    gateways: Sequence[GatewayRow],
    *,
    at: datetime,
) -> Totals:
    """Add or update lots alone; within a transaction.

    The lots that report bays get the bays that they lack, at their own point; bays beyond a lot's
    capacity are deleted.

    Args:
        connection: As `prepare` leaves it.
        lots: The lots, without faults.
        operators: Operators to add.
        gateways: Gateways to add.
        at: The time whose zones count.

    Returns:
        What was done.
    """
    totals = Totals()
    await _load_parties(connection, operators, gateways, totals)
    await _load_lots(connection, lots, at, totals, before="import_own_spaces_moved")
    totals.bays_deleted = await _run(connection, "import_own_spaces_gone")
    added = await _run(connection, "import_own_spaces_new")
    if added:
        totals.counts["bays"] = (added, added, 0)
    await _finish(connection, [lot.lot_id for lot in lots])
    return totals


async def _finish(connection: Connection, lot_ids: Sequence[str]) -> None:
    """Fit the lots' states to them, and tell at COMMIT whoever knows lots by heart."""
    await bring_into_line(connection, lot_ids)
    told = lot_ids if len(lot_ids) <= NOTIFIED_LOTS else ()
    await connection.execute(named("import_notify"), " ".join(told))


async def _load_parties(
    connection: Connection,
    operators: Iterable[OperatorRow],
    gateways: Iterable[GatewayRow],
    totals: Totals,
) -> None:
    await _stage(connection, "operator", _OPERATOR, _values(operators, _OPERATOR))
    await _stage(connection, "gateway", _GATEWAY, _values(gateways, _GATEWAY))
    await _upsert(connection, "operator", totals)
    await _upsert(connection, "gateway", totals)


async def _load_polygons(connection: Connection, city: City, totals: Totals) -> None:
    for table, columns, register, polygons in (
        ("district", _DISTRICT, city.districts, city.district_polygons),
        ("zone", _ZONE, city.zones, city.zone_polygons),
    ):
        records = [
            (*_row(entry, columns), multipolygon_ewkb(polygons[key]))
            for key, entry in register.entries.items()
        ]
        await _stage(connection, table, (*columns, "geom"), records)
        await _upsert(connection, table, totals)


async def _load_lots(
    connection: Connection,
    lots: Iterable[LotRow],
    at: datetime,
    totals: Totals,
    before: str | None = None,
) -> None:
    records = [(*_row(lot, _LOT), point_ewkb(lot.longitude, lot.latitude)) for lot in lots]
    await _stage(connection, "lot", (*_LOT, "geog"), records)
    await connection.execute(named("import_derive_districts"))
    if before:
        await connection.execute(named(before))
    await _upsert(connection, "lot", totals)
    await move_lots(Transaction(connection), at)


async def _load_spaces(connection: Connection, given: int, totals: Totals) -> None:
    totals.bays_deleted = await _run(connection, "import_spaces_gone")
    changed = await _run(connection, "import_spaces_changed")
    added = await _add_spaces(connection)
    totals.counts["bays"] = (given, added, changed)
    if added:
        await connection.execute("SELECT analyze_registration()")


async def _add_spaces(connection: Connection) -> int:
    """Add the bays that are new; return how many they are.

    Into an empty table, its reference to lots and its GiST index are made after the rows: 470,940
    bays took 4 s so, and 10 s row by row, 4 of which went into looking up each bay's lot.
    """
    suspended = await connection.fetchval("SELECT suspend_space_checks()")
    added = await _run(connection, "import_spaces_new")
    if suspended:
        await connection.execute("SELECT resume_space_checks()")
    return added


async def _check_gateways(connection: Connection, city: City) -> None:
    """Find the lots that the city does not name and whose gateway it gives to another operator."""
    faults = Faults()
    for lot in await connection.fetch(named("import_foreign_gateways")):
        key = lot["gateway_id"]
        message = (
            f"gateway {key} would go to {lot['gateway_operator_id']}, but lot {lot['lot_id']}, "
            f"which is in the database only, is of {lot['operator_id']}"
        )
        faults.add(city.gateways.file, city.gateways.rows.get(key), "operator_id", message)
    faults.raise_if_any()


async def _stage(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    records: Iterable[Sequence[Any]],
) -> None:
    """COPY records into a temporary table like `table`, gone at the end of the transaction."""
    staged = f"staged_{table}"
    await connection.execute(f"CREATE TEMPORARY TABLE {staged} (LIKE {table}) ON COMMIT DROP")
    await connection.copy_records_to_table(staged, records=records, columns=columns)
    await connection.execute(f"ANALYZE {staged}")


async def _upsert(connection: Connection, table: str, totals: Totals) -> None:
    given = await connection.fetchval(f"SELECT count(*) FROM staged_{table}")  # noqa: S608
    counts = await connection.fetchrow(named(f"import_{table}s"))
    if counts is not None and given:
        totals.counts[f"{table}s"] = (given, counts["added"], counts["changed"])


async def _run(connection: Connection, query: str) -> int:
    """Run a named statement; return how many rows it changed."""
    status = await connection.execute(named(query))
    return int(status.rpartition(" ")[2])


def _values(entries: Iterable[BaseModel], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    return [_row(entry, columns) for entry in entries]


def _row(entry: BaseModel, columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(entry, column) for column in columns)


def _ticking(bays: list[Bay], advance: Callable[[int], None]) -> Iterator[Bay]:
    for count, bay in enumerate(bays, 1):
        yield bay
        if count % _TICK == 0:
            advance(_TICK)


async def bring_into_line(connection: Connection, lot_ids: Sequence[str]) -> int:
    """Fit the states of lots to what the lots are registered with now; within a transaction.

    Only the states that do not fit are locked, and at the end of the import: the ingester waits
    for no others, and decides again what it has decided on those.

    Args:
        connection: The import's, with lots and bays written.
        lot_ids: The lots that were imported.

    Returns:
        How many states were changed.
    """
    lots = await lot_state_store.load_lots(connection, lot_ids)
    off = sorted(misfits(lots, await lot_state_store.load_states(connection, lot_ids)))
    if not off:
        return 0
    await lot_state_store.lock_states(Transaction(connection), off)
    states = await lot_state_store.load_states(connection, off)
    fits = misfits(lots, states)
    await lot_state_store.write_states(Transaction(connection), fits, states)
    return len(fits)
