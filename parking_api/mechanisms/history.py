"""What history says of a price mechanism's time bands: occupancy, coverage, and time stood full.

Read are the whole local days of the shortest interval between changes before the review, and in
them the hours in which the tariff's period governs, holidays and seasons as the tariff has them.
Lots count by their spaces, as most of those who look for a space meet the larger lots.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pricing
from parking_api.mechanisms import queries
from parking_api.mechanisms.errors import MechanismUnfitError
from parking_api.mechanisms.queries import Seen
from parking_api.mechanisms.tariff import InForce
from pricing.mechanism import BandPeriod, Interval, Mechanism, Reading, governed
from sql.engine import Db

# What drivers take for beside: some six minutes on foot.
BESIDE_M: Final = 500.0


@dataclass(frozen=True)
class History:
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
    db: Db, mechanism: Mechanism, now: InForce, calendar: pricing.Calendar, at: datetime
) -> History:
    """Read the history for a review at `at`.

    Raises:
        MechanismUnfitError: No lot is priced by the mechanism's tariff.
    """
    start, end = span(mechanism, at)
    hours = governed(now.tariff, calendar, start, end)
    season = mechanism.season_on(at.astimezone(ZoneInfo(mechanism.timezone)).date())
    current = [one for one in now.periods if one.season == season]
    seen = await _seen(db, mechanism, current, hours, at)
    moved = {each.lot_id: each.capacity for each in seen if not each.beside}
    if current and not moved:
        raise MechanismUnfitError(("zone_id", "no lot is there to be read"))
    spaces = middle_lot(moved.values()) if moved else 0
    readings = []
    for one in current:
        expected = sum(_seconds(hours.get(each.period.id, ())) for each in _all_seasons(now, one))
        of_band = [each for each in seen if each.time_band == one.time_band]
        readings.append(reading(one, of_band, spaces, expected))
    return History(start, end, len(moved), tuple(readings))


async def _seen(
    db: Db,
    mechanism: Mechanism,
    periods: Sequence[BandPeriod],
    hours: Mapping[str, list[Interval]],
    at: datetime,
) -> list[Seen]:
    # A band without an hour still needs its lots: an empty interval gives them, with nothing read.
    intervals = [
        (one.time_band, *interval)
        for one in periods
        for interval in hours.get(one.period.id) or [(at, at)]
    ]
    return await queries.history(
        db,
        zone_id=mechanism.zone_id,
        lot_types=mechanism.lot_types,
        at=at,
        beside_m=BESIDE_M,
        time_bands=[band for band, _, _ in intervals],
        starts=[start for _, start, _ in intervals],
        ends=[end for _, _, end in intervals],
    )


def _all_seasons(now: InForce, one: BandPeriod) -> Iterable[BandPeriod]:
    """The band's periods in every season.

    Those of other seasons count as not seen: prices of a season that has just begun do not move
    before it has been seen as long as any other.
    """
    return (each for each in now.periods if each.time_band == one.time_band)


def _seconds(intervals: Iterable[Interval]) -> float:
    return sum((end - start).total_seconds() for start, end in intervals)


def reading(one: BandPeriod, seen: Sequence[Seen], spaces: int, expected_s: float) -> Reading:
    """Sum up what was seen of a band.

    Args:
        one: The band.
        seen: Of its lots, and of those beside.
        spaces: Of the lot in the middle.
        expected_s: Seconds of the band in the time that was read.
    """
    own = [each for each in seen if not each.beside]
    beside = [each for each in seen if each.beside]
    free = _share(sum(each.free_space_s for each in own), sum(each.known_space_s for each in own))
    known_s = sum(each.known_s * each.capacity for each in own)
    known = _share(known_s, sum(each.capacity * expected_s for each in own))
    return Reading(
        time_band=one.time_band,
        season=one.season,
        occupancy=math.nan if free is None else 1 - free,
        coverage=min(1.0, known or 0.0),
        spaces=spaces,
        pressure=_pressure(own),
        pressure_beside=_pressure(beside),
    )


def _pressure(seen: Sequence[Seen]) -> float | None:
    return _share(sum(each.full_space_s for each in seen), sum(each.space_s for each in seen))


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
