"""Rows by their id, each id once, with the ids of faulty rows remembered too."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from parking_api.importing.faults import Faults, shown
from parking_api.importing.rows import Model, read_row

Entry = TypeVar("Entry")


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
