"""Periods in the pricer's own form: integers only, instants in microseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from pricing.charging.days import StartDays
from pricing.document import Period
from pricing.texts import naming

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
NEVER: Final = 1 << 62
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL: Final = EPOCH.toordinal()
MINUTES_A_DAY: Final = 1440

UNIT: Final = "unit"
FLAT: Final = "flat"
FREE: Final = "free"


def instant_us(at: datetime) -> int:
    """An aware instant as microseconds since 1970 UTC, exactly."""
    # Not a difference of two local times: Python takes those on the clock, not in elapsed time.
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def instant_at(us: int) -> datetime:
    """The aware UTC instant of microseconds since 1970 UTC."""
    return EPOCH + timedelta(microseconds=us)


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
        "called", "closes", "down", "id", "index", "kind", "opens", "period", "starts", "unit_us",
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
        self.starts = StartDays(period)
        self.unit_us = (period.unit_s or 0) * SECOND
        self.down = period.rounding == "down"


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


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
