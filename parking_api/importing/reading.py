"""Files as rows by their ids, with every way in which a file or a row can be wrong named."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from parking_api.importing.faults import Faults, shown
from parking_api.importing.rows import Row

Model = TypeVar("Model", bound=Row)
Entry = TypeVar("Entry")

_CRS_NAMES: Final = ("CRS84", "EPSG::4326", "EPSG:4326")


@dataclass(frozen=True)
class Table:
    """A CSV file whose header has been read.

    Attributes:
        file: The file's name.
        columns: The header, in lower case.
        reader: The rows below it.
        faults: Where faulty rows are noted.
    """

    file: str
    columns: tuple[str, ...]
    reader: Iterator[list[str]]
    faults: Faults

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row's number (the header is 1) and fields, as many as there are columns.

        Empty lines are passed over; a row of another length is a fault.
        """
        row, width = 1, len(self.columns)
        try:
            for row, fields in enumerate(self.reader, 2):
                if len(fields) == width:
                    yield row, fields
                elif fields:
                    message = f"has {len(fields)} fields, the header has {width}"
                    self.faults.gaps.add(self.file)
                    self.faults.add(self.file, row, None, message)
        except csv.Error as error:
            message = f"{error}; nothing after it was read"
            self.faults.give_up(self.file, row + 1, None, message)

    def cells(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each row's number and its cells by column."""
        for row, fields in self.records():
            yield row, dict(zip(self.columns, fields, strict=True))


def read_table(path: Path, required: Sequence[str], faults: Faults) -> Table | None:
    """Open a CSV file and check its header.

    Args:
        path: The file.
        required: Columns without which it cannot be read.
        faults: Where the reasons go.

    Returns:
        The table; None if it cannot be read.
    """
    text = _text(path, faults)
    if text is None:
        return None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
    except csv.Error as error:
        faults.give_up(path.name, 1, None, str(error))
        return None
    if _header_is_right(path.name, header, required, faults):
        return Table(path.name, tuple(header), reader, faults)
    return None


def _header_is_right(file: str, header: list[str], required: Sequence[str], faults: Faults) -> bool:
    for column in required:
        if column not in header:
            found = ", ".join(shown(column) for column in header)
            faults.give_up(file, 1, column, f"this column is missing; there are {found}")
    for column in sorted({column for column in header if header.count(column) > 1}):
        faults.give_up(file, 1, column, "this column is there twice")
    return file not in faults.unread


def _text(path: Path, faults: Faults) -> str | None:
    """The whole file; None, with the reason noted, if it is not text in UTF-8."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        faults.give_up(path.name, None, None, "this file is missing")
        return None
    except OSError as error:
        faults.give_up(path.name, None, None, f"cannot be read: {error.strerror}")
        return None
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        faults.give_up(path.name, None, None, "this file is empty")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 (byte 0x{data[error.start]:02x} in line {line}): save it as UTF-8"
        faults.give_up(path.name, None, None, message)
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        faults.give_up(path.name, None, None, f"holds a NUL character in line {line}")
        return None
    return text


@dataclass(frozen=True)
class Feature:
    """A GeoJSON feature: its number from 1, its properties as text, its geometry as found."""

    number: int
    cells: dict[str, str]
    geometry: dict[str, Any]


def read_features(path: Path, faults: Faults) -> Iterator[Feature]:
    """Yield the features of a GeoJSON FeatureCollection; what is none is a fault.

    Property names are taken in lower case. Coordinates must be longitude, latitude in degrees: an
    old-style `crs` member that says otherwise is a fault.
    """
    document = read_json(path, faults)
    if document is None:
        return
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        faults.give_up(path.name, None, None, "is not a GeoJSON FeatureCollection")
        return
    crs = json.dumps(document.get("crs"))
    if crs != "null" and not any(name in crs for name in _CRS_NAMES):
        faults.give_up(path.name, None, "crs", f"is not longitude and latitude: {shown(crs)}")
        return
    for number, feature in enumerate(features, 1):
        if read := _feature(path.name, number, feature, faults):
            yield read


def _feature(file: str, number: int, feature: Any, faults: Faults) -> Feature | None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        faults.gaps.add(file)
        faults.add(file, number, None, "is not a GeoJSON Feature")
        return None
    properties, geometry = feature.get("properties"), feature.get("geometry")
    if not isinstance(properties, dict):
        faults.gaps.add(file)
        faults.add(file, number, "properties", "are missing")
        return None
    if not isinstance(geometry, dict):
        faults.gaps.add(file)
        faults.add(file, number, "geometry", "is missing")
        return None
    cells = {name.strip().lower(): _as_cell(value) for name, value in properties.items()}
    return Feature(number, cells, geometry)


def _as_cell(value: Any) -> str:
    """A JSON value as a CSV cell would hold it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def read_json(path: Path, faults: Faults) -> Any:
    """Read a JSON file; None, with the reason noted, if it is none."""
    text = _text(path, faults)
    if text is None:
        return None
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        faults.give_up(path.name, None, None, message)
    except (ValueError, RecursionError) as error:
        faults.give_up(path.name, None, None, f"is not JSON: {error}")
    else:
        if document is not None:
            return document
        faults.give_up(path.name, None, None, "holds nothing but null")
    return None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


@dataclass
class Register(Generic[Entry]):
    """What a file registers.

    Attributes:
        file: The file's name.
        entries: The right rows by id.
        rows: The row number of every id that is named, also in a faulty row: a reference to it is
            then no fault of its own.
        complete: False when there may be more rows than could be read.
    """

    file: str
    entries: dict[str, Entry] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    complete: bool = True

    def may_have(self, key: str) -> bool:
        """Tell whether a reference to `key` can be right, as far as the file was read."""
        return key in self.rows or not self.complete

    def claim(self, key: str, row: int, column: str, faults: Faults) -> bool:
        """Take an id for a row; False, and a fault, if an earlier row has it."""
        first = self.rows.setdefault(key, row)
        if first != row:
            faults.add(self.file, row, column, f"{shown(key)} is there already, in row {first}")
        return first == row


def read_register(
    model: type[Model],
    file: str,
    records: Iterable[tuple[int, Mapping[str, str]]],
    faults: Faults,
    columns: Mapping[str, str] | None = None,
) -> Register[Model]:
    """Read the rows of a file; the model's id is the first of its fields that ends in an id.

    Args:
        model: What each row is.
        file: The file's name.
        records: Row numbers and cells by field.
        faults: Where faults go.
        columns: What the file calls a field, where that is not its name.

    Returns:
        The register of all rows.
    """
    register: Register[Model] = Register(file)
    key_field = id_field(model)
    column = (columns or {}).get(key_field, key_field)
    for row, cells in records:
        entry = read_row(model, cells, file, row, faults=faults, columns=columns)
        key = cells.get(key_field, "").strip()
        if key and register.claim(key, row, column, faults) and entry is not None:
            register.entries[key] = entry
    register.complete = file not in faults.unread | faults.gaps
    return register


def id_field(model: type[Model]) -> str:
    """Return the field that identifies a row: `adcode`, or the first `*_id`."""
    return next(name for name in model.model_fields if name == "adcode" or name.endswith("_id"))


def read_row(
    model: type[Model],
    cells: Mapping[str, str],
    file: str,
    row: int,
    *,
    faults: Faults,
    columns: Mapping[str, str] | None = None,
) -> Model | None:
    """Make a row of its cells, or note all that is wrong with them.

    Args:
        model: What the row is to be.
        cells: Text by field; a blank cell counts as none.
        file: The file's name, for the faults.
        row: The row's number, for the faults.
        faults: Where they go.
        columns: What the file calls a field, where that is not its name.

    Returns:
        The row; None if a cell is wrong.
    """
    filled = {name: text for name, text in cells.items() if text.strip()}
    try:
        return model.model_validate(filled)
    except ValidationError as error:
        found = [
            (str(detail["loc"][0]), message(detail["type"], detail["msg"], detail["input"]))
            for detail in error.errors(include_url=False, include_context=False)
        ]
        # Two fields may be one column of the file: that is one fault.
        named = dict.fromkeys(((columns or {}).get(field, field), text) for field, text in found)
        for column, text in named:
            faults.add(file, row, column, text)
        return None


def message(kind: str, text: str, value: object) -> str:
    """Return pydantic's message in the words of a file.

    Args:
        kind: The error's type.
        text: Its message.
        value: What was given.
    """
    if kind == "missing":
        return "is missing"
    for start in ("Value error, ", "Input ", "String "):
        text = text.removeprefix(start)
    return text if value is None else f"{shown(value)} {text}"
