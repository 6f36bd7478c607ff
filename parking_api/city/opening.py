"""When a lot is open: its hours, and a time for which its operator has closed it.

Hours are daily and half-open, in the lot's local time:

| hours | open |
|---|---|
| opens_at < closes_at | from opens_at to before closes_at |
| opens_at > closes_at | past midnight |
| opens_at = closes_at, or none | round the clock |

A closure is half-open, from instant to instant, or without end; it goes before the hours.

The SQL functions `is_open`, `closes_within` and `is_shut` have the same rules; tests compare them.
"""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Opening(NamedTuple):
    """When a lot is open.

    Attributes:
        opens_at: Local time of day; None for round the clock.
        closes_at: The same, exclusive.
        timezone: The lot's.
        closed_from: When its closure begins; None where there is none.
        closed_until: When that ends, exclusive; None for without end.
    """

    opens_at: time | None
    closes_at: time | None
    timezone: str
    closed_from: datetime | None = None
    closed_until: datetime | None = None

    def is_shut(self, at: datetime) -> bool:
        """Return whether it is closed for a time at an instant."""
        return self.shut_within(at, at) is not None

    def is_open(self, at: datetime) -> bool:
        """Return whether it is open at an instant."""
        local = at.astimezone(ZoneInfo(self.timezone)).time()
        return is_open(self.opens_at, self.closes_at, local) and not self.is_shut(at)

    def shut_within(self, start: datetime, end: datetime) -> datetime | None:
        """Return the first instant of a stay at which it is closed for a time; None for none."""
        begins, ends = self.closed_from, self.closed_until
        if begins is None or (ends is not None and ends <= start):
            return None
        if begins <= start:
            return start
        return begins if begins < end else None

    def not_open_within(self, start: datetime, end: datetime) -> datetime | None:
        """Return the first instant of a stay at which it is not open; see `closes_within`."""
        by_hours = closes_within(self.opens_at, self.closes_at, self.timezone, start, end)
        shut = self.shut_within(start, end)
        # In UTC: times of one zone are compared by the clock on the wall, which may go back.
        if shut is None or (by_hours and by_hours.astimezone(UTC) <= shut):
            return by_hours
        return shut.astimezone(ZoneInfo(self.timezone))


def is_open(opens_at: time | None, closes_at: time | None, local: time) -> bool:
    """Return whether hours include a local time of day."""
    if opens_at is None or closes_at is None:
        return True
    if opens_at < closes_at:
        return opens_at <= local < closes_at
    return local >= opens_at or local < closes_at


def closes_within(
    opens_at: time | None, closes_at: time | None, timezone: str, start: datetime, end: datetime
) -> datetime | None:
    """Return the first instant of a stay at which a lot is not open.

    Args:
        opens_at: Local time of day; None for round the clock.
        closes_at: The same, exclusive.
        timezone: The lot's.
        start: Of the stay, aware.
        end: Of the stay, exclusive.

    Returns:
        In the lot's time zone; the start itself where the lot is closed then; None where it is
        open throughout. A closing time that a clock change repeats is its next pass; one that a
        change skips is taken by the offset before, as the pricer does.
    """
    if opens_at is None or closes_at is None or opens_at == closes_at:
        return None
    zone = ZoneInfo(timezone)
    local = start.astimezone(zone)
    if not is_open(opens_at, closes_at, local.time()):
        return local
    day = local.date() + timedelta(days=closes_at <= local.time())
    passes = [
        datetime.combine(day, closes_at, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)
    ]
    closing = passes[0] if passes[0] > start else passes[1]
    return closing.astimezone(zone) if closing < end else None
