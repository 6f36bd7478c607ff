"""An import as a whole: one connection, one transaction, all or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import shapely

from parking_api.command_line import Connection
from parking_api.importing.checks import Known, check_lots
from parking_api.importing.city import read_city
from parking_api.importing.faults import Faults
from parking_api.importing.loading import Totals, load_city, load_lots, prepare
from parking_api.importing.lots_file import (
    PARTY_OPTIONS,
    LotOptions,
    LotsFile,
    read_lots,
    read_lots_file,
)
from parking_api.importing.progress import Steps
from parking_api.importing.rows import GatewayRow, LotRow, OperatorRow
from parking_api.quotes import coverage
from sql.named import named


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
    timezones = await _timezones(connection)
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
        parties = await _parties(connection, options)
        lots = await _checked_lots(connection, source, options, parties, faults)
        if not (lots and options.skip_bad):
            faults.raise_if_any()
        before = await coverage.read(connection)
        totals = await load_lots(connection, lots, parties.operators, parties.gateways, at=at)
        totals.unpriced = coverage.newly_unpriced(before, await coverage.read(connection), at)
    return LotsImport(totals, faults, len(source.records), _notes(source, parties))


@dataclass(frozen=True)
class _Parties:
    """Operators and gateways to add, and whose each gateway, old or new, is."""

    operators: list[OperatorRow]
    gateways: list[GatewayRow]
    operator_ids: frozenset[str]
    gateway_operators: Mapping[str, str]


async def _parties(connection: Connection, options: LotOptions) -> _Parties:
    """Find the operators and gateways; those that only the command line names are to be added."""
    operator_ids = {row[0] for row in await connection.fetch(named("import_operator_ids"))}
    owners = {row[0]: row[1] for row in await connection.fetch(named("import_gateway_operators"))}
    operators, gateways = [], []
    owner, gateway = options.given.get("operator_id"), options.given.get("gateway_id")
    if owner and owner not in operator_ids:
        operators.append(OperatorRow(operator_id=owner, name_zh=owner, name_en=owner))
        operator_ids.add(owner)
    if gateway and gateway not in owners:
        if owner is None:
            faults = Faults()
            faults.add("--gateway", None, None, f"{gateway} is not there: give --operator too")
            faults.raise_if_any()
        else:
            gateways.append(GatewayRow(gateway_id=gateway, operator_id=owner))
            owners[gateway] = owner
    return _Parties(operators, gateways, frozenset(operator_ids), owners)


async def _checked_lots(
    connection: Connection,
    source: LotsFile,
    options: LotOptions,
    parties: _Parties,
    faults: Faults,
) -> list[LotRow]:
    """The lots of a file that are right, by themselves and against the database."""
    ids = source.lot_ids(options.id_prefix)
    stored = {
        row["lot_id"]: dict(row) for row in await connection.fetch(named("import_stored_lots"), ids)
    }
    lots = read_lots(source, options, stored, faults)
    known = await _known(connection, parties)
    check_lots(lots, known, faults, {**PARTY_OPTIONS, **source.columns})
    return [
        lot
        for key, lot in lots.entries.items()
        if (source.file, lots.rows[key]) not in faults.bad_rows
    ]


async def _known(connection: Connection, parties: _Parties) -> Known:
    districts = {
        row["adcode"]: shapely.from_wkb(row["wkb"])
        for row in await connection.fetch(named("import_district_polygons"))
    }
    for polygon in districts.values():
        shapely.prepare(polygon)
    return Known(
        has_operator=parties.operator_ids.__contains__,
        has_gateway=parties.gateway_operators.__contains__,
        has_district=districts.__contains__,
        gateway_operators=parties.gateway_operators,
        districts=districts,
        timezones=await _timezones(connection),
    )


async def _timezones(connection: Connection) -> frozenset[str]:
    return frozenset(row[0] for row in await connection.fetch(named("import_timezones")))


def _notes(source: LotsFile, parties: _Parties) -> tuple[str, ...]:
    notes = [f"added operator {entry.operator_id}" for entry in parties.operators]
    notes += [f"added gateway {e.gateway_id} of {e.operator_id}" for e in parties.gateways]
    if source.ignored:
        notes.append(f"passed over the columns {', '.join(source.ignored)}")
    if parties.gateways:
        notes.append("new gateways may log in after: python -m parking_api credentials --reload")
    return tuple(notes)
