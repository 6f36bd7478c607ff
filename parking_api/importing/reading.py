"""Rows by their ids, with every way in which a row can be wrong named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import ValidationError

from parking_api.importing.faults import Faults, shown
from parking_api.importing.rows import Row
from parking_api.importing.synonyms import plain_cell

Model = TypeVar("Model", bound=Row)
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
        columns: The fields that the file has a column for.
    """

    file: str
    entries: dict[str, Entry] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    complete: bool = True
    columns: frozenset[str] = frozenset()

    def may_have(self, key: str) -> bool:
        """Tell whether a reference to `key` can be right, as far as the file was read."""
        return key in self.rows or not self.complete

    def claim(self, key: str, row: int, column: str, faults: Faults) -> bool:
        """Take an id for a row; False, and a fault of both rows, if an earlier row has it."""
        first = self.rows.setdefault(key, row)
        if first == row:
            return True
        self.entries.pop(key, None)
        faults.bad_rows.add((self.file, first))
        message = f"{shown(key)} is there already, in row {first}; none of them is taken"
        faults.add(self.file, row, column, message)
        return False


def read_register(
    model: type[Model],
    file: str,
    records: Iterable[tuple[int, Mapping[str, str]]],
    faults: Faults,
    columns: Mapping[str, str] | None = None,
    *,
    spoilt: Iterable[tuple[int, str]] = (),
) -> Register[Model]:
    """Read the rows of a file; the model's id is the first of its fields that ends in an id.

    Args:
        model: What each row is.
        file: The file's name.
        records: Row numbers and cells by field.
        faults: Where faults go.
        columns: What the file calls a field, where that is not its name.
        spoilt: Numbers and ids of rows that could not be read: none of their ids is taken.

    Returns:
        The register of all rows.
    """
    register: Register[Model] = Register(file, columns=frozenset(columns or ()))
    key_field = id_field(model)
    column = (columns or {}).get(key_field, key_field)
    for row, text in spoilt:
        if key := plain_cell(key_field, text):
            register.rows.setdefault(key, row)
    for row, cells in records:
        entry = read_row(model, cells, file, row, faults=faults, columns=columns)
        key = plain_cell(key_field, cells.get(key_field, ""))
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
    filled = {name: plain_cell(name, text) for name, text in cells.items() if text.strip()}
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
