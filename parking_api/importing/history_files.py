"""A city's past in files: a file a day, a row a lot, a column a step of 300 s.

DIR/2026-11-20.csv, or 2026-11-20.csv.gz: the day from 00:00 to 24:00 UTC.

lot_id      of a lot that is registered, retired or not; one row each
capacity    1..20000: spaces in service on that day
00:00, ...  and so on to 23:55: the start of each step, UTC. Its cell has the occupied spaces, the
            mean over the step, 0..capacity; or `12.5@180` where only 180 of its 300 seconds are
            known; or nothing where nothing is. A column that is missing is one of empty cells.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Final

from parking_api.importing.faults import Faults, shown
from parking_api.importing.synonyms import plain_cell
from parking_api.importing.tables import Table, read_table
from parking_api.importing.texts import Encoding

STEP: Final = timedelta(seconds=300)
STEP_S: Final = STEP.total_seconds()
STEPS: Final = timedelta(days=1) // STEP
TIMES: Final = tuple(f"{(n * STEP).seconds // 3600:02}:{n * 5 % 60:02}" for n in range(STEPS))
_KEYS: Final = ("lot_id", "capacity")
_MOST_SPACES: Final = 20_000

_FILE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\.csv(\.gz)?", re.IGNORECASE)
# What a row of plain cells is made of; `float` alone would take `nan`, `1_0` and `1e3` too.
_PLAIN: Final = re.compile(r"[0-9.]*")
_CELL: Final = re.compile(r"(\d+(?:\.\d+)?)(?:@(\d+(?:\.\d+)?))?", re.ASCII)
_WANTED: Final = "is no number of spaces, such as 12 or 12.5, nor 12.5@180"


@dataclass(frozen=True, slots=True)
class PastLot:
    """A lot's day.

    Attributes:
        capacity: Spaces in service.
        occupied: Of each of the `STEPS` steps, the mean; None where nothing is known.
        covered_s: Known seconds of each step; None where that is all of each.
    """

    capacity: int
    occupied: Sequence[float | None]
    covered_s: Sequence[float] | None

    def without(self, places: Collection[int]) -> "PastLot | None":
        """Return the day without some of its steps; None if none is left."""
        if not places:
            return self
        left = list(self.occupied)
        for place in places:
            left[place] = None
        known = any(each is not None for each in left)
        return PastLot(self.capacity, left, self.covered_s) if known else None


@dataclass(frozen=True)
class PastDay:
    """A day of the past, of all lots that its file names and knows something of.

    Attributes:
        day: In UTC.
        lots: By lot_id.
    """

    day: date
    lots: Mapping[str, PastLot] = field(default_factory=dict)

    @property
    def day_at(self) -> datetime:
        """Its first instant."""
        return midnight(self.day)


def midnight(day: date) -> datetime:
    """Return the first instant of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class Against:
    """What files of days are checked against.

    Attributes:
        lots: The ids of all lots that are registered.
        now: Steps that end after it are not over.
        encoding: What files are in that are not UTF-8.
    """

    lots: Collection[str]
    now: datetime
    encoding: Encoding = "utf-8"


def find_days(directory: Path, faults: Faults) -> dict[date, Path]:
    """Find the files of a directory, the newest day first.

    Args:
        directory: Where they are; hidden files are passed over.
        faults: Where it goes that a file is of no day, or that a day has two.
    """
    days: dict[date, Path] = {}
    for path in sorted(directory.iterdir()):
        if path.name.startswith("."):
            continue
        day = _day_of(path)
        if day is None:
            faults.add(path.name, None, None, "is no file of a day, such as 2026-11-20.csv[.gz]")
        elif day in days:
            faults.add(path.name, None, None, f"{days[day].name} is of the same day")
        else:
            days[day] = path
    if not (days or faults.total):
        faults.add(directory.name, None, None, "has no file of a day, such as 2026-11-20.csv[.gz]")
    return dict(sorted(days.items(), reverse=True))


def _day_of(path: Path) -> date | None:
    found = _FILE.fullmatch(path.name)
    if found is None or not path.is_file():
        return None
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        return None


def read_day(path: Path, day: date, against: Against, faults: Faults) -> PastDay:
    """Read the file of a day and check it.

    Args:
        path: The file.
        day: Its day, UTC.
        against: What it is checked against.
        faults: Where faults go.

    Returns:
        The day, of the rows that are right.
    """
    if day > against.now.date():
        faults.give_up(path.name, None, None, "its day has not come yet")
        return PastDay(day)
    table = read_table(path, (*_KEYS, *TIMES), _KEYS, faults, against.encoding)
    if path.name in faults.unread:
        return PastDay(day)
    for label in table.ignored:
        message = "is no step: its start is a multiple of 5 minutes, as HH:MM in UTC"
        faults.give_up(path.name, table.header_row, label, message)
    over = min(STEPS, (against.now - midnight(day)) // STEP)
    return PastDay(day, dict(_Reader(table, against.lots, over).read()))


class _Reader:
    """Reads the rows of a file."""

    def __init__(self, table: Table, lots: Collection[str], over: int) -> None:
        self._table = table
        self._lots = lots
        self._over = over
        self._places = table.places
        # Which columns are steps, and which steps they are.
        self._steps = [place for place, time in enumerate(TIMES) if time in self._places]
        self._seen: dict[str, int] = {}

    def read(self) -> Iterator[tuple[str, PastLot]]:
        """Yield the lot and day of each right row, but for lots of which nothing is known."""
        columns = [self._places[TIMES[place]] for place in self._steps]
        if not columns:
            message = "has no column of a step, such as 08:05"
            self._table.faults.give_up(self._table.file, self._table.header_row, None, message)
            return
        # Of one column itemgetter gives no tuple.
        pick = itemgetter(*columns, columns[0])
        for row, fields in self._table.records():
            lot_id = self._lot_id(row, fields)
            capacity = self._capacity(row, fields)
            cells = pick(fields)[:-1]
            found = self._quick(cells, capacity) or self._slow(row, cells, capacity)
            if lot_id is not None and capacity is not None and found is not None:
                occupied, covered_s = found
                if any(each is not None for each in occupied):
                    yield lot_id, PastLot(capacity, occupied, covered_s)

    def _fault(self, row: int, field: str, message: str) -> None:
        self._table.faults.add(self._table.file, row, self._table.labels[field], message)

    def _lot_id(self, row: int, fields: Sequence[str]) -> str | None:
        lot_id = plain_cell("lot_id", fields[self._places["lot_id"]])
        if lot_id not in self._lots:
            self._fault(row, "lot_id", f"there is no lot {shown(lot_id)}")
            return None
        first = self._seen.setdefault(lot_id, row)
        if first != row:
            self._fault(row, "lot_id", f"{shown(lot_id)} is there already, in row {first}")
            return None
        return lot_id

    def _capacity(self, row: int, fields: Sequence[str]) -> int | None:
        text = plain_cell("capacity", fields[self._places["capacity"]])
        # Of thousands of digits int would raise an error.
        if re.fullmatch(r"0*[0-9]{1,5}", text) and 1 <= int(text[-5:]) <= _MOST_SPACES:
            return int(text[-5:])
        self._fault(row, "capacity", f"{shown(text)} is no whole number 1..{_MOST_SPACES}")
        return None

    def _spread(self, values: Sequence[float | None]) -> Sequence[float | None]:
        """Put the values of the file's steps in their places among all steps of the day."""
        if len(values) == STEPS:
            return values
        day: list[float | None] = [None] * STEPS
        for place, value in zip(self._steps, values, strict=True):
            day[place] = value
        return day

    def _quick(
        self, cells: Sequence[str], capacity: int | None
    ) -> tuple[Sequence[float | None], None] | None:
        """Return a row's day if every cell is plain and right at first sight; else None."""
        if capacity is None or not _PLAIN.fullmatch("".join(cells)):
            return None
        try:
            values = [float(cell) if cell else None for cell in cells]
        except ValueError:
            return None
        if max((each for each in values if each is not None), default=0) > capacity:
            return None
        day = self._spread(values)
        return None if any(each is not None for each in day[self._over :]) else (day, None)

    def _slow(
        self, row: int, cells: Sequence[str], capacity: int | None
    ) -> tuple[Sequence[float | None], Sequence[float]] | None:
        """Return a row's day, or note all that is wrong with it."""
        values: list[float | None] = []
        covered_s = [STEP_S] * STEPS
        is_right = True
        for place, cell in zip(self._steps, cells, strict=True):
            text = plain_cell(TIMES[place], cell)
            found = _CELL.fullmatch(text)
            wrong = self._wrong(found, place, capacity) if text else None
            if wrong:
                self._fault(row, TIMES[place], f"{shown(text)} {wrong}")
                is_right = False
            values.append(float(found[1]) if found else None)
            if found and found[2]:
                covered_s[place] = float(found[2])
        return (self._spread(values), covered_s) if is_right else None

    def _wrong(self, found: re.Match[str] | None, place: int, capacity: int | None) -> str | None:
        if found is None:
            return _WANTED
        if capacity is not None and float(found[1]) > capacity:
            return f"is more than the capacity, {capacity}"
        if found[2] and not 0 < float(found[2]) <= STEP_S:
            return f"has no seconds of a step, above 0 and at most {STEP_S:.0f}"
        if place >= self._over:
            return "is of a step that is not over"
        return None
