"""Lots alone, from CSV or GeoJSON.

The columns, or the properties of Point features, are those of lots.csv. Only four things must be
there: `lot_id`, a name, the coordinates (in GeoJSON the geometry's) and `capacity`. Real files' own
names are taken too: `lot` for lot_id, `lat` or `latitude`, `lon`, `lng` or `longitude`, and `name`
for both languages where name_zh and name_en are missing. Other columns are passed over. A value
that is missing may be empty, `None`, `null` or `NA`.

What a row leaves open comes from the command's options, else from the lot as it is stored (if the
file has no such column), else from the defaults: a surface lot that counts, in Asia/Shanghai, with
a report every 900 s. The district is the one that covers the place, unless it is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import shapely
from msgspec.structs import asdict

from parking_api.geometry import GeometryError, read_point
from parking_api.importing import queries
from parking_api.importing.city import Known, check_lots
from parking_api.importing.coordinates import Crs, to_wgs84
from parking_api.importing.faults import Faults
from parking_api.importing.reading import Register, read_features, read_register, read_table
from parking_api.importing.rows import GatewayRow, LotRow, OperatorRow
from sql.engine import Db

ALIASES: Final = {
    "lot": "lot_id",
    "lat": "latitude",
    "lon": "longitude",
    "lng": "longitude",
}
DEFAULTS: Final = {
    "lot_type": "surface",
    "reporting": "count",
    "report_interval_s": "900",
    "timezone": "Asia/Shanghai",
}
_MISSING: Final = ("", "none", "null", "na")
_FIELDS: Final = (*LotRow.model_fields, "name")
_REQUIRED: Final = ("lot_id", "longitude", "latitude", "capacity")
_NAMES: Final = ("name_zh", "name_en")
PARTY_OPTIONS: Final = {"operator_id": "--operator", "gateway_id": "--gateway"}


@dataclass(frozen=True)
class LotOptions:
    """What the command line says about the lots of a file.

    Attributes:
        given: Value by field for what a row leaves open: operator_id, gateway_id, lot_type,
            reporting, report_interval_s, timezone; only those that were given.
        id_prefix: Put before every lot_id of the file.
        crs: What the file's coordinates are in.
        skip_bad: Import the right rows though others are wrong.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    id_prefix: str = ""
    crs: Crs = "wgs84"
    skip_bad: bool = False


@dataclass(frozen=True)
class LotsFile:
    """A file of lots as text.

    Attributes:
        file: Its name.
        columns: What it calls each field that it has.
        ignored: Columns that say nothing about a lot here.
        records: Row (or feature) number and filled cells by field.
    """

    file: str
    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    records: Sequence[tuple[int, dict[str, str]]] = ()

    def lot_ids(self, prefix: str) -> list[str]:
        """Return the ids of all rows, right or wrong."""
        return [prefix + cells["lot_id"] for _, cells in self.records if "lot_id" in cells]


def read_lots_file(path: Path, faults: Faults) -> LotsFile:
    """Read a file's cells.

    Args:
        path: CSV by the suffix `.csv`, GeoJSON by any other.
        faults: Where the reasons go if it cannot be read.

    Returns:
        The file, its values not yet judged.
    """
    raw = _csv_records(path, faults) if path.suffix.lower() == ".csv" else _features(path, faults)
    found = list(dict.fromkeys(name for _, cells in raw for name in cells))
    columns = _match(path.name, found, faults) if raw else {}
    if not raw and path.name not in faults.unread | faults.gaps:
        faults.give_up(path.name, None, None, "holds no lots")
    labels = {label: name for name, label in columns.items()}
    records = [
        (row, {labels[label]: text.strip() for label, text in cells.items() if label in labels})
        for row, cells in raw
    ]
    filled = [
        (row, {k: v for k, v in c.items() if v.lower() not in _MISSING}) for row, c in records
    ]
    return LotsFile(path.name, columns, [name for name in found if name not in labels], filled)


def _csv_records(path: Path, faults: Faults) -> list[tuple[int, dict[str, str]]]:
    table = read_table(path, (), faults)
    return list(table.cells()) if table else []


def _features(path: Path, faults: Faults) -> list[tuple[int, dict[str, str]]]:
    records = []
    for feature in read_features(path, faults):
        try:
            longitude, latitude = read_point(feature.geometry)
        except GeometryError as error:
            faults.add(path.name, feature.number, "geometry", str(error))
        else:
            place = {"longitude": longitude, "latitude": latitude}
            kept = {k: v for k, v in feature.cells.items() if ALIASES.get(k, k) not in place}
            records.append((feature.number, kept | place))
    return records


def _match(file: str, found: Iterable[str], faults: Faults) -> dict[str, str]:
    """What the file calls each field; a fault for what is missing or there twice."""
    columns: dict[str, str] = {}
    row = 1 if file.lower().endswith(".csv") else None
    for label in found:
        name = ALIASES.get(label, label)
        if name not in _FIELDS:
            continue
        if name in columns:
            faults.give_up(file, row, label, f"means the same as {columns[name]}: keep one")
        columns.setdefault(name, label)
    for name in _REQUIRED:
        if name not in columns:
            other = [alias for alias, meant in ALIASES.items() if meant == name]
            message = f"this column is missing{_or(other)}"
            faults.give_up(file, row, name, message)
    if not columns.keys() & {"name", *_NAMES}:
        faults.give_up(file, row, "name", "this column is missing (or name_zh and name_en)")
    return columns


def _or(aliases: Sequence[str]) -> str:
    return f" (or {' or '.join(aliases)})" if aliases else ""


def read_lots(
    source: LotsFile,
    options: LotOptions,
    stored: Mapping[str, Mapping[str, str | None]],
    faults: Faults,
) -> Register[LotRow]:
    """Make lots of a file's rows.

    Args:
        source: The file.
        options: What the command line says.
        stored: The lots that exist, by id, values as text.
        faults: Where faults go.

    Returns:
        The lots, their coordinates converted to WGS 84.
    """
    if not _has_parties(source, options, stored, faults):
        return Register(source.file, complete=False)
    records = (
        (row, complete(cells, source.columns, options, stored)) for row, cells in source.records
    )
    labels = {**PARTY_OPTIONS, **dict.fromkeys(_NAMES, "name"), **source.columns}
    lots = read_register(LotRow, source.file, records, faults, labels)
    for key, lot in lots.entries.items():
        longitude, latitude = to_wgs84(lot.longitude, lot.latitude, options.crs)
        lots.entries[key] = lot.model_copy(update={"longitude": longitude, "latitude": latitude})
    return lots


def _has_parties(
    source: LotsFile,
    options: LotOptions,
    stored: Mapping[str, Mapping[str, str | None]],
    faults: Faults,
) -> bool:
    """Tell whether new lots can have an operator and a gateway; one fault for all, if not."""
    if all(key in stored for key in source.lot_ids(options.id_prefix)):
        return True
    open_fields = PARTY_OPTIONS.keys() - source.columns.keys() - options.given.keys()
    for name in sorted(open_fields, reverse=True):
        message = f"this column is missing, and {PARTY_OPTIONS[name]} is not given"
        faults.give_up(source.file, None, name, message)
    return not open_fields


def complete(
    cells: Mapping[str, str],
    columns: Mapping[str, str],
    options: LotOptions,
    stored: Mapping[str, Mapping[str, str | None]],
) -> dict[str, str]:
    """Fill what a row leaves open.

    Args:
        cells: The row's filled cells by field.
        columns: The fields that the file has a column for.
        options: What the command line says.
        stored: The lots that exist, by id, values as text.

    Returns:
        The cells of a whole lot; a field that nothing is known of stays out.
    """
    key = options.id_prefix + cells["lot_id"] if "lot_id" in cells else ""
    kept = {
        name: value
        for name, value in stored.get(key, {}).items()
        if value is not None and name not in columns
    }
    row = DEFAULTS | kept | dict(options.given) | _named(cells, kept)
    return row | ({"lot_id": key} if key else {})


def _named(cells: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """The cells, with a name in each language: its own, `name`, the stored, the other's."""
    row = dict(cells)
    for own, other in (_NAMES, _NAMES[::-1]):
        for name in (cells.get("name"), kept.get(own), cells.get(other)):
            if own not in row and name is not None:
                row[own] = name
    return row


@dataclass(frozen=True)
class Parties:
    """Operators and gateways to add, and whose each gateway, old or new, is."""

    operators: list[OperatorRow]
    gateways: list[GatewayRow]
    operator_ids: frozenset[str]
    gateway_operators: Mapping[str, str]


async def find_parties(db: Db, options: LotOptions) -> Parties:
    """Find the operators and gateways; those that only the command line names are to be added."""
    operator_ids = set(await queries.operator_ids(db))
    owners = {each.gateway_id: each.operator_id for each in await queries.gateways(db)}
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
    return Parties(operators, gateways, frozenset(operator_ids), owners)


async def checked_lots(
    db: Db, source: LotsFile, options: LotOptions, parties: Parties, faults: Faults
) -> list[LotRow]:
    """The lots of a file that are right, by themselves and against the database."""
    ids = source.lot_ids(options.id_prefix)
    stored = {lot.lot_id: asdict(lot) for lot in await queries.stored_lots(db, ids)}
    lots = read_lots(source, options, stored, faults)
    known = await _known(db, parties)
    check_lots(lots, known, faults, {**PARTY_OPTIONS, **source.columns})
    return [
        lot
        for key, lot in lots.entries.items()
        if (source.file, lots.rows[key]) not in faults.bad_rows
    ]


async def _known(db: Db, parties: Parties) -> Known:
    districts = {each.adcode: shapely.from_wkb(each.wkb) for each in await queries.districts(db)}
    for polygon in districts.values():
        shapely.prepare(polygon)
    return Known(
        has_operator=parties.operator_ids.__contains__,
        has_gateway=parties.gateway_operators.__contains__,
        has_district=districts.__contains__,
        gateway_operators=parties.gateway_operators,
        districts=districts,
        timezones=frozenset(await queries.timezones(db)),
    )


def notes(source: LotsFile, parties: Parties) -> tuple[str, ...]:
    """Say what else a user should know."""
    added = [f"added operator {entry.operator_id}" for entry in parties.operators]
    added += [f"added gateway {e.gateway_id} of {e.operator_id}" for e in parties.gateways]
    if source.ignored:
        added.append(f"passed over the columns {', '.join(source.ignored)}")
    if parties.gateways:
        added.append("new gateways may log in after: python -m parking_api credentials --reload")
    return tuple(added)
