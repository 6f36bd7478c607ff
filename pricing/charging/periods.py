"""Periods in the pricer's own form, and the dates on which their windows start (Charging 2)."""

from datetime import date
from typing import Final, NamedTuple

from pricing.document import Calendar, Period
from pricing.fields import DAY_NAMES
from pricing.instants import EPOCH, SECOND
from pricing.texts import naming

NEVER: Final = 1 << 62
EPOCH_ORDINAL: Final = EPOCH.toordinal()
MINUTES_A_DAY: Final = 1440

SATURDAY: Final = 5

UNIT: Final = "unit"
FLAT: Final = "flat"
FREE: Final = "free"


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


class PeriodPlan:
    """A period, ready to be laid out in time and charged.

    Attributes:
        index: its place in the list; the smaller governs.
        opens, closes: local minutes after midnight of the starting date, opens < closes <= 2880.
        unit_us: length of a unit; 0 unless `kind` is UNIT.
        down: whether a partial unit is dropped.
        called: what people call it.
    """

    __slots__ = (
        "_days", "_from", "_to", "called", "closes", "down", "id", "index", "kind", "opens",
        "period", "unit_us",
    )  # fmt: skip

    def __init__(self, index: int, period: Period) -> None:
        self.index = index
        self.period = period
        self.id = period.id
        self.called = naming.period(period)
        self.kind = period.charge
        self.opens = _minutes(period.start)
        closes = _minutes(period.end)
        self.closes = closes if closes > self.opens else closes + MINUTES_A_DAY
        self._days = None if period.days == "all" else frozenset(period.days)
        season = period.season
        self._from = _month_day(season.from_) if season else (1, 1)
        self._to = _month_day(season.to) if season else (12, 31)
        self.unit_us = (period.unit_s or 0) * SECOND
        self.down = period.rounding == "down"

    def starts_on(self, day: date, kinds: frozenset[str]) -> bool:
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


class Segment(NamedTuple):
    """A stretch of time that one window governs, or none (`period` is None, `key` -1).

    Attributes:
        start, end: half-open, microseconds since 1970 UTC.
        key: identifies the window, however often others interrupt it.
        day: ordinal of the local date on which the window starts.
    """

    start: int
    end: int
    period: PeriodPlan | None
    key: int
    day: int

    @property
    def place(self) -> int:
        """The index of the period that governs; -1 where none does."""
        return -1 if self.period is None else self.period.index


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _month_day(text: str) -> tuple[int, int]:
    return int(text[:2]), int(text[3:])
