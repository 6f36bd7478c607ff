"""Half a million bays: checked in a few microseconds each, named in full when they are wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Final

from parking_api.geometry import point_ewkb
from parking_api.importing.faults import Faults, ranges, shown
from parking_api.importing.reading import Register, Table, read_row, read_table
from parking_api.importing.rows import EAST, NORTH, SMALLINT_MAX, BayRow, LotRow

COLUMNS: Final = ("lot_id", "number", "level", "space_class", "longitude", "latitude")
# The strings themselves, so that half a million rows share four.
_CLASSES: Final = {name: name for name in ("standard", "accessible", "ev", "large")}
_TICK: Final = 10_000

# As the table `space` has them: lot_id, number, level, space_class, geog (EWKB).
Bay = tuple[str, int, int, str, bytes]


@dataclass
class Bays:
    """The bays of a city, in the order of the file.

    Attributes:
        rows: Ready for COPY.
        taken: A byte for each bay of each lot, 1 where bays.csv has it.
    """

    rows: list[Bay] = field(default_factory=list)
    taken: dict[str, bytearray] = field(default_factory=dict)


def read_bays(
    path: Path, lots: Register[LotRow], faults: Faults, advance: Callable[[int], None]
) -> list[Bay]:
    """Read bays.csv and hold it against the lots.

    Args:
        path: The file.
        lots: The lots that the bays are of.
        faults: Where faults go: wrong values, unknown lots, numbers beyond the capacity or given
            twice, and lots that report bays without exactly 1..capacity.
        advance: Called with the number of rows read since it was last called.

    Returns:
        The right ones, ready for COPY.
    """
    table = read_table(path, COLUMNS, faults)
    if table is None:
        return []
    bays = Bays(taken={key: bytearray(lot.capacity) for key, lot in lots.entries.items()})
    _read_rows(table, bays, lots, advance)
    if path.name not in faults.unread:
        _check_complete(bays, lots, faults)
    return bays.rows


def _read_rows(
    table: Table, bays: Bays, lots: Register[LotRow], advance: Callable[[int], None]
) -> None:
    pick = itemgetter(*(table.columns.index(column) for column in COLUMNS))
    keys = {key: key for key in lots.entries}
    for count, (row, fields) in enumerate(table.records(), 1):
        cells = pick(fields)
        bay = _quick(cells, keys) or _slow(cells, row, table, lots)
        if bay is not None and _take(bay, row, bays, table):
            bays.rows.append(bay)
        if count % _TICK == 0:
            advance(_TICK)


def _quick(cells: tuple[str, ...], keys: dict[str, str]) -> Bay | None:
    """A bay of a known lot whose every value is plainly right; None for a closer look."""
    try:
        number, level = int(cells[1]), int(cells[2])
        longitude, latitude = float(cells[4]), float(cells[5])
        key, space_class = keys[cells[0]], _CLASSES[cells[3]]
    except (ValueError, KeyError):
        return None
    # Comparisons with NaN are false; 0, 0 is no place.
    is_place = abs(longitude) <= EAST and abs(latitude) <= NORTH and (longitude or latitude)
    if is_place and number >= 1 and abs(level) <= SMALLINT_MAX:
        return key, number, level, space_class, point_ewkb(longitude, latitude)
    return None


def _slow(cells: tuple[str, ...], row: int, table: Table, lots: Register[LotRow]) -> Bay | None:
    """The same by the model, which names what is wrong; None for a bay of a faulty lot too."""
    named = dict(zip(COLUMNS, cells, strict=True))
    bay = read_row(BayRow, named, table.file, row, faults=table.faults)
    if bay is None:
        return None
    if bay.lot_id in lots.entries:
        place = point_ewkb(bay.longitude, bay.latitude)
        return bay.lot_id, bay.number, bay.level, bay.space_class, place
    if not lots.may_have(bay.lot_id):
        message = f"there is no lot {shown(bay.lot_id)} in {lots.file}"
        table.faults.add(table.file, row, "lot_id", message)
    return None


def _take(bay: Bay, row: int, bays: Bays, table: Table) -> bool:
    """Take the bay's number in its lot; False, and a fault, where it cannot have it."""
    key, number = bay[0], bay[1]
    taken = bays.taken[key]
    if number > len(taken):
        message = f"{number} is beyond the capacity of lot {key}, {len(taken)}"
    elif taken[number - 1]:
        message = f"lot {key} has a bay {number} already"
    else:
        taken[number - 1] = 1
        return True
    table.faults.add(table.file, row, "number", message)
    return False


def _check_complete(bays: Bays, lots: Register[LotRow], faults: Faults) -> None:
    for key, taken in bays.taken.items():
        if lots.entries[key].reporting == "bays" and not all(taken):
            missing = ranges(number for number, there in enumerate(taken, 1) if not there)
            message = f"is {len(taken)}, but bays.csv has no bay {missing} of lot {key}"
            faults.add(lots.file, lots.rows[key], "capacity", message)
