"""Snapshots of free spaces: Malaga's shape, many lots a file, and the table of its lots."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.fitting.files import Dropped, Fault, Table, read_count, read_time
from simulators.fitting.stays import DAY_S, QUARTER_S

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# One value for so long is no parking: the display, or what reads it, stands still.
FROZEN_S = DAY_S
# Snapshots further apart leave what was between them unknown.
GAP_S = 3_600
# Lots are used together on days that this share of them knows, and those that know that share of
# those days.
_TOGETHER = 0.5


@dataclass(frozen=True)
class Occupancy:
    """Occupancy of lots by local quarter of an hour.

    Attributes:
        file: where it is from.
        lots: their ids in the file.
        capacities: bays of each.
        start_s: wall clock of the first quarter as seconds since 1970: a midnight.
        shares: occupied share of the bays, NaN where not known; shape (lots, quarters), whole days.
    """

    file: str
    lots: list[str]
    capacities: list[int]
    start_s: float
    shares: FloatArray

    def daily(self) -> FloatArray:
        """Return means by day, NaN where less than half a day is known; shape (lots, days)."""
        days = self.shares.reshape(len(self.lots), -1, DAY_S // QUARTER_S)
        known = np.isfinite(days)
        numbers = np.where(known.mean(axis=2) >= _TOGETHER, known.sum(axis=2), np.nan)
        means: FloatArray = np.where(known, days, 0.0).sum(axis=2) / numbers
        return means


@dataclass
class _Lot:
    """One lot's snapshots as they came."""

    at_s: list[float]
    free: list[float]
    capacities: list[float]


def read_lots(table: Table, faults: list[Fault], dropped: list[Dropped]) -> dict[str, int]:
    """Return capacities by lot, of the lots that have one and a place. Faults are added."""
    capacities: dict[str, int] = {}
    seen: set[str] = set()
    nowhere = unknown = 0
    for number, row in table.rows:
        lot = row["lot"].strip()
        if not lot or lot in seen:
            faults.append(Fault(table.file, number, "lot", "is missing" if not lot else "again"))
        seen.add(lot)
        place = [
            _degrees(table, number, name, row[name], faults) for name in ("latitude", "longitude")
        ]
        capacity = _count(table.file, number, "capacity", row["capacity"], faults)
        nowhere += not any(place)
        unknown += not capacity
        if capacity:
            capacities[lot] = capacity
    dropped.append(Dropped(table.file, "at 0, 0: no place", nowhere, len(table.rows), "places"))
    dropped.append(Dropped(table.file, "capacity not told", unknown, len(table.rows), "capacities"))
    return capacities


def read_occupancy(
    table: Table, told: dict[str, int], faults: list[Fault], dropped: list[Dropped]
) -> Occupancy | None:
    """Return the occupancy of a file's lots that is a fact; None if nothing is left.

    A lot whose capacity is told nowhere, or is less than it once had free, is taken to have as
    many bays as it had free at most.

    Args:
        table: the file.
        told: capacities by lot, from the table of lots.
        faults: those found are added.
        dropped: what is left out is added.
    """
    before = len(faults)
    lots = _by_lot(table, faults)
    if len(faults) > before:
        return None
    if not lots:
        faults.append(Fault(table.file, 0, "", "no occupancy is left"))
        return None

    def drop(reason: str, number: int, whole: int, kind: str = "snapshots") -> None:
        dropped.append(Dropped(table.file, reason, number, whole, kind))

    start_s = min(lot.at_s[0] for lot in lots.values()) // DAY_S * DAY_S
    days = int((max(lot.at_s[-1] for lot in lots.values()) - start_s) // DAY_S) + 1
    names, capacities, shares = [], [], []
    for name, lot in lots.items():
        known = np.isfinite(lot.free)
        drop(f"lot {name}: free spaces unknown (-1 or empty)", int((~known).sum()), len(known))
        at_s, free = np.array(lot.at_s)[known], np.array(lot.free)[known]
        if not len(free):
            continue
        capacity = _capacity(name, lot, free, told, drop)
        frozen = frozen_stretches(at_s, free)
        drop(f"lot {name}: frozen, one value for a day or longer", int(frozen.sum()), len(frozen))
        at_s, free = at_s[~frozen], free[~frozen]
        gaps = np.diff(at_s)
        hours = int(gaps[gaps > GAP_S].sum() // 3_600)
        drop(f"lot {name}: gaps of more than an hour", hours, days * 24, "hours")
        if len(free) and capacity:
            names.append(name)
            capacities.append(capacity)
            shares.append(_quarters(at_s - start_s, 1 - free / capacity, days))
    if not names:
        faults.append(Fault(table.file, 0, "", "no occupancy is left"))
        return None
    return Occupancy(table.file, names, capacities, start_s, np.array(shares))


def together(occupancy: Occupancy) -> Occupancy:
    """Return the days that most lots know, of the lots that know most of those days.

    Whole weeks apart, a lot's weekdays would be of other seasons than another's. The days are one
    stretch from the first to the last.
    """
    lots, quarters = occupancy.shares.shape
    per_day = DAY_S // QUARTER_S
    by_day = np.isfinite(occupancy.shares).reshape(lots, quarters // per_day, per_day)
    known = by_day.mean(axis=2) >= _TOGETHER
    days = np.flatnonzero(known.mean(axis=0) >= _TOGETHER)
    if not len(days):
        return occupancy
    first, last = int(days[0]), int(days[-1]) + 1
    kept = np.flatnonzero(known[:, days].mean(axis=1) >= _TOGETHER)
    return Occupancy(
        occupancy.file,
        [occupancy.lots[lot] for lot in kept],
        [occupancy.capacities[lot] for lot in kept],
        occupancy.start_s + first * DAY_S,
        occupancy.shares[kept, first * per_day : last * per_day],
    )


def frozen_stretches(at_s: FloatArray, values: FloatArray) -> BoolArray:
    """Return which snapshots belong to stretches of one value for FROZEN_S or longer."""
    firsts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    lasts = np.concatenate([firsts[1:], [len(values)]]) - 1
    long = at_s[lasts] - at_s[firsts] >= FROZEN_S
    return np.repeat(long, lasts - firsts + 1)


def _by_lot(table: Table, faults: list[Fault]) -> dict[str, _Lot]:
    """Return snapshots by lot, in order of time."""
    lots: dict[str, _Lot] = {}
    seen: set[tuple[str, float]] = set()
    for number, row in table.rows:
        name = row["lot"].strip()
        if not name:
            faults.append(Fault(table.file, number, "lot", "is missing"))
        try:
            at_s = read_time(row["ts_snapshot"])
        except ValueError as error:
            faults.append(Fault(table.file, number, "ts_snapshot", str(error)))
            continue
        if (name, at_s) in seen:
            text = f"lot {name} again at {row['ts_snapshot']}"
            faults.append(Fault(table.file, number, "ts_snapshot", text))
        seen.add((name, at_s))
        lot = lots.setdefault(name, _Lot([], [], []))
        free = _count(table.file, number, "free", row["free"], faults)
        capacity = _count(table.file, number, "capacity", row["capacity"], faults)
        lot.at_s.append(at_s)
        lot.free.append(float("nan") if free is None else free)
        lot.capacities.append(capacity or float("nan"))
    for lot in lots.values():
        order = np.argsort(lot.at_s, kind="stable")
        for values in (lot.at_s, lot.free, lot.capacities):
            values[:] = np.array(values)[order].tolist()
    return lots


def _capacity(
    name: str,
    lot: _Lot,
    free: FloatArray,
    told: dict[str, int],
    drop: Callable[[str, int, int, str], None],
) -> int:
    """Return a lot's bays: the last that is told, or the most that it had free."""
    known = [value for value in lot.capacities if np.isfinite(value)]
    missing = len(lot.capacities) - len(known)
    drop(f"lot {name}: capacity not told", missing, len(lot.capacities), "snapshots")
    capacity = int(known[-1]) if known else told.get(name, 0)
    most = int(free.max())
    if capacity and most > capacity:
        drop(f"lot {name}: {capacity} bays cannot be: {most} were free", 1, 1, "capacities")
        capacity = 0
    return capacity or most


def _quarters(since_s: FloatArray, shares: FloatArray, days: int) -> FloatArray:
    """Return means by quarter of an hour; NaN where there is no snapshot."""
    count = days * DAY_S // QUARTER_S
    quarter = (since_s // QUARTER_S).astype(np.int64)
    number = np.bincount(quarter, minlength=count).astype(np.float64)
    number[number == 0] = np.nan
    means: FloatArray = np.bincount(quarter, shares, minlength=count) / number
    return means


def _count(file: str, number: int, column: str, text: str, faults: list[Fault]) -> int | None:
    try:
        return read_count(text)
    except ValueError as error:
        faults.append(Fault(file, number, column, str(error)))
        return None


def _degrees(table: Table, number: int, column: str, text: str, faults: list[Fault]) -> float:
    most = 90 if column == "latitude" else 180
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -most <= value <= most:
        text = f"{text!r} is no number from {-most} to {most}"
        faults.append(Fault(table.file, number, column, text))
    return value
