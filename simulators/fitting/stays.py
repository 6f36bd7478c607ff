"""Single stays: PewLSTM's shape, one file a lot."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from simulators.city.holidays import (
    HOLIDAYS,
    MAKEUP_WORKDAYS,
    PAST_HOLIDAYS,
    PAST_MAKEUP_WORKDAYS,
    holidays,
)
from simulators.demand.parameters import LandUseName
from simulators.fitting.files import Dropped, Fault, Table, read_time

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DAY_S = 86_400
QUARTER_S = 900
WEEK = 7
SHORTEST_MIN = 5
# A week with less than this share of the lot's median week was not recorded, or not in service.
_GAP_SHARE = 0.1
_EPOCH = date(1970, 1, 1).toordinal()
# Local days since 1970 that are like no day of the week: the lots are Chinese.
_UNUSUAL = np.array(
    [
        day.toordinal() - _EPOCH
        for day in (
            *holidays((*PAST_HOLIDAYS, *HOLIDAYS)),
            *map(date.fromisoformat, (*PAST_MAKEUP_WORKDAYS, *MAKEUP_WORKDAYS)),
        )
    ]
)


@dataclass(frozen=True)
class StayLot:
    """The stays of one lot that are facts.

    Attributes:
        file: where they are from.
        land_use: of the lot.
        spaces: bays, None where what is told cannot be.
        arrivals_s: local wall clocks as seconds since 1970, ascending; shape (stays,).
        minutes: length of each stay.
        days: local days since 1970 on which stays were recorded; a whole day each.
        usual: those of them that are neither holidays nor make-up workdays.
    """

    file: str
    land_use: LandUseName
    spaces: int | None
    arrivals_s: FloatArray
    minutes: FloatArray
    days: IntArray
    usual: IntArray

    @property
    def hours(self) -> IntArray:
        """Local hour of each arrival."""
        return (self.arrivals_s % DAY_S // 3_600).astype(np.int64)

    def daily(self) -> FloatArray:
        """Return arrivals on each of the days; shape (days,)."""
        day = (self.arrivals_s // DAY_S).astype(np.int64)
        return np.array([(day == one).sum() for one in self.days], dtype=np.float64)


def read_stays(
    table: Table,
    land_use: LandUseName,
    spaces: int | None,
    faults: list[Fault],
    dropped: list[Dropped],
) -> StayLot | None:
    """Return a file's stays; None if none is left. Faults and what is left out are added."""
    before = len(faults)
    times = np.array([_times(table.file, number, row, faults) for number, row in table.rows])
    if len(faults) > before:
        return None
    arrivals_s, leaves_s = times.reshape(-1, 2).T
    minutes = (leaves_s - arrivals_s) / 60
    long = minutes >= SHORTEST_MIN

    def drop(reason: str, count: int, whole: int, kind: str) -> None:
        dropped.append(Dropped(table.file, reason, count, whole, kind))

    drop(f"shorter than {SHORTEST_MIN} minutes", int((~long).sum()), len(long), "stays")
    arrivals_s, minutes = arrivals_s[long], minutes[long]
    if not len(minutes):
        faults.append(Fault(table.file, 0, "", "no stay is left"))
        return None
    order = np.argsort(arrivals_s, kind="stable")
    arrivals_s, minutes = arrivals_s[order], minutes[order]
    days, gaps = _days(arrivals_s)
    drop("days of gaps: not recorded, or not in service", gaps, gaps + len(days), "days")
    recorded = np.isin(arrivals_s // DAY_S, days)
    drop(
        "on the first or the last day, or on days of gaps",
        int((~recorded).sum()),
        len(recorded),
        "stays",
    )
    usual = days[~np.isin(days, _UNUSUAL)]
    unusual = len(days) - len(usual)
    drop("holidays and make-up workdays, of arrivals", unusual, len(days), "days")
    if not len(usual):
        faults.append(Fault(table.file, 0, "", "no day is left that is no holiday"))
        return None
    most = most_at_once(arrivals_s, minutes)
    if spaces is not None and most > spaces:
        drop(f"{spaces} spaces cannot be: up to {most} stays at once", 1, 1, "capacities")
        spaces = None
    arrivals_s, minutes = arrivals_s[recorded], minutes[recorded]
    return StayLot(table.file, land_use, spaces, arrivals_s, minutes, days, usual)


def most_at_once(arrivals_s: FloatArray, minutes: FloatArray) -> int:
    """Return how many stays ran at once, at most; who leaves makes room in the same minute."""
    at = np.concatenate([arrivals_s, arrivals_s + 60 * minutes])
    change = np.concatenate([np.ones(len(minutes)), -np.ones(len(minutes))])
    return int(change[np.lexsort((change, at))].cumsum().max())


def _times(file: str, number: int, row: dict[str, str], faults: list[Fault]) -> tuple[float, float]:
    found: list[float] = []
    for column in ("Lockdown Time", "Lockup Time"):
        try:
            found.append(read_time(row[column]))
        except ValueError as error:
            faults.append(Fault(file, number, column, str(error)))
    for column, text in row.items():
        if column == "cost" or column.startswith("status"):
            _check_number(file, number, column, text, faults)
    if len(found) < 2:  # noqa: PLR2004 - one of them is faulty
        return (0.0, 0.0)
    if found[1] < found[0]:
        faults.append(Fault(file, number, "Lockup Time", "before the arrival"))
    return (found[0], found[1])


def _check_number(file: str, number: int, column: str, text: str, faults: list[Fault]) -> None:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        faults.append(Fault(file, number, column, f"{text!r} is no number from 0 on"))


def _days(arrivals_s: FloatArray) -> tuple[IntArray, int]:
    """Return the days that were recorded, and how many between the first and the last were not.

    The first and the last day are parts of days, and count as neither.
    """
    day = (arrivals_s // DAY_S).astype(np.int64)
    first, last = int(day[0]) + 1, int(day[-1])
    if last - first < WEEK:
        return np.unique(day), 0
    counts = np.bincount(day[(day >= first) & (day < last)] - first, minlength=last - first)
    around = np.convolve(counts, np.ones(WEEK), mode="valid")
    # A day belongs to the week about it; those at the ends to the first and the last whole week.
    middle = np.clip(np.arange(len(counts)) - WEEK // 2, 0, len(around) - 1)
    recorded = around[middle] >= _GAP_SHARE * np.median(around)
    return first + np.flatnonzero(recorded), int((~recorded).sum())
