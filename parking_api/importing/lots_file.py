"""Lots alone, from CSV or GeoJSON.

The columns, or the properties of Point features, are those of lots.csv. Only four things must be
there: `lot_id` (in GeoJSON a feature's own `id` serves), a name, the coordinates (in GeoJSON the
geometry's) and `capacity`. `name` is for both languages where name_zh and name_en are missing.
Other names of columns are in docs/operators.md; other columns are passed over. A value that is
missing may be empty, `None`, `null`, `NA`, `N/A`, `-` or `无`. A latitude that may be a longitude
is refused; a lot in no district, or more than 50 km from every other, is warned of.

What a row leaves open comes from the command's options, else from the lot as it is stored (if the
file has no such column), else from the defaults: a surface lot that counts, in Asia/Shanghai, with
a report every 900 s. The district is the one that covers the place, unless it is named.

`closed_from`, `closed_until` (left out for without end) and `closed_reason` close a lot for a time;
a time without an offset is on the lot's clock. `retired` true takes a lot out of all answers but
its history. What a lot is stays so where a file has no such column, in a city's directory too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import shapely

from parking_api.coordinates import Crs, to_wgs84
from parking_api.geometry import GeometryError, read_point
from parking_api.importing import queries
from parking_api.importing.faults import Faults
from parking_api.importing.features import read_features
from parking_api.importing.reading import Register, read_register
from parking_api.importing.references import Known, check_lots
from parking_api.importing.rows import PLACE, GatewayRow, LotRow, OperatorRow
from parking_api.importing.synonyms import field_of, plain_cell, require_columns
from parking_api.importing.tables import TABLE_SUFFIXES, read_table
from parking_api.importing.texts import Encoding
from sql.engine import Db

DEFAULTS: Final = {
    "lot_type": "surface",
    "reporting": "count",
    "report_interval_s": "900",
    "timezone": "Asia/Shanghai",
}
_MISSING: Final = ("", "none", "null", "na", "n/a", "#n/a", "-", "无")
_FIELDS: Final = (*LotRow.model_fields, "name")
_REQUIRED: Final = ("lot_id", "longitude", "latitude", "capacity")
_NAMES: Final = ("name_zh", "name_en")
# Where a feature has its place.
POINT: Final = "geometry"
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
        encoding: What the file is in if it is not UTF-8.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    id_prefix: str = ""
    crs: Crs = "wgs84"
    skip_bad: bool = False
    encoding: Encoding = "utf-8"


@dataclass(frozen=True)
class LotsFile:
    """A file of lots as text.

    Attributes:
        file: Its name.
        columns: What it calls each field that it has.
        ignored: Columns that say nothing about a lot here.
        records: Row (or feature) number and filled cells by field.
        spoilt: Row (or feature) number and id of those that could not be read.
        total: How many rows (or features) it has, also such as could not be read.
    """

    file: str
    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    records: Sequence[tuple[int, dict[str, str]]] = ()
    spoilt: Sequence[tuple[int, str]] = ()
    total: int = 0

    def lot_ids(self, prefix: str) -> list[str]:
        """Return the ids of all rows, right or wrong."""
        return [
            prefix + plain_cell("lot_id", cells["lot_id"])
            for _, cells in self.records
            if "lot_id" in cells
        ]


def read_lots_file(path: Path, faults: Faults, encoding: Encoding = "utf-8") -> LotsFile:
    """Read a file's cells.

    Args:
        path: A table by its suffix, or else GeoJSON.
        faults: Where the reasons go if it cannot be read.
        encoding: What it is in if it is not UTF-8.

    Returns:
        The file, its values not yet judged.
    """
    is_table = path.suffix.lower() in TABLE_SUFFIXES
    source = (_from_table if is_table else _from_features)(path, faults, encoding)
    if not source.records and path.name not in faults.unread | faults.gaps:
        faults.give_up(path.name, None, None, "holds no lots")
    filled = [
        (row, {name: text.strip() for name, text in cells.items() if not _is_missing(text)})
        for row, cells in source.records
    ]
    return replace(source, records=filled)


def _is_missing(text: str) -> bool:
    return text.strip().lower() in _MISSING


def _from_table(path: Path, faults: Faults, encoding: Encoding) -> LotsFile:
    table = read_table(path, _FIELDS, _REQUIRED, faults, encoding)
    if table.labels:
        _require_name(path.name, table.header_row, table.labels, faults)
    records = list(table.cells())
    place = table.places.get("lot_id", 0)
    spoilt = [(row, cells[place]) for row, cells in table.spoilt if place < len(cells)]
    return LotsFile(path.name, table.labels, table.ignored, records, spoilt, table.total)


def _from_features(path: Path, faults: Faults, encoding: Encoding) -> LotsFile:
    """Read features as rows: their points are their places, whatever their properties say."""
    fields = [name for name in _FIELDS if name not in PLACE]
    features = read_features(path, fields, "lot_id", faults, encoding)
    records, spoilt = [], list(features.spoilt)
    for feature in features.rows:
        try:
            place = zip(PLACE, read_point(feature.geometry), strict=True)
        except GeometryError as error:
            faults.add(path.name, feature.number, POINT, str(error))
            spoilt.append((feature.number, feature.cells.get("lot_id", "")))
        else:
            records.append((feature.number, {**feature.cells, **dict(place)}))
    columns = {**features.labels, **dict.fromkeys(PLACE, POINT)}
    ignored = [label for label in features.ignored if field_of(label, PLACE) is None]
    if features.rows:
        there = (*features.labels.values(), *features.ignored)
        require_columns(path.name, None, columns, _REQUIRED, found=there, faults=faults)
        _require_name(path.name, None, columns, faults)
    return LotsFile(path.name, columns, ignored, records, spoilt, features.total)


def _require_name(file: str, row: int | None, columns: Mapping[str, str], faults: Faults) -> None:
    if not columns.keys() & {"name", *_NAMES}:
        faults.give_up(file, row, "name", "this column is missing (or name_zh and name_en)")


def read_lots(
    source: LotsFile,
    options: LotOptions,
    stored: Mapping[str, Mapping[str, str]],
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
    spoilt = [(row, options.id_prefix + key) for row, key in source.spoilt if key.strip()]
    lots = read_register(LotRow, source.file, records, faults, labels, spoilt=spoilt)
    for key, lot in lots.entries.items():
        longitude, latitude = to_wgs84(lot.longitude, lot.latitude, options.crs)
        lots.entries[key] = lot.model_copy(update={"longitude": longitude, "latitude": latitude})
    return lots


def _has_parties(
    source: LotsFile,
    options: LotOptions,
    stored: Mapping[str, Mapping[str, str]],
    faults: Faults,
) -> bool:
    """Return whether new lots can have an operator and a gateway; if not, note it once for all."""
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
    stored: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """Fill what a row leaves open.

    Args:
        cells: The row's filled cells by field.
        columns: The fields that the file has a column for.
        options: What the command line says.
        stored: The lots that exist, by id, values as text.

    Returns:
        The cells of a complete lot; a field without a value stays out.
    """
    own_id = plain_cell("lot_id", cells.get("lot_id", ""))
    key = options.id_prefix + own_id if own_id else ""
    kept = {name: text for name, text in stored.get(key, {}).items() if name not in columns}
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
    """Operators and gateways to add, and what lots may refer to when they are there."""

    operators: list[OperatorRow]
    gateways: list[GatewayRow]
    known: Known

    def notes(self) -> list[str]:
        """Say which were added, and what is to be done then."""
        said = [f"added operator {one.operator_id}" for one in self.operators]
        said += [f"added gateway {one.gateway_id} of {one.operator_id}" for one in self.gateways]
        if self.gateways:
            said.append("new gateways may log in after: python -m parking_api credentials --reload")
        return said


async def find_parties(db: Db, options: LotOptions) -> Parties:
    """Find what lots may refer to; what only the command line names is to be added."""
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
    districts = {each.adcode: shapely.from_wkb(each.wkb) for each in await queries.districts(db)}
    for polygon in districts.values():
        shapely.prepare(polygon)
    known = Known(
        has_operator=operator_ids.__contains__,
        has_gateway=owners.__contains__,
        has_district=districts.__contains__,
        gateway_operators=owners,
        districts=districts,
        timezones=frozenset(await queries.timezones(db)),
    )
    return Parties(operators, gateways, known)


async def checked_lots(
    db: Db, source: LotsFile, options: LotOptions, parties: Parties, faults: Faults
) -> Register[LotRow]:
    """The lots of a file that are right, by themselves and against the database."""
    found = await queries.stored_lots(db, source.lot_ids(options.id_prefix))
    stored = {lot.lot_id: json.loads(lot.cells) for lot in found}
    lots = read_lots(source, options, stored, faults)
    check_lots(lots, parties.known, faults, {**PARTY_OPTIONS, **source.columns})
    lots.entries = {
        key: lot
        for key, lot in lots.entries.items()
        if (source.file, lots.rows[key]) not in faults.bad_rows
    }
    return lots


def notes(source: LotsFile) -> list[str]:
    """Say how a file's columns were taken."""
    said = []
    others = {name: label for name, label in source.columns.items() if label not in (name, POINT)}
    if others:
        said.append(f"read {', '.join(f'{label} as {name}' for name, label in others.items())}")
    if source.ignored:
        said.append(f"passed over the columns {', '.join(source.ignored)}")
    return said
