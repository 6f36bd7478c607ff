"""Opening hours: whether a lot is open, and when it closes.

Hours are daily and half-open, in the lot's local time:

| hours | open |
|---|---|
| opens_at < closes_at | from opens_at to before closes_at |
| opens_at > closes_at | past midnight |
| opens_at = closes_at, or none | round the clock |

The SQL functions `is_open` and `closes_within` have the same rules; tests compare the two.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


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
