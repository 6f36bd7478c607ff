"""An import as a whole: one connection, one transaction, all or nothing.

Right rows are copied into staging tables, then merged by one statement a table.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from parking_api.geometry import multipolygon_ewkb, point_ewkb
from parking_api.importing import queries
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
from parking_api.importing.progress import Steps
from parking_api.importing.queries import Merged, Staged
from parking_api.importing.rows import GatewayRow, LotRow, OperatorRow
from parking_api.quotes import coverage
from parking_api.quotes.coverage import Unpriced
from parking_api.zones.queries import move_lots
from sql import lot_state_store
from sql.engine import AdvisoryLock, Db, Transaction, lock, transaction
from sql.lot_states import misfits

_OPERATOR: Final = ("operator_id", "name_zh", "name_en")
_GATEWAY: Final = ("gateway_id", "operator_id", "simulated")
_DISTRICT: Final = ("adcode", "name_zh", "name_en")
_ZONE: Final = ("zone_id", "name_zh", "name_en", "zone_class", "valid_from", "valid_to")
_SPACE: Final = ("lot_id", "number", "level", "space_class", "geog")
_LOT: Final = tuple(name for name in LotRow.model_fields if name not in ("longitude", "latitude"))
_TICK: Final = 10_000
# Ids of 64 characters then fit into the 8,000 bytes that a notification may have.
NOTIFIED_LOTS: Final = 100
_MERGES: Final[Mapping[Staged, Callable[[Transaction], Awaitable[Merged]]]] = {
    "operator": queries.merge_operators,
    "gateway": queries.merge_gateways,
    "district": queries.merge_districts,
    "zone": queries.merge_zones,
    "lot": queries.merge_lots,
}


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


async def import_city(db: Db, directory: Path, *, at: datetime, steps: Steps) -> Totals:
    """Import a city's directory.

    Args:
        db: A connection to a migrated database.
        directory: Where the six files are.
        at: The time whose zones count.
        steps: Told how far it is.

    Returns:
        What was done.

    Raises:
        ImportFaultsError: The files have faults; nothing was changed.
    """
    faults = Faults()
    city = read_city(directory, faults, steps, frozenset(await queries.timezones(db)))
    faults.raise_if_any()
    async with transaction(db) as within:
        await prepare(within)
        before = await coverage.read(within)
        totals = await load_city(within, city, at=at, steps=steps)
        totals.unpriced = coverage.newly_unpriced(before, await coverage.read(within), at)
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


async def import_lots(db: Db, path: Path, options: LotOptions, *, at: datetime) -> LotsImport:
    """Import lots alone.

    Args:
        db: A connection to a migrated database.
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
    async with transaction(db) as within:
        await prepare(within)
        parties = await find_parties(within, options)
        lots = await checked_lots(within, source, options, parties, faults)
        if not (lots and options.skip_bad):
            faults.raise_if_any()
        before = await coverage.read(within)
        totals = await load_lots(within, lots, parties.operators, parties.gateways, at=at)
        totals.unpriced = coverage.newly_unpriced(before, await coverage.read(within), at)
    return LotsImport(totals, faults, len(source.records), notes(source, parties))


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
            db, city.operators.entries.values(), city.gateways.entries.values(), totals
        )
        await _load_polygons(db, city, totals)
        await check_zones(db, list(city.zones.entries))
        await _copy_lots(db, city.lots.entries.values())
        await _merge(db, "lot", totals)
        await move_lots(db, at)
        await _check_gateways(db, city)
    with steps.step("copying bays", len(city.bays)) as advance:
        await queries.copy(db, "space", _SPACE, _ticking(city.bays, advance))
    with steps.step("writing bays"):
        await _load_spaces(db, totals)
    if city.tariffs.tariffs:
        with steps.step("writing tariffs"):
            totals.counts["tariffs"] = await load_tariffs(db, city.tariffs, at)
    await _finish(db, list(city.lots.entries))
    return totals


async def load_lots(
    db: Transaction,
    lots: Sequence[LotRow],
    operators: Sequence[OperatorRow],
    gateways: Sequence[GatewayRow],
    *,
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
        at: The time whose zones count.

    Returns:
        What was done.
    """
    totals = Totals()
    await _load_parties(db, operators, gateways, totals)
    await _copy_lots(db, lots)
    await queries.stage_own_spaces(db)
    await _merge(db, "lot", totals)
    await move_lots(db, at)
    bays = await queries.merge_spaces(db)
    totals.bays_deleted = bays.gone
    if bays.added:
        totals.counts["bays"] = (bays.added, bays.added, 0)
    await _finish(db, [lot.lot_id for lot in lots])
    return totals


async def _finish(db: Transaction, lot_ids: Sequence[str]) -> None:
    """Fit the lots' states to them, and tell at COMMIT whoever knows lots by heart."""
    await bring_into_line(db, lot_ids)
    await queries.notify(db, " ".join(lot_ids) if len(lot_ids) <= NOTIFIED_LOTS else "")


async def _load_parties(
    db: Transaction,
    operators: Iterable[OperatorRow],
    gateways: Iterable[GatewayRow],
    totals: Totals,
) -> None:
    await queries.copy(db, "operator", _OPERATOR, [_row(each, _OPERATOR) for each in operators])
    await queries.copy(db, "gateway", _GATEWAY, [_row(each, _GATEWAY) for each in gateways])
    await _merge(db, "operator", totals)
    await _merge(db, "gateway", totals)


async def _load_polygons(db: Transaction, city: City, totals: Totals) -> None:
    table: Staged
    for table, columns, register, polygons in (
        ("district", _DISTRICT, city.districts, city.district_polygons),
        ("zone", _ZONE, city.zones, city.zone_polygons),
    ):
        records = [
            (*_row(entry, columns), multipolygon_ewkb(polygons[key]))
            for key, entry in register.entries.items()
        ]
        await queries.copy(db, table, (*columns, "geom"), records)
        await _merge(db, table, totals)


async def _copy_lots(db: Transaction, lots: Iterable[LotRow]) -> None:
    records = [(*_row(lot, _LOT), point_ewkb(lot.longitude, lot.latitude)) for lot in lots]
    await queries.copy(db, "lot", (*_LOT, "geog"), records)
    await queries.derive_districts(db)


async def _load_spaces(db: Transaction, totals: Totals) -> None:
    """Bring the bays of a city to what is staged.

    Into an empty table, its reference to lots and its GiST index are made after the rows: 470,940
    bays took 4 s so, and 10 s row by row, 4 of which went into looking up each bay's lot.
    """
    suspended = await queries.suspend_space_checks(db)
    bays = await queries.merge_spaces(db)
    if suspended:
        await queries.resume_space_checks(db)
    totals.bays_deleted = bays.gone
    totals.counts["bays"] = (bays.given, bays.added, bays.changed)
    if bays.added:
        await queries.analyze_registration(db)


async def _check_gateways(db: Transaction, city: City) -> None:
    """Find the lots that the city does not name and whose gateway it gives to another operator."""
    faults = Faults()
    for lot in await queries.foreign_gateways(db):
        key = lot.gateway_id
        message = (
            f"gateway {key} would go to {lot.gateway_operator_id}, but lot {lot.lot_id}, "
            f"which is in the database only, is of {lot.operator_id}"
        )
        faults.add(city.gateways.file, city.gateways.rows.get(key), "operator_id", message)
    faults.raise_if_any()


async def _merge(db: Transaction, table: Staged, totals: Totals) -> None:
    merged = await _MERGES[table](db)
    if merged.given:
        totals.counts[f"{table}s"] = (merged.given, merged.added, merged.changed)


def _row(entry: BaseModel, columns: Sequence[str]) -> tuple[object, ...]:
    return tuple(getattr(entry, column) for column in columns)


def _ticking(bays: list[Bay], advance: Callable[[int], None]) -> Iterator[Bay]:
    for count, bay in enumerate(bays, 1):
        yield bay
        if count % _TICK == 0:
            advance(_TICK)


async def bring_into_line(db: Transaction, lot_ids: Sequence[str]) -> int:
    """Fit the states of lots to what the lots are registered with now.

    Only the states that do not fit are locked, and at the end of the import: the ingester waits
    for no others, and decides again what it has decided on those.

    Args:
        db: The import's, with lots and bays written.
        lot_ids: The lots that were imported.

    Returns:
        How many states were changed.
    """
    lots = await lot_state_store.load_lots(db, lot_ids)
    off = sorted(misfits(lots, await lot_state_store.load_states(db, lot_ids)))
    if not off:
        return 0
    await lot_state_store.lock_states(db, off)
    states = await lot_state_store.load_states(db, off)
    fits = misfits(lots, states)
    await lot_state_store.write_states(db, fits, states)
    return len(fits)
