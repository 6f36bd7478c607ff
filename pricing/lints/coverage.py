"""Lints of time: gaps, overlaps, periods that never govern, holidays that nobody thought of."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from operator import attrgetter
from typing import NamedTuple

from pricing.charging.periods import PeriodPlan, Segment
from pricing.document import Calendar
from pricing.fields import DAY_KINDS
from pricing.instants import DAY, SECOND, instant_at
from pricing.lints.findings import Lint, Look, found

# 全国年节及纪念日放假办法 (2024): the statutory days with a fixed date. Those of the
# moon's calendar differ from year to year and come from the caller.
FIXED_HOLIDAYS_CN = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))


def of_coverage(look: Look, public_holidays: Collection[date]) -> Iterator[Lint]:
    """Every lint of this kind, over the look's year."""
    yield from _gaps(look)
    yield from _never_governing(look)
    yield from _overlaps(look)
    yield from _holidays(look, public_holidays)


class Gap(NamedTuple):
    """A stretch without period, and the period before it (None where the gap has no beginning)."""

    start: int
    end: int
    before: PeriodPlan | None


def _gaps(look: Look) -> Iterator[Lint]:
    holidays = frozenset(look.calendar.holidays if look.calendar else ())
    by_hours: dict[tuple[str, str, bool], list[Gap]] = {}
    for gap in _stretches(look):
        opens, closes = _clock_times(gap.start, gap.end)
        whole_holiday = gap.end - gap.start == DAY and _day(gap) in holidays
        by_hours.setdefault((opens, closes, whole_holiday), []).append(gap)
    for (opens, closes, whole_holiday), gaps in by_hours.items():
        only_holidays = whole_holiday or holidays.issuperset(map(_day, gaps))
        yield found(
            "holiday_without_period" if only_holidays else "gap",
            "periods",
            "Charging 2" if only_holidays else "Fields: periods",
            "warning",
            max((price for gap in gaps if (price := _price_of(gap)) is not None), default=None),
            first=_day(gaps[0]),
            count=len(gaps),
            days="1 day" if len(gaps) == 1 else f"{len(gaps)} days",
            opens=opens,
            closes=closes,
        )


def _stretches(look: Look) -> Iterator[Gap]:
    """The gaps that start within the year; longer ones than a day are cut at each midnight."""
    opens, closes = look.bounds
    before: PeriodPlan | None = None
    for segment in look.segments:
        if segment.period is not None:
            before = segment.period
            continue
        start = segment.start
        long = segment.end - start > DAY
        while start < segment.end:
            end = min(segment.end, (start // DAY + 1) * DAY) if long else segment.end
            if opens <= start < closes:
                yield Gap(start, end, before)
            start = end


def _day(gap: Gap) -> str:
    return instant_at(gap.start).date().isoformat()


def _price_of(gap: Gap) -> int | None:
    """What the period before the gap would charge for it, at its first tier and up to its cap."""
    if gap.before is None or not gap.before.unit_us:
        return None
    tiers = gap.before.period.tiers or ()
    price = -(-(gap.end - gap.start) // gap.before.unit_us) * tiers[0].price_minor
    cap = gap.before.period.cap_minor
    return price if cap is None else min(price, cap)


def _never_governing(look: Look) -> Iterator[Lint]:
    start, end = look.bounds
    governing = {
        segment.period.index
        for segment in look.segments
        if segment.period is not None and segment.start < end and segment.end > start
    }
    for period in look.plain_timeline.periods:
        if period.index not in governing:
            yield found(
                "period_never_governs",
                f"periods[{period.index}]",
                "Fields: periods",
                "warning",
                period=period.called,
            )


def _overlaps(look: Look) -> Iterator[Lint]:
    seen: set[tuple[int, int]] = set()
    windows: list[Segment] = []
    day = date(look.year, 1, 1)
    while day.year == look.year:
        today = list(look.plain_timeline.starting(day.toordinal()))
        for first, second in _meeting(windows + today):
            pair = (first.place, second.place)
            if pair not in seen:
                seen.add(pair)
                yield _overlap(look, first, second)
        windows = today
        day += timedelta(days=1)


def _meeting(windows: list[Segment]) -> Iterator[tuple[Segment, Segment]]:
    windows = sorted(windows, key=attrgetter("place"))
    for place, first in enumerate(windows):
        for second in windows[place + 1 :]:
            apart = first.end <= second.start or second.end <= first.start
            if not apart and first.period is not second.period:
                yield first, second


def _overlap(look: Look, first: Segment, second: Segment) -> Lint:
    start, end = max(first.start, second.start), min(first.end, second.end)
    opens, closes = _clock_times(start, end)
    periods = look.pricer.timeline.periods
    return found(
        "overlap",
        f"periods[{second.place}]",
        "Fields: periods",
        "info",
        _money_of_order(look, start, end, first.place, second.place),
        earlier=periods[first.place].called,
        later=periods[second.place].called,
        opens=opens,
        closes=closes,
    )


def _money_of_order(look: Look, start: int, end: int, winner: int, loser: int) -> int:
    """How much a stay over the overlap would differ with the two periods in the other order."""
    swapped = list(look.tariff.periods)
    swapped.insert(winner, swapped.pop(loser))
    local = instant_at(start)
    entry = look.local(local.date(), local.hour * 60 + local.minute)
    return look.difference(entry, (end - start) // SECOND, {"periods": tuple(swapped)})


def _holidays(look: Look, public_holidays: Collection[date]) -> Iterator[Lint]:
    kinds = {kind for period in look.tariff.periods for kind in period.days if kind in DAY_KINDS}
    if not kinds:
        return
    listed = frozenset(look.calendar.holidays if look.calendar else ())
    wanted = set(public_holidays)
    if look.tariff.currency == "CNY":
        wanted |= {date(look.year, month, day) for month, day in FIXED_HOLIDAYS_CN}
    for day in sorted(each for each in wanted if each.isoformat() not in listed):
        money = _money_of_holiday(look, day)
        yield found(
            "holiday_not_in_calendar",
            "calendar.holidays",
            "Charging 2",
            "warning" if money else "info",
            money,
            day=day,
        )


def _money_of_holiday(look: Look, day: date) -> int:
    """How much a stay through the day would differ, were it in the calendar."""
    calendar = look.calendar or Calendar()
    marked = Calendar(
        holidays=(*calendar.holidays, day.isoformat()), makeup_workdays=calendar.makeup_workdays
    )
    return look.difference(look.local(day, 0), 86_400, {"calendar": marked})


def _clock_times(start: int, end: int) -> tuple[str, str]:
    """Local clock times of a stretch that was laid out in UTC."""
    opens, closes = instant_at(start), instant_at(end)
    midnight = closes.hour == closes.minute == 0
    shown = "24:00" if midnight else f"{closes:%H:%M}"
    days = (end - start) // DAY
    if days and not (midnight and days == 1):
        shown += f" (+{days} d)"
    return f"{opens:%H:%M}", shown
