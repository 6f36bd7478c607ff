"""Reads recorded occupancy row by row: the counts that can be sent, and the number of faults.

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
from statistics import median_low
from zoneinfo import ZoneInfo

COLUMNS = ("ts_snapshot", "lot", "capacity", "free")
UNKNOWN_NUMBER = -1
_MISSING = frozenset({"", "None", "null", "nan", "NaN"})
# A step longer than this many median steps is a gap.
GAP_MEDIANS = 3


class RecordingError(Exception):
    """A recording cannot be read, or a column is missing."""


class RowError(ValueError):
    """A row holds no count that can be sent; the message is the name of its fault."""


@dataclass(frozen=True, slots=True)
class RecordedCount:
    """One lot's count. `observed_at` has the local offset; `capacity` is None if not recorded."""

    lot: str
    observed_at: datetime
    free: int
    capacity: int | None


@contextmanager
def open_recording(path: Path) -> Iterator[Iterable[str]]:
    """Open a .csv or .csv.gz as text; bytes that are not UTF-8 become replacement characters.

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

    In autumn the clocks repeat an hour: a time in it is the first one (fold 0), unless that is
    before a time already read; then it is the second one (fold 1). In spring they skip an hour: a
    time in it is read with the offset before the change, so it is one hour later on the new clock.
    """

    def __init__(self, timezone: ZoneInfo) -> None:
        self._timezone = timezone
        self._latest: datetime | None = None

    def instant(self, text: str) -> datetime:
        """Return the instant of an ISO local time, in UTC.

        Raises:
            ValueError: `text` is not such a time, or it has an offset.
        """
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None:
            raise ValueError(text)
        at = self._at(local, fold=0)
        if self._latest is not None and at < self._latest:
            # Later only in the repeated hour; in the skipped one it is earlier.
            at = max(at, self._at(local, fold=1))
        self._latest = at if self._latest is None else max(at, self._latest)
        return at

    def _at(self, local: datetime, fold: int) -> datetime:
        return local.replace(tzinfo=self._timezone, fold=fold).astimezone(UTC)


class Recording:
    """The counts of a recording, in a half-open range of time.

    Args:
        lines: the file's lines, its header first.
        timezone: of its local times.
        from_at: the first instant included; None: from the beginning.
        to_at: the first instant not included; None: to the end.

    Attributes:
        rows: rows in the range, with and without faults; also rows whose time cannot be read.
        faults: rows by fault. A row with `missing_capacity` is sent all the same, without it.
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
        """Yield the counts that can be sent, in the order of the file; None for each other row.

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
        """Return the row's instant; None if it is outside the range."""
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
        """Refuse a count not later than the lot's last: the platform would take it for newer."""
        last = self._last_of_lot.get(lot)
        if last is not None and at <= last:
            raise RowError("out_of_order")
        self._last_of_lot[lot] = at

    def gaps(self) -> int:
        """Count steps between successive times that are longer than GAP_MEDIANS median steps."""
        if not self._steps:
            return 0
        longest = GAP_MEDIANS * median_low(self._steps.elements())
        return sum(number for step, number in self._steps.items() if step > longest)


def _utc(at: datetime | None) -> datetime | None:
    # Two times of one zone compare by their local clocks, which repeat an hour; UTC does not.
    return None if at is None else at.astimezone(UTC)


def _number(text: str | None) -> int | None:
    """Read an integer; None if the value is missing.

    Raises:
        RowError: the text is not an integer.
    """
    stripped = (text or "").strip()
    if stripped in _MISSING:
        return None
    try:
        return int(stripped)
    except ValueError as error:
        raise RowError("unparseable") from error
