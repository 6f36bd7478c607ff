"""Work is counted by the pricer itself, and refused where somebody made it up to take long."""

from datetime import UTC, datetime, timedelta

import pytest

from pricing import Calendar, Stay, TooMuchWorkError, lint, quote
from pricing.charging.budget import MAX_PIECES, Budget
from tests.pricing.builders import free_period, tariff, unit_period

ENTRY = datetime(2026, 1, 1, tzinfo=UTC)
# 48 periods of 30 minutes, each of four tiers of 7 minutes: 240 pieces a day and more.
TIERS = [{"from_s": 420 * place, "price_minor": place} for place in range(4)]
DENSE = tariff(
    *(
        unit_period(
            f"p{place}",
            f"{place // 2:02}:{place % 2 * 30:02}",
            f"{(place + 1) // 2:02}:{(place + 1) % 2 * 30:02}",
            unit_s=420,
            tiers=TIERS,
            rounding="down",
        )
        for place in range(48)
    ),
    boundary="split",
)


def stay(days: int) -> Stay:
    return Stay(ENTRY, ENTRY + timedelta(days=days))


def test_a_stay_of_too_many_pieces_is_refused() -> None:
    assert len(quote(DENSE, stay(30)).lines) > 30 * 200
    for days in (100, 366):
        with pytest.raises(TooMuchWorkError):
            quote(DENSE, stay(days))


def test_a_stay_of_too_many_windows_is_refused() -> None:
    """Two of them a half hour: 15 minutes of a period, 15 of none."""
    gappy = tariff(
        *(
            free_period(
                f"p{place}",
                f"{place // 2:02}:{place % 2 * 30:02}",
                f"{place // 2:02}:{place % 2 * 30 + 15:02}",
            )
            for place in range(48)
        )
    )
    assert len(quote(gappy, stay(100)).lines) > 100 * 95
    with pytest.raises(TooMuchWorkError):
        quote(gappy, stay(366))


def test_a_year_of_a_real_tariff_is_far_from_the_bound() -> None:
    plain = tariff(
        unit_period("night", "21:00", "08:00", days=["workday"]),
        unit_period("day", "08:00", "21:00", days=["workday"], tiers=TIERS),
        unit_period("rest", "00:00", "24:00", days=["weekend", "holiday"], tiers=TIERS),
    )
    assert len(quote(plain, stay(366)).lines) < MAX_PIECES / 4


def test_a_look_is_bounded() -> None:
    with pytest.raises(TooMuchWorkError):
        lint(DENSE, year=2026, calendar=Calendar(), budget=Budget(10_000))

    spent = Budget()
    plain = tariff(unit_period("day", "08:00", "21:00", tiers=TIERS))
    lint(plain, year=2026, on_street=plain, budget=spent)
    assert spent.left > Budget().left * 0.9
