"""Imports a city, or lots alone: one connection, one transaction, all or nothing.

Right rows are copied into staging tables, then merged by one statement a table.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from shapely.geometry import MultiPolygon

from parking_api.geometry import multipolygon_ewkb, point_ewkb
from parking_api.importing import queries
from parking_api.importing.changes import Registered, describe_changes, read_registered
from parking_api.importing.city import City, read_city
from parking_api.importing.doubts import find_doubts
from parking_api.importing.faults import Faults
from parking_api.importing.lots_file import (
    LotOptions,
    checked_lots,
    find_parties,
    notes,
    read_lots_file,
)
from parking_api.importing.moved import (
    Basis,
    FilesChangedError,
    digest_of,
    moved,
    read_basis,
    require_decision,
)
from parking_api.importing.progress import Steps
from parking_api.importing.queries import HandedLot, MergedSpaces, Staged
from parking_api.importing.reading import Register
from parking_api.importing.rows import CLOSURE, PLACE, GatewayRow, LotRow, OperatorRow, PlaceRow
from parking_api.importing.tariffs import IMPORTER, load_tariffs
from parking_api.importing.texts import Encoding
from parking_api.importing.totals import LotsImport, Totals
from parking_api.quotes import coverage
from parking_api.workflow import Act
from parking_api.zones.errors import ZonesOverlapError
from parking_api.zones.queries import move_lots
from parking_api.zones.service import check_overlaps
from sql import lot_state_store
from sql.engine import AdvisoryLock, Db, Transaction, lock, transaction, undone
from sql.lot_states import misfits, numbered_anew

_SPACE: Final = ("lot_id", "number", "level", "space_class", "geog")
# Ids of 64 characters then fit into the 8,000 bytes that a notification may have.
NOTIFIED_LOTS: Final = 100
_MERGES: Final[Mapping[Staged, Callable[[Transaction], Awaitable[list[bool]]]]] = {
    "operator": queries.merge_operators,
    "gateway": queries.merge_gateways,
    "district": queries.merge_districts,
    "zone": queries.merge_zones,
    "place": queries.merge_places,
}


async def import_city(
    db: Db,
    directory: Path,
    *,
    at: datetime,
    steps: Steps,
    encoding: Encoding = "utf-8",
    dry_run: bool = False,
) -> Totals:
    """Import a city's directory.

    Args:
        db: A connection to a migrated database.
        directory: Where the six files are.
        at: The time whose zones count.
        steps: Shows how far it is.
        encoding: What those files are in that are not UTF-8.
        dry_run: Undo it all, and say what would change.

    Returns:
        What was done.

    Raises:
        ImportFaultsError: The files have faults; nothing was changed.
        ImportUndecidedError: Prices would move, and no two persons have decided on that.
        FilesChangedError: The files were changed meanwhile.
    """
    faults = Faults()
    digest = digest_of(directory, encoding)
    city = read_city(directory, faults, steps, frozenset(await queries.timezones(db)), encoding)
    faults.raise_if_any()
    async with _importing(db, dry_run=dry_run) as within:
        before = await _read_before(within, dry_run=dry_run)
        totals = await load_city(within, city, at=at, steps=steps)
        await _look_back(within, totals, before, city.lots, at)
        if not dry_run:
            _require_same(digest, digest_of(directory, encoding))
            await require_decision(Act(within, IMPORTER, at), digest, totals.moved)
    totals.notes = tuple(faults.notes)
    return totals


def _require_same(before: str, after: str) -> None:
    """Refuse files that are others after they were read than before.

    An exchange that is undone in between is not seen: whoever imports has the commands' role, which
    writes the city without any file.
    """
    if before != after:
        raise FilesChangedError


async def import_lots(
    db: Db, path: Path, options: LotOptions, *, at: datetime, dry_run: bool = False
) -> LotsImport:
    """Import lots alone.

    Args:
        db: A connection to a migrated database.
        path: A CSV or GeoJSON file.
        options: What the command line says.
        at: The time whose zones count.
        dry_run: Undo it all, and say what would change.

    Returns:
        What was done.

    Raises:
        ImportFaultsError: The file has faults and `skip_bad` is not given, or it cannot be read,
            or no row is right; nothing was changed.
        ImportUndecidedError: Prices would move, and no two persons have decided on that.
        FilesChangedError: The file was changed meanwhile.
    """
    faults = Faults()
    digest = digest_of(path, options)
    source = read_lots_file(path, faults, options.encoding)
    if faults.unread:
        faults.raise_if_any()
    async with _importing(db, dry_run=dry_run) as within:
        parties = await find_parties(within, options)
        lots = await checked_lots(within, source, options, parties, faults)
        if not (lots.entries and options.skip_bad):
            faults.raise_if_any()
        before = await _read_before(within, dry_run=dry_run)
        rows = list(lots.entries.values())
        totals = await load_lots(
            within, rows, parties.operators, parties.gateways, columns=lots.columns, at=at
        )
        await _look_back(within, totals, before, lots, at)
        if not dry_run:
            _require_same(digest, digest_of(path, options))
            await require_decision(Act(within, IMPORTER, at), digest, totals.moved)
    added = [] if dry_run else parties.notes()
    totals.notes = (*faults.notes, *notes(source), *added)
    return LotsImport(totals, faults, source.total)


@asynccontextmanager
async def _importing(db: Db, *, dry_run: bool) -> AsyncIterator[Transaction]:
    """Begin the transaction of an import; a dry run is undone when the block ends."""
    async with transaction(db) as within:
        if not dry_run:
            await prepare(within)
            yield within
            return
        async with undone(within):
            await prepare(within)
            yield within


@dataclass(frozen=True)
class _Before:
    """What an import is compared with; `registered` in a dry run alone."""

    coverage: coverage.Coverage
    basis: Basis
    registered: Registered | None


async def _read_before(db: Transaction, *, dry_run: bool) -> _Before:
    registered = await read_registered(db) if dry_run else None
    return _Before(await coverage.read(db), await read_basis(db), registered)


async def _look_back(
    db: Transaction, totals: Totals, before: _Before, lots: Register[LotRow], at: datetime
) -> None:
    """Add to the totals what is to be seen once all is written."""
    totals.unpriced = coverage.newly_unpriced(before.coverage, await coverage.read(db), at)
    totals.moved = moved(before.basis, await read_basis(db), at)
    totals.doubts = await find_doubts(db, lots)
    if before.registered is not None:
        totals.changes = describe_changes(before.registered, await read_registered(db))


async def prepare(db: Transaction) -> None:
    """Wait for other imports, make the staging tables, teach the connection to send geometry."""
    await lock(db, AdvisoryLock.REGISTRATION)
    await queries.stage(db)
    for kind in ("geometry", "geography"):
        await db.set_type_codec(
            kind, schema="public", encoder=bytes, decoder=bytes, format="binary"
        )


async def load_city(db: Transaction, city: City, *, at: datetime, steps: Steps) -> Totals:
    """Bring the database to what a city's directory says.

    Args:
        db: As `prepare` leaves it.
        city: The city, without faults.
        at: The time whose zones count.
        steps: Shows how far it is.

    Returns:
        What was done.

    Raises:
        ImportFaultsError: A lot that the city does not name would be left with another operator's
            gateway, two zones would overlap, or two tariffs price the same.
    """
    totals = Totals()
    with steps.step("writing districts, operators, gateways, zones, lots"):
        await _load_parties(
            db, city.operators.entries.values(), city.gateways.entries.values(), totals
        )
        await _load(db, "district", _with_ground(city.districts, city.district_polygons), totals)
        if city.places.entries:
            await _load(db, "place", _with_points(city.places.entries.values()), totals)
        await _load(db, "zone", _with_ground(city.zones, city.zone_polygons), totals)
        await _check_zones(db, city)
        await _copy_lots(db, city.lots.entries.values(), at)
        taken_over = await queries.lots_taken_over(db)
        handed = await _merge_lots(db, len(city.lots.entries), city.lots.columns, totals)
        await move_lots(db, at)
        await _check_gateways(db, city)
    with steps.step("copying bays", len(city.bays)) as task:
        await queries.copy(db, "space", _SPACE, steps.track(city.bays, task_id=task))
    with steps.step("writing bays"):
        await _load_spaces(db, len(city.bays), totals)
    if city.tariffs.tariffs:
        with steps.step("writing tariffs"):
            totals.counts["tariffs"] = await load_tariffs(db, city.tariffs, at)
    await _finish(db, list(city.lots.entries), taken_over, handed, at)
    return totals


async def load_lots(
    db: Transaction,
    lots: Sequence[LotRow],
    operators: Sequence[OperatorRow],
    gateways: Sequence[GatewayRow],
    *,
    columns: Collection[str] = (),
    at: datetime,
) -> Totals:
    """Add or update lots alone.

    The lots that report bays get the bays that they lack, at their own point; bays beyond a lot's
    capacity are deleted.

    Args:
        db: As `prepare` leaves it.
        lots: The lots, without faults.
        operators: Operators to add.
        gateways: Gateways to add.
        columns: The fields that the lots' file has a column for.
        at: The time whose zones count.

    Returns:
        What was done.
    """
    totals = Totals()
    await _load_parties(db, operators, gateways, totals)
    await _copy_lots(db, lots, at)
    await queries.stage_own_spaces(db)
    taken_over = await queries.lots_taken_over(db)
    handed = await _merge_lots(db, len(lots), columns, totals)
    await move_lots(db, at)
    bays = await _merge_spaces(db)
    totals.bays_deleted = bays.gone
    if bays.added:
        totals.counts["bays"] = (bays.added, bays.added, 0)
    await _finish(db, [lot.lot_id for lot in lots], taken_over, handed, at)
    return totals


async def _finish(
    db: Transaction,
    lot_ids: Sequence[str],
    taken_over: Sequence[str],
    handed: Sequence[HandedLot],
    at: datetime,
) -> None:
    """Fit the lots' states to them; at COMMIT, have all who keep lots in memory read them again.

    The audit comes last, because its lock makes all other writers wait.
    """
    await bring_into_line(db, lot_ids, taken_over)
    await queries.notify(db, " ".join(lot_ids) if len(lot_ids) <= NOTIFIED_LOTS else "")
    act = Act(db, IMPORTER, at)
    now = await queries.handed_lots(db, [lot.lot_id for lot in handed])
    for was, lot in zip(handed, now, strict=True):
        act.keep("lot.import", f"lot/{lot.lot_id}", was, lot)
    await act.record()


async def _load_parties(
    db: Transaction,
    operators: Iterable[OperatorRow],
    gateways: Iterable[GatewayRow],
    totals: Totals,
) -> None:
    await _load(db, "operator", [each.model_dump() for each in operators], totals)
    await _load(db, "gateway", [each.model_dump() for each in gateways], totals)


def _with_ground(
    register: Register[Any], polygons: Mapping[str, MultiPolygon]
) -> list[dict[str, object]]:
    return [
        entry.model_dump() | {"geom": multipolygon_ewkb(polygons[key])}
        for key, entry in register.entries.items()
    ]


def _with_points(rows: Iterable[PlaceRow]) -> list[dict[str, object]]:
    return [
        row.model_dump(exclude=set(PLACE)) | {"geog": point_ewkb(row.longitude, row.latitude)}
        for row in rows
    ]


async def _copy_lots(db: Transaction, lots: Iterable[LotRow], at: datetime) -> None:
    rows = _with_points(lots)
    for row in rows:
        row["retired_at"] = at if row.pop("retired") else None
    await _copy(db, "lot", rows)
    await queries.derive_districts(db)


async def _merge_lots(
    db: Transaction, given: int, columns: Collection[str], totals: Totals
) -> list[HandedLot]:
    """Merge the staged lots; where the file says nothing of a closure, there it stays.

    Returns:
        Lots whose operator, gateway, closure or retirement this changes, as they were.
    """
    has_closures = any(name in columns for name in CLOSURE)
    has_retired = "retired" in columns
    before = await queries.lock_handed_lots(db, has_closures=has_closures, has_retired=has_retired)
    written = await queries.merge_lots(db, has_closures=has_closures, has_retired=has_retired)
    _count(totals, "lot", given, written)
    return before


async def _load_spaces(db: Transaction, given: int, totals: Totals) -> None:
    """Bring the bays of a city to what is staged.

    Into an empty table, its reference to lots and its GiST index are made after the rows: 470,940
    bays took 4 s so, and 10 s row by row, 4 of which went into looking up each bay's lot.
    """
    suspended = await queries.suspend_space_checks(db)
    bays = await _merge_spaces(db)
    if suspended:
        await queries.resume_space_checks(db)
    totals.bays_deleted = bays.gone
    totals.counts["bays"] = (given, bays.added, bays.changed)
    if bays.added:
        await queries.analyze_registration(db)


async def _merge_spaces(db: Transaction) -> MergedSpaces:
    await queries.analyze_staged(db)
    return await queries.merge_spaces(db)


async def _check_zones(db: Transaction, city: City) -> None:
    """Compare the zones that were written with all others: those of one time share no ground."""
    faults = Faults()
    try:
        await check_overlaps(db, list(city.zones.entries))
    except ZonesOverlapError as error:
        for fault in error.faults:
            faults.add(city.zones.file, None, None, fault.message)
    faults.raise_if_any()


async def _check_gateways(db: Transaction, city: City) -> None:
    """Refuse a city that gives away the gateway of a lot which is in the database only."""
    faults = Faults()
    for lot in await queries.foreign_gateways(db):
        key = lot.gateway_id
        message = (
            f"gateway {key} would go to {lot.gateway_operator_id}, but lot {lot.lot_id}, "
            f"which is in the database only, is of {lot.operator_id}"
        )
        faults.add(city.gateways.file, city.gateways.rows.get(key), "operator_id", message)
    faults.raise_if_any()


async def _load(
    db: Transaction, table: Staged, rows: Sequence[dict[str, object]], totals: Totals
) -> None:
    await _copy(db, table, rows)
    await _merge(db, table, len(rows), totals)


async def _copy(db: Transaction, table: Staged, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        await queries.copy(db, table, tuple(rows[0]), (tuple(row.values()) for row in rows))


async def _merge(db: Transaction, table: Staged, given: int, totals: Totals) -> None:
    _count(totals, table, given, await _MERGES[table](db))


def _count(totals: Totals, table: Staged, given: int, written: Sequence[bool]) -> None:
    if given:
        totals.counts[f"{table}s"] = (given, written.count(True), written.count(False))


async def bring_into_line(
    db: Transaction, lot_ids: Sequence[str], taken_over: Sequence[str] = ()
) -> None:
    """Fit the states of lots to what the lots are registered with now.

    Only the states that do not fit are locked, and at the end of the import: the ingester waits
    for no others, and decides again what it has decided on those.

    Args:
        db: The import's, with lots and bays written.
        lot_ids: The lots that were imported.
        taken_over: Those among them whose numbering begins anew.
    """
    lots = await lot_state_store.load_lots(db, lot_ids)
    off = sorted({*taken_over, *misfits(lots, await lot_state_store.load_states(db, lot_ids))})
    if off:
        await lot_state_store.lock_states(db, off)
        states = await lot_state_store.load_states(db, off)
        fits = misfits(lots, states)
        for lot_id in states.keys() & set(taken_over):
            fits[lot_id] = numbered_anew(fits.get(lot_id, states[lot_id].state))
        await lot_state_store.write_states(db, fits, states)
