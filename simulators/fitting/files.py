"""Tables to fit: which files there are, their shapes, their faults and what is left out of them."""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

# Columns by which a table is known; a table that has some of a shape but not all lacks the others.
SHAPES: dict[str, tuple[str, ...]] = {
    "stays": ("Lockdown Time", "Lockup Time"),
    "occupancy": ("ts_snapshot", "lot", "capacity", "free"),
    "lots": ("lot", "name", "latitude", "longitude", "capacity"),
    "description": ("file", "land_use", "spaces", "source", "licence", "url"),
}
DESCRIPTION = "fit.csv"
# A slip of the finger shall not ask for quarters of an hour of a thousand years.
_YEARS = range(1990, 2100)
_MOST_DIGITS = 6
# Of one table, unpacked: some years of a city's car parks have a tenth of it.
MOST_BYTES = 200_000_000
_TIME = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)


class Fault(NamedTuple):
    """What is wrong with a file; row 1 is the header, row 0 the file as a whole."""

    file: str
    row: int
    column: str
    text: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}{row}{column}: {self.text}"


class Dropped(NamedTuple):
    """What was left out since it is not a fact: `number` of `whole` things of a kind."""

    file: str
    reason: str
    number: int
    whole: int
    kind: str


class FaultyDataError(Exception):
    """Files that cannot be read as they are; every fault is named."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class Table(NamedTuple):
    """A file read whole: its name under the folder, its shape, and rows by column."""

    file: str
    shape: str
    rows: list[tuple[int, dict[str, str]]]


def read_tables(directory: Path, faults: list[Fault]) -> list[Table]:
    """Return every table (.csv, .csv.gz) under a folder, in order of names.

    Args:
        directory: the folder.
        faults: those of the files are added to it.

    Raises:
        OSError: the folder cannot be read.
    """
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory} is no folder")
    # A folder of that name or a link that leads nowhere cannot be read, which is said.
    files = sorted(
        path for path in directory.rglob("*") if path.name.lower().endswith((".csv", ".csv.gz"))
    )
    tables = [read_table(path, str(path.relative_to(directory)), faults) for path in files]
    return [table for table in tables if table]


def read_text(content: bytes) -> str:
    """Return a file's text: UTF-8, with or without its mark, or GB 18030; gzip is unpacked.

    Raises:
        ValueError: it is neither, or has more than MOST_BYTES.
    """
    if content[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(MOST_BYTES + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"gzip that cannot be unpacked: {error}") from error
    if len(content) > MOST_BYTES:
        raise ValueError(f"has more than {MOST_BYTES} bytes")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("neither UTF-8 nor GB 18030")


def read_table(path: Path, file: str, faults: list[Fault]) -> Table | None:
    """Return one table under a name; None if it cannot be read. Faults are added."""
    if path.exists() and not path.is_file():
        faults.append(Fault(file, 0, "", "is no file"))
        return None
    try:
        with path.open("rb") as opened:
            text = read_text(opened.read(MOST_BYTES + 1))
    except (OSError, ValueError) as error:
        faults.append(Fault(file, 0, "", str(error)))
        return None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    shape = None
    number = 0
    try:
        header = [name.strip() for name in next(reader, [])]
        shape = _shape(file, header, faults)
        if shape is None:
            return None
        for number, row in _numbered(reader):
            if len(row) == len(header):
                rows.append((number, dict(zip(header, row, strict=True))))
            else:
                text = f"{len(row)} fields where the header has {len(header)}"
                faults.append(Fault(file, number, "", text))
    except csv.Error as error:
        faults.append(Fault(file, number + 1, "", str(error)))
    return Table(file, shape, rows) if shape else None


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Number the rows as a spreadsheet does, the header being row 1; empty lines are skipped."""
    for number, row in enumerate(reader, 2):
        if row:
            yield number, row


def _shape(file: str, header: list[str], faults: list[Fault]) -> str | None:
    """Return the shape of a header, or None with its faults."""
    if not any(header):
        faults.append(Fault(file, 1, "", "no header"))
        return None
    missing = {
        shape: [name for name in names if name not in header] for shape, names in SHAPES.items()
    }
    best = min(SHAPES, key=lambda shape: len(missing[shape]) / len(SHAPES[shape]))
    if len(missing[best]) == len(SHAPES[best]):
        text = "columns of no shape that is known: neither stays nor occupancy nor lots"
        faults.append(Fault(file, 1, "", text))
        return None
    faults += [Fault(file, 1, name, "is missing") for name in missing[best]]
    twice = [name for name, times in Counter(header).items() if times > 1]
    faults += [Fault(file, 1, name, "stands there again") for name in twice]
    return None if missing[best] or twice else best


def read_time(text: str) -> float:
    """Return a local time as seconds since 1970 of its wall clock; its zone is not known.

    Raises:
        ValueError: it is no time.
    """
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no time such as 2018/6/29 14:37")
    try:
        moment = datetime(*(int(part or 0) for part in found.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: {error}") from error
    if moment.year not in _YEARS:
        raise ValueError(f"{text!r} is not of the years {_YEARS.start} to {_YEARS.stop - 1}")
    return moment.timestamp()


def read_count(text: str) -> int | None:
    """Return a count; None where nothing is known (empty, None, -1).

    Raises:
        ValueError: it is no whole number, or below -1.
    """
    text = text.strip()
    if text in ("", "None", "-1"):
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ValueError(f"{text[:40]!r} is no count of at most {_MOST_DIGITS} digits")
    return int(text)
