"""Public holidays and make-up workdays, by the State Council's notices."""

from collections.abc import Iterable
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

# Those of the years from which there are stays of Chinese lots, likewise: notices of 1 December
# 2016, 30 November 2017, 6 December 2018 and, for 1 May 2019, 22 March 2019.
PAST_HOLIDAYS: Final = (
    ("2017-10-01", 8),
    ("2017-12-30", 3),
    ("2018-02-15", 7),
    ("2018-04-05", 3),
    ("2018-04-29", 3),
    ("2018-06-16", 3),
    ("2018-09-22", 3),
    ("2018-10-01", 7),
    ("2018-12-30", 3),
    ("2019-02-04", 7),
    ("2019-04-05", 3),
    ("2019-05-01", 4),
    ("2019-06-07", 3),
    ("2019-09-13", 3),
    ("2019-10-01", 7),
)
PAST_MAKEUP_WORKDAYS: Final = (
    *("2017-09-30", "2018-02-11", "2018-02-24", "2018-04-08", "2018-04-28", "2018-09-29"),
    *("2018-09-30", "2018-12-29", "2019-02-02", "2019-02-03", "2019-04-28", "2019-05-05"),
    *("2019-09-29", "2019-10-12"),
)


def holidays(of: Iterable[tuple[str, int]] = HOLIDAYS) -> list[date]:
    """Return every day of the holidays, in order."""
    return [
        date.fromisoformat(first) + timedelta(days=day) for first, days in of for day in range(days)
    ]
