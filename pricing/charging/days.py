"""Which kinds of day a local date is, and whether a period's window starts on it (Charging 2)."""

from datetime import date
from typing import Final

from pricing.document import Calendar, Period
from pricing.fields import DAY_NAMES

SATURDAY: Final = 5


class DayTypes:
    """The day types of dates under one calendar."""

    __slots__ = ("_holidays", "_makeup")

    def __init__(self, calendar: Calendar | None) -> None:
        listed = calendar or Calendar()
        self._holidays = frozenset(map(date.fromisoformat, listed.holidays))
        self._makeup = frozenset(map(date.fromisoformat, listed.makeup_workdays))

    def of(self, day: date) -> frozenset[str]:
        """The kinds of `day`: its weekday's name, and one of workday, weekend, holiday.

        A holiday is neither workday nor weekend and wins over a make-up workday; the names of
        weekdays look at neither.
        """
        weekday = day.weekday()
        if day in self._holidays:
            kind = "holiday"
        elif weekday < SATURDAY or day in self._makeup:
            kind = "workday"
        else:
            kind = "weekend"
        return frozenset((kind, DAY_NAMES[weekday]))


class StartDays:
    """The dates on which windows of one period start: its day types and its season."""

    __slots__ = ("_days", "_from", "_to")

    def __init__(self, period: Period) -> None:
        self._days = None if period.days == "all" else frozenset(period.days)
        season = period.season
        self._from = _month_day(season.from_) if season else (1, 1)
        self._to = _month_day(season.to) if season else (12, 31)

    def include(self, day: date, kinds: frozenset[str]) -> bool:
        """Whether a window starts on `day`, which is of these `kinds`.

        Seasons include both ends. In a year without 29 February a season from it starts on
        1 March and one up to it ends on 28 February.
        """
        if self._days is not None and self._days.isdisjoint(kinds):
            return False
        at = (day.month, day.day)
        if self._from <= self._to:
            return self._from <= at <= self._to
        return at >= self._from or at <= self._to


def _month_day(text: str) -> tuple[int, int]:
    return int(text[:2]), int(text[3:])
