"""CSV files as rows of cells, whatever a spreadsheet has put around and between them."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from parking_api.importing.faults import Faults
from parking_api.importing.synonyms import match_columns, require_columns
from parking_api.importing.texts import Encoding, read_text

TABLE_SUFFIXES: Final = (".csv", ".tsv", ".txt")
# A first line that Excel writes and reads.
_SAID: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_SEPARATORS: Final = {";": "';'", "\t": "tabs"}


@dataclass
class Table:
    """A CSV file whose header has been read.

    Attributes:
        file: The file's name.
        faults: Where faulty rows are noted.
        header_row: The header's row, as a spreadsheet counts; 0 if the file could not be read.
        header: Its cells.
        labels: What the file calls each field that it has.
        reader: The rows below it.
        total: Rows with content, right or wrong, that have been read so far.
    """

    file: str
    faults: Faults
    header_row: int = 0
    header: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    reader: Iterable[list[str]] = ()
    total: int = 0
    spoilt: list[tuple[int, list[str]]] = field(default_factory=list)

    @property
    def ignored(self) -> list[str]:
        """The columns that are no field."""
        return [label for label in self.header if label and label not in self.labels.values()]

    @property
    def places(self) -> dict[str, int]:
        """The place of each field in a row."""
        return {name: self.header.index(label) for name, label in self.labels.items()}

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row's number, as a spreadsheet counts, and its fields.

        There is a field for each header cell that has content, and there may be more. Rows without
        content are passed over. A row that is too short, or has content beyond the header, is a
        fault.
        """
        row, reach = self.header_row, len(self.header)
        width = max((place for place, label in enumerate(self.header, 1) if label), default=0)
        try:
            for row, fields in enumerate(self.reader, self.header_row + 1):
                if not (fields and fields[0].strip()) and not _has_content(fields):
                    continue
                self.total += 1
                if len(fields) >= width and not _has_content(fields[reach:]):
                    yield row, fields
                else:
                    message = f"has {len(fields)} fields, the header has {width}"
                    self.faults.gaps.add(self.file)
                    self.faults.add(self.file, row, None, message)
                    self.spoilt.append((row, fields))
        except csv.Error as error:
            message = f"{error}; nothing after it was read"
            self.faults.give_up(self.file, row + 1, None, message)

    def cells(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each row's number and its cells by field."""
        places = self.places.items()
        for row, fields in self.records():
            yield row, {name: fields[place] for name, place in places}


def _has_content(fields: Sequence[str]) -> bool:
    return any(map(str.strip, fields))


def read_table(
    path: Path,
    fields: Collection[str],
    required: Sequence[str],
    faults: Faults,
    encoding: Encoding = "utf-8",
) -> Table:
    """Open a CSV file and check its header, which is its first row with content.

    A header of one cell with `;` or a tab in it says that these separate the fields.

    Args:
        path: The file.
        fields: What its columns may be.
        required: Those without which it cannot be read.
        faults: Where the reasons go.
        encoding: What it is in if it is not UTF-8.

    Returns:
        The table; one without fields and rows if it cannot be read.
    """
    unread = Table(path.name, faults)
    text = read_text(path, faults, encoding)
    if text is None:
        return unread
    if said := _SAID.match(text):
        # The header follows; rows are counted as they stand.
        separator, text = said[1], "\n" + text[said.end() :]
    else:
        separator = _separator(text)
    if separator in _SEPARATORS:
        faults.note(path.name, f"its fields are separated by {_SEPARATORS[separator]}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    row = 0
    try:
        row, cells = _first_with_content(reader)
    except csv.Error as error:
        faults.give_up(path.name, 1, None, str(error))
        return unread
    header = [cell.strip().lower() for cell in cells]
    labels = match_columns(path.name, row, header, fields, faults)
    require_columns(path.name, row, labels, required, found=header, faults=faults)
    if path.name in faults.unread:
        return unread
    return Table(path.name, faults, row, header, labels, reader)


def _first_with_content(reader: Iterator[list[str]]) -> tuple[int, list[str]]:
    rows = ((row, cells) for row, cells in enumerate(reader, 1) if _has_content(cells))
    return next(rows, (1, []))


def _separator(text: str) -> str:
    """Return what separates the fields, by the header."""
    try:
        _, cells = _first_with_content(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return ","
    filled = [cell for cell in cells if cell.strip()]
    likely = max(_SEPARATORS, key=filled[0].count) if len(filled) == 1 else ","
    return likely if filled and likely in filled[0] else ","
