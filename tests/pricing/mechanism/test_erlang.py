import math

import pytest

from pricing.mechanism.erlang import blocked_share, busy_share, load_behind, offered_load


@pytest.mark.parametrize(
    ("spaces", "share"), [(10, 0.59), (20, 0.72), (50, 0.85), (100, 0.90), (300, 0.96)]
)
def test_occupancy_at_which_one_in_twenty_is_blocked(spaces: int, share: float) -> None:
    assert round(busy_share(spaces), 2) == share


@pytest.mark.parametrize(("spaces", "offered"), [(1, 0.5), (5, 3.0), (20, 25.0)])
def test_the_recursion_agrees_with_the_formula(spaces: int, offered: float) -> None:
    terms = [offered**n / math.factorial(n) for n in range(spaces + 1)]
    assert blocked_share(spaces, offered) == pytest.approx(terms[-1] / sum(terms), rel=1e-12)


def test_a_large_lot_neither_overflows_nor_loses_digits() -> None:
    assert blocked_share(20_000, 0.0) == 0
    assert 0 < blocked_share(20_000, 20_000) < 0.01
    assert blocked_share(2_000, 1e9) == pytest.approx(1 - 2_000 / 1e9, rel=1e-9)


@pytest.mark.parametrize("blocking", [0.001, 0.05, 0.5, 0.9])
def test_the_inverse_gives_the_load_back(blocking: float) -> None:
    assert blocked_share(37, offered_load(37, blocking)) == pytest.approx(blocking, rel=1e-9)


@pytest.mark.parametrize(
    ("spaces", "busy", "load"),
    [
        (1, 0.5, 1.0),  # a / (1 + a)
        (1, 0.9, 9.0),
        (2, 0.6, 2.0),  # a (1 + a) / (1 + a + a^2 / 2) = 6 / 5
        (7, 0.0, 0.0),
    ],
)
def test_the_load_behind_an_occupancy(spaces: int, busy: float, load: float) -> None:
    assert load_behind(spaces, busy) == pytest.approx(load, abs=1e-9)


@pytest.mark.parametrize("blocking", [0.001, 0.05, 0.5])
def test_the_load_behind_the_busy_share_is_that_of_the_blocking(blocking: float) -> None:
    found = load_behind(60, busy_share(60, blocking))
    assert found == pytest.approx(offered_load(60, blocking), rel=1e-6)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        blocked_share(10, math.nan)
    with pytest.raises(ValueError, match="space"):
        offered_load(0)
    with pytest.raises(ValueError, match="between"):
        offered_load(10, 1.0)
    with pytest.raises(ValueError, match="below 1"):
        load_behind(10, 1.0)
