"""Lints of tiers that never apply, or that a cap makes moot."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import gcd
from typing import Final

from pricing.charging.periods import PeriodPlan
from pricing.document import Tier
from pricing.instants import SECOND
from pricing.lints.findings import Lint, Look, cap_amount, classes, found, unit_price
from pricing.texts.words import duration

# Beyond the longest stay: a session's clock has no nearer end.
NO_END_S: Final = 367 * 86_400


def lints_of_tiers(look: Look) -> Iterator[Lint]:
    """Every lint of this kind."""
    longest = _longest(look)
    for period in look.pricer.timeline.periods:
        tiers = period.period.tiers
        if tiers and period.index in longest:
            reach = longest[period.index] if look.tariff.tier_clock == "window" else NO_END_S
            yield from _unreachable(look, period, tiers, reach)
            yield from _capped(look, period, tiers)


def _longest(look: Look) -> dict[int, int]:
    """For each period the end of the clock of its longest window, in seconds.

    A unit over an interruption counts whole, unless it is cut; so each adds less than a unit.
    """
    windows: dict[int, tuple[PeriodPlan, int, int]] = {}
    for segment in look.segments:
        if segment.period is not None and segment.period.unit_us:
            _, spent, parts = windows.get(segment.key, (segment.period, 0, 0))
            spent += segment.end - segment.start
            windows[segment.key] = segment.period, spent, parts + 1
    longest: dict[int, int] = {}
    for period, spent, parts in windows.values():
        over = 0 if look.tariff.boundary == "split" else (parts - 1) * period.unit_us
        longest[period.index] = max(longest.get(period.index, 0), (spent + over) // SECOND)
    return longest


def _step(look: Look, period: PeriodPlan) -> int:
    """What every reading of the tier clock at the start of a unit is a multiple of, in seconds."""
    if look.tariff.boundary == "split":
        return 1
    if look.tariff.tier_clock == "window":
        return period.unit_us // SECOND
    return gcd(*(each.unit_us // SECOND for each in look.pricer.timeline.periods))


def _unreachable(
    look: Look, period: PeriodPlan, tiers: Sequence[Tier], reach: int
) -> Iterator[Lint]:
    """Tiers in which no unit can start, clock changes left aside."""
    step = _step(look, period)
    ends = [*(tier.from_s for tier in tiers[1:]), NO_END_S]
    for place, (tier, end) in enumerate(zip(tiers, ends, strict=True)):
        if place and -(-tier.from_s // step) * step >= min(end, reach):
            yield found(
                "tier_never_applies",
                f"periods[{period.index}].tiers[{place}].from_s",
                "Charging 5",
                "warning",
                abs(tier.price_minor - tiers[place - 1].price_minor),
                period=period.called,
                tier=place + 1,
                start=duration(tier.from_s),
            )


def _capped(look: Look, period: PeriodPlan, tiers: Sequence[Tier]) -> Iterator[Lint]:
    """Tiers before which the window's cap is reached, for every class of vehicles."""
    cap = period.period.cap_minor
    if cap is None or look.tariff.tier_clock != "window":
        return
    for place in range(1, len(tiers)):
        if all(
            _before(look, period, tiers[: place + 1], vehicle)
            >= cap_amount(look.tariff, vehicle, cap)
            for vehicle in classes(look.tariff)
        ):
            yield found(
                "tier_beyond_cap",
                f"periods[{period.index}].tiers[{place}]",
                "Charging 8",
                "info",
                0,
                period=period.called,
                tier=place + 1,
            )


def _before(look: Look, period: PeriodPlan, tiers: Sequence[Tier], vehicle: str | None) -> float:
    """What the whole units before the last of these tiers cost a class."""
    return sum(
        (following.from_s - tier.from_s)
        // (period.unit_us // SECOND)
        * unit_price(look.tariff, vehicle, tier.price_minor, flat=False)
        for tier, following in pairwise(tiers)
    )
