"""Instants and lengths of time as integers: microseconds, since 1970 UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant_us(at: datetime) -> int:
    """An aware instant as microseconds since 1970 UTC, exactly."""
    # Not a difference of two local times: Python takes those on the clock, not in elapsed time.
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def instant_at(us: int) -> datetime:
    """The aware UTC instant of microseconds since 1970 UTC."""
    return EPOCH + timedelta(microseconds=us)
