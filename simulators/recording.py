"""Recorded occupancy: a file's rows as counts that can be sent, its faults counted. Streamed.

The file is CSV with the columns `ts_snapshot,lot,capacity,free,ts_source`; `ts_snapshot` is local
time without an offset, and unknown values are empty, `None` or -1.
"""

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

COLUMNS = ("ts_snapshot", "lot", "capacity", "free")
UNKNOWN_NUMBER = -1
_MISSING = frozenset({"", "None", "null", "nan", "NaN"})
# A step longer than this many median steps is a gap.
GAP_MEDIANS = 3


class RecordingError(Exception):
    """A recording that cannot be read, or lacks a column."""


class RowError(ValueError):
    """A row that says nothing that could be sent; the message is the name of its fault."""


@dataclass(frozen=True, slots=True)
class RecordedCount:
    """One lot's count. `observed_at` has the offset of its place; `capacity` None if not given."""

    lot: str
    observed_at: datetime
    free: int
    capacity: int | None


@contextmanager
def open_recording(path: Path) -> Iterator[Iterable[str]]:
    """Open a .csv or .csv.gz as text; what is not UTF-8 becomes a replacement character.

    Raises:
        RecordingError: the file cannot be opened.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        file = opener(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        raise RecordingError(str(error)) from error
    with file:
        yield file


class LocalClock:
    """Turns recorded local times into instants, in the order of the file.

    In the hour that the clocks repeat in autumn, a time means its first pass (fold 0), until that
    would lie before a time already seen; from then on it means the second (fold 1). A time in the
    hour that they skip in spring is read with the offset before the change, and so is an hour later
    by the clock than it says.
    """

    def __init__(self, timezone: ZoneInfo) -> None:
        self._timezone = timezone
        self._latest: datetime | None = None

    def instant(self, text: str) -> datetime:
        """Give the instant of an ISO local time, in UTC.

        Raises:
            ValueError: `text` is no such time, or carries an offset.
        """
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None:
            raise ValueError(text)
        at = self._at(local, fold=0)
        if self._latest is not None and at < self._latest:
            at = self._at(local, fold=1) if self._is_repeated(local) else at
        self._latest = at if self._latest is None else max(at, self._latest)
        return at

    def _at(self, local: datetime, fold: int) -> datetime:
        return local.replace(tzinfo=self._timezone, fold=fold).astimezone(UTC)

    def _is_repeated(self, local: datetime) -> bool:
        return self._at(local, fold=0) < self._at(local, fold=1)


class Recording:
    """The counts of a recording, in a half-open range of time.

    Args:
        lines: the file's lines, its header first.
        timezone: of its local times.
        from_at: first instant taken; None from the beginning.
        to_at: first instant not taken any more; None to the end.

    Attributes:
        rows: rows in the range, faulty ones and all. A row whose time cannot be read counts too.
        faults: rows by fault. `missing_capacity` rows are given nevertheless, without a capacity.
    """

    def __init__(
        self,
        lines: Iterable[str],
        timezone: ZoneInfo,
        *,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
    ) -> None:
        self._lines = lines
        self._clock = LocalClock(timezone)
        self._timezone = timezone
        self._from_at = _utc(from_at)
        self._to_at = _utc(to_at)
        self._latest: datetime | None = None
        self._last_of_lot: dict[str, datetime] = {}
        self._steps: Counter[timedelta] = Counter()
        self.rows = 0
        self.faults: Counter[str] = Counter()

    def __iter__(self) -> Iterator[RecordedCount | None]:
        """Give the counts that can be sent, in the order of the file; None for every other row.

        Raises:
            RecordingError: a column is missing, or the file cannot be read on.
        """
        for row in self._records():
            try:
                at = self._time(row)
                self.rows += at is not None
                count = None if at is None else self._count(row, at)
            except RowError as fault:
                self.faults[str(fault)] += 1
                count = None
            yield count

    def _records(self) -> Iterator[Mapping[str, str | None]]:
        reader = csv.DictReader(self._lines)
        try:
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise RecordingError(f"columns missing: {', '.join(missing)}")
            yield from self._rows_of(reader)
        except (OSError, EOFError, zlib.error) as error:
            raise RecordingError(f"cannot be read on: {error}") from error

    def _rows_of(self, reader: "csv.DictReader[str]") -> Iterator[Mapping[str, str | None]]:
        while True:
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error:
                self.rows += 1
                self.faults["unparseable"] += 1

    def _time(self, row: Mapping[str, str | None]) -> datetime | None:
        """Give the row's instant; None if it lies outside the range."""
        try:
            at = self._clock.instant(row["ts_snapshot"] or "")
        except (ValueError, OverflowError) as error:
            self.rows += 1
            raise RowError("unparseable") from error
        if (self._from_at and at < self._from_at) or (self._to_at and at >= self._to_at):
            return None
        if self._latest is None or at > self._latest:
            if self._latest is not None:
                self._steps[at - self._latest] += 1
            self._latest = at
        return at

    def _count(self, row: Mapping[str, str | None], at: datetime) -> RecordedCount:
        lot = (row["lot"] or "").strip()
        if not lot or row["free"] is None:  # None: the row is cut short
            raise RowError("unparseable")
        free, capacity = _number(row["free"]), _number(row["capacity"])
        if free is None:
            raise RowError("missing")
        if free == UNKNOWN_NUMBER:
            raise RowError("minus_one")
        if capacity in (UNKNOWN_NUMBER, 0):
            capacity = None
        if free < 0 or (capacity is not None and capacity < 0):
            raise RowError("unparseable")
        if capacity is not None and free > capacity:
            raise RowError("over_capacity")
        self._keep_order(lot, at)
        self.faults["missing_capacity"] += capacity is None
        return RecordedCount(lot, at.astimezone(self._timezone), free, capacity)

    def _keep_order(self, lot: str, at: datetime) -> None:
        """Refuse a count that is not later than the lot's last: sent, it would look newer."""
        last = self._last_of_lot.get(lot)
        if last is not None and at <= last:
            raise RowError("out_of_order")
        self._last_of_lot[lot] = at

    def gaps(self) -> int:
        """Count steps between successive times that are longer than GAP_MEDIANS median steps."""
        if not self._steps:
            return 0
        median = _weighted_median(self._steps)
        return sum(n for step, n in self._steps.items() if step > GAP_MEDIANS * median)


def _utc(at: datetime | None) -> datetime | None:
    # Two times of one zone compare by their clocks, which repeat an hour; in UTC they do not.
    return None if at is None else at.astimezone(UTC)


def _number(text: str | None) -> int | None:
    """Read an integer; None if the value is missing.

    Raises:
        RowError: it is something else.
    """
    stripped = (text or "").strip()
    if stripped in _MISSING:
        return None
    try:
        return int(stripped)
    except ValueError as error:
        raise RowError("unparseable") from error


def _weighted_median(counts: Counter[timedelta]) -> timedelta:
    """Give the (lower) median of values that occur so often."""
    half = (counts.total() + 1) // 2
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= half:
            return value
    raise ValueError(counts)
