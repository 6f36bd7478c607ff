"""Reads half a million bays in a few microseconds each, and names every fault of a wrong one."""

from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Final

from parking_api.geometry import point_ewkb
from parking_api.importing.faults import Faults, ranges, shown
from parking_api.importing.progress import Steps
from parking_api.importing.reading import Register, read_row
from parking_api.importing.rows import EAST, NORTH, SMALLINT_MAX, BayRow, LotRow
from parking_api.importing.tables import Table, read_table
from parking_api.importing.texts import Encoding

COLUMNS: Final = ("lot_id", "number", "level", "space_class", "longitude", "latitude")
# The strings themselves, so that half a million rows share four.
_CLASSES: Final = {name: name for name in ("standard", "accessible", "ev", "large")}

# As the table `space` has them: lot_id, number, level, space_class, geog (EWKB).
Bay = tuple[str, int, int, str, bytes]


# A byte for each bay of each lot, 1 where bays.csv has it.
Taken = dict[str, bytearray]


def read_bays(
    path: Path,
    lots: Register[LotRow],
    faults: Faults,
    steps: Steps,
    encoding: Encoding = "utf-8",
) -> list[Bay]:
    """Read bays.csv and check it against the lots.

    Args:
        path: The file.
        lots: The lots that the bays are of.
        faults: Where faults go: wrong values, unknown lots, numbers beyond the capacity or given
            twice, and lots that report bays without exactly 1..capacity.
        steps: Shows how far it is.
        encoding: What the file is in if it is not UTF-8.

    Returns:
        The right ones, ready for COPY.
    """
    taken = {key: bytearray(lot.capacity) for key, lot in lots.entries.items()}
    with steps.step("reading bays", sum(map(len, taken.values()))) as task:
        table = read_table(path, COLUMNS, COLUMNS, faults, encoding)
        if not table.labels:
            return []
        bays = _read_rows(table, steps.track(table.records(), task_id=task), taken, lots)
        if path.name not in faults.unread:
            _check_complete(taken, lots, faults)
    return bays


def _read_rows(
    table: Table, records: Iterable[tuple[int, list[str]]], taken: Taken, lots: Register[LotRow]
) -> list[Bay]:
    pick = itemgetter(*(table.places[column] for column in COLUMNS))
    keys = {key: key for key in lots.entries}
    bays = []
    for row, fields in records:
        cells = pick(fields)
        bay = _quick(cells, keys) or _slow(cells, row, table, lots)
        if bay is not None and _take(bay, row, taken, table):
            bays.append(bay)
    return bays


def _quick(cells: tuple[str, ...], keys: dict[str, str]) -> Bay | None:
    """Return a bay of a known lot if every value is right at first sight; else None."""
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
    """Return a bay as the model reads it, which names what is wrong; None for no right bay."""
    named = dict(zip(COLUMNS, cells, strict=True))
    bay = read_row(BayRow, named, table.file, row, faults=table.faults, columns=table.labels)
    if bay is None:
        return None
    if bay.lot_id in lots.entries:
        return (
            bay.lot_id,
            bay.number,
            bay.level,
            bay.space_class,
            point_ewkb(bay.longitude, bay.latitude),
        )
    if not lots.may_have(bay.lot_id):
        message = f"there is no lot {shown(bay.lot_id)} in {lots.file}"
        table.faults.add(table.file, row, table.labels["lot_id"], message)
    return None


def _take(bay: Bay, row: int, taken: Taken, table: Table) -> bool:
    """Mark a bay's number in its lot as taken; False, and a fault, if that is not possible."""
    key, number = bay[0], bay[1]
    own = taken[key]
    if number > len(own):
        message = f"{number} is beyond the capacity of lot {key}, {len(own)}"
    elif own[number - 1]:
        message = f"lot {key} has a bay {number} already"
    else:
        own[number - 1] = 1
        return True
    table.faults.add(table.file, row, table.labels["number"], message)
    return False


def _check_complete(taken: Taken, lots: Register[LotRow], faults: Faults) -> None:
    for key, own in taken.items():
        if lots.entries[key].reporting == "bays" and not all(own):
            missing = ranges(number for number, there in enumerate(own, 1) if not there)
            message = f"is {len(own)}, but bays.csv has no bay {missing} of lot {key}"
            faults.add(lots.file, lots.rows[key], "capacity", message)
