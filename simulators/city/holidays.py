"""Public holidays and make-up workdays, by the State Council's notices."""

from datetime import date, timedelta
from typing import Final

# First day and length of the holidays of 2025 and 2026, by the State Council's notices of
# 12 November 2024 and 4 November 2025.
HOLIDAYS: Final = (
    ("2025-01-01", 1),
    ("2025-01-28", 8),
    ("2025-04-04", 3),
    ("2025-05-01", 5),
    ("2025-05-31", 3),
    ("2025-10-01", 8),
    ("2026-01-01", 3),
    ("2026-02-15", 9),
    ("2026-04-04", 3),
    ("2026-05-01", 5),
    ("2026-06-19", 3),
    ("2026-09-25", 3),
    ("2026-10-01", 7),
)
MAKEUP_WORKDAYS: Final = (
    *("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"),
    *("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
)


def holidays() -> list[date]:
    """Return every day of the holidays, in order."""
    return [
        date.fromisoformat(first) + timedelta(days=day)
        for first, days in HOLIDAYS
        for day in range(days)
    ]
