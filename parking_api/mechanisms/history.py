"""What history says of a price mechanism's time bands: occupancy, coverage, and time stood full.

Read are the whole local days of the shortest interval between changes before the review, and in
them the hours in which the tariff's period governs, holidays and seasons as the tariff has them.
Lots count by their spaces, as most of those who look for a space meet the larger lots.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pricing
from parking_api.audit import Connection
from parking_api.errors import ParameterFault
from parking_api.mechanisms.errors import MechanismUnfitError
from parking_api.mechanisms.tariff import Standing
from parking_api.models import Row
from pricing.mechanism import BandPeriod, Interval, Mechanism, Reading, governed
from sql.named import named

# What drivers take for beside: some six minutes on foot.
BESIDE_M: Final = 500.0


@dataclass(frozen=True)
class Read:
    """What was read.

    Attributes:
        start: Of the history, and `end`, exclusive.
        lots: How many lots the mechanism moves.
        readings: Of each time band in the season of the review.
    """

    start: datetime
    end: datetime
    lots: int
    readings: tuple[Reading, ...]


def span(mechanism: Mechanism, at: datetime) -> Interval:
    """The time that a review at `at` reads: whole local days before it, half-open."""
    zone = ZoneInfo(mechanism.timezone)
    today = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    # Days of the calendar: a clock that was changed makes one of them longer or shorter.
    return today - timedelta(days=mechanism.shortest_interval_days), today


async def read(
    connection: Connection,
    mechanism: Mechanism,
    now: Standing,
    calendar: pricing.Calendar,
    at: datetime,
) -> Read:
    """Read the history for a review at `at`.

    Raises:
        MechanismUnfitError: No lot is priced by the mechanism's tariff.
    """
    start, end = span(mechanism, at)
    hours = governed(now.tariff, calendar, start, end)
    season = mechanism.season_on(at.astimezone(ZoneInfo(mechanism.timezone)).date())
    current = [one for one in now.periods if one.season == season]
    rows = await _rows(connection, mechanism, current, hours, at)
    moved = {row["lot_id"]: row["capacity"] for row in rows if not row["beside"]}
    if current and not moved:
        fault = ParameterFault(parameter="mechanism.zone_id", message="no lot is there to be read")
        raise MechanismUnfitError([fault])
    spaces = middle_lot(moved.values()) if moved else 0
    readings = []
    for one in current:
        expected = sum(_seconds(hours.get(each.period.id, ())) for each in _all_seasons(now, one))
        of_band = [row for row in rows if row["time_band"] == one.time_band]
        readings.append(reading(one, of_band, spaces, expected))
    return Read(start, end, len(moved), tuple(readings))


async def _rows(
    connection: Connection,
    mechanism: Mechanism,
    periods: Sequence[BandPeriod],
    hours: Mapping[str, list[Interval]],
    at: datetime,
) -> Sequence[Row]:
    # A band without an hour still needs its lots: an empty interval gives them, with nothing read.
    intervals = [
        (one.time_band, *interval)
        for one in periods
        for interval in hours.get(one.period.id) or [(at, at)]
    ]
    bands, starts, ends = zip(*intervals, strict=True) if intervals else ((), (), ())
    scope = (mechanism.zone_id, list(mechanism.lot_types), at, BESIDE_M)
    return await connection.fetch(
        named("mechanism_reading"), *scope, list(bands), list(starts), list(ends)
    )


def _all_seasons(now: Standing, one: BandPeriod) -> Iterable[BandPeriod]:
    """The band's periods in every season.

    Those of other seasons count as not seen: prices of a season that has just begun do not move
    before it has been seen as long as any other.
    """
    return (each for each in now.periods if each.time_band == one.time_band)


def _seconds(intervals: Iterable[Interval]) -> float:
    return sum((end - start).total_seconds() for start, end in intervals)


def reading(one: BandPeriod, rows: Sequence[Row], spaces: int, expected_s: float) -> Reading:
    """Sum a band's rows of `mechanism_reading.sql` up.

    Args:
        one: The band.
        rows: Of its lots, and of those beside.
        spaces: Of the lot in the middle.
        expected_s: Seconds of the band in the time that was read.
    """
    totals: defaultdict[bool, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        total = totals[row["beside"]]
        total["expected"] += row["capacity"] * expected_s
        total["known"] += row["known_s"] * row["capacity"]
        for column in ("space_s", "known_space_s", "free_space_s", "full_space_s"):
            total[column] += row[column]
    own, beside = totals[False], totals[True]
    pressure = _share(own["full_space_s"], own["space_s"])
    free = _share(own["free_space_s"], own["known_space_s"])
    return Reading(
        time_band=one.time_band,
        season=one.season,
        occupancy=math.nan if free is None else 1 - free,
        coverage=min(1.0, _share(own["known"], own["expected"]) or 0.0),
        spaces=spaces,
        pressure=pressure,
        pressure_beside=_share(beside["full_space_s"], beside["space_s"]),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def middle_lot(capacities: Iterable[int]) -> int:
    """Spaces of the lot in which the middle one of all spaces lies, lots ordered by their size."""
    ordered = sorted(capacities)
    half, passed = sum(ordered) / 2, 0
    for spaces in ordered:
        passed += spaces
        if passed >= half:
            return spaces
    raise ValueError("no lots")
