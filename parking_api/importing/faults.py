"""What is wrong with the files: each fault with its file, row, column and reason."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

# A file of half a million wrong rows must not fill the memory with reasons.
KEPT: Final = 10_000
SHOWN: Final = 100
_VALUE_SHOWN: Final = 40
_FEATURES: Final = (".json", ".geojson")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        file: The file's name without its directory.
        row: Row of a CSV file as a spreadsheet counts (1 is the header), or number of a GeoJSON
            feature from 1; None where the file as a whole is meant.
        column: Column or property as the file calls it; None where the whole row is meant.
        message: What is wrong, with the value.
    """

    file: str
    row: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        """Return the line that a user reads."""
        word = "feature" if self.file.lower().endswith(_FEATURES) else "row"
        row = None if self.row is None else f"{word} {self.row}"
        place = ", ".join(part for part in (self.file, row, self.column) if part is not None)
        return f"{place}: {self.message}"


class ImportFaultsError(Exception):
    """The files have faults; nothing was changed."""

    def __init__(self, faults: "Faults") -> None:
        super().__init__(f"{faults.total} faults")
        self.faults = faults


@dataclass
class Faults:
    """Faults as they are found.

    Attributes:
        total: How many there are, kept or not.
        kept: The first `KEPT` of them.
        unread: Files that could not be read to their end: references to them cannot be judged.
        gaps: Files with a row of which not even the id is known, so neither.
        bad_rows: Rows with a fault, as (file, row).
        notes: How files were read, where that was not as they should be.
    """

    total: int = 0
    kept: list[Fault] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    gaps: set[str] = field(default_factory=set)
    bad_rows: set[tuple[str, int]] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def note(self, file: str, message: str) -> None:
        """Note what is no fault and worth knowing."""
        self.notes.append(f"{file}: {message}")

    def add(self, file: str, row: int | None, column: str | None, message: str) -> None:
        """Note a fault."""
        self.total += 1
        if row is not None:
            self.bad_rows.add((file, row))
        if len(self.kept) < KEPT:
            self.kept.append(Fault(file, row, column, message))

    def give_up(self, file: str, row: int | None, column: str | None, message: str) -> None:
        """Note a fault that ends the reading of its file."""
        self.unread.add(file)
        self.add(file, row, column, message)

    def raise_if_any(self) -> None:
        """Stop here if anything is wrong.

        Raises:
            ImportFaultsError: There is at least one fault.
        """
        if self.total:
            raise ImportFaultsError(self)

    def counted(self) -> str:
        """Return how many there are, and in how many rows."""
        noun = "fault" if self.total == 1 else "faults"
        rows = len(self.bad_rows)
        in_rows = f" in {rows:,} {'row' if rows == 1 else 'rows'}" if rows else ""
        return f"{self.total:,} {noun}{in_rows}"

    def lines(self, limit: int = SHOWN) -> list[str]:
        """Return the faults as lines, in the order of files and rows, at most `limit` of them."""
        files = list(dict.fromkeys(fault.file for fault in self.kept))
        ordered = sorted(self.kept, key=lambda fault: (files.index(fault.file), fault.row or 0))
        shown = [str(fault) for fault in ordered[:limit]]
        if self.total > len(shown):
            shown.append(f"... and {self.total - len(shown):,} more faults")
        return shown


def shown(value: object) -> str:
    """Return a value as a fault shows it: quoted, control characters escaped, cut when long."""
    text = repr(value if isinstance(value, str) else str(value))
    return text if len(text) <= _VALUE_SHOWN else f"{text[:_VALUE_SHOWN]}...'"


def ranges(numbers: Iterable[int]) -> str:
    """Return rising numbers as `1, 4-7`, the first ten stretches of them."""
    stretches: list[list[int]] = []
    for number in numbers:
        if stretches and stretches[-1][1] == number - 1:
            stretches[-1][1] = number
        else:
            stretches.append([number, number])
    named = [f"{a}" if a == b else f"{a}-{b}" for a, b in stretches[:10]]
    return ", ".join(named + ["..."] * (len(stretches) > len(named)))
