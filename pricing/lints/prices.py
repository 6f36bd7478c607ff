"""Lints of prices: tiers, caps below a unit or beside a lower one, limits of the price control."""

from collections.abc import Iterator, Sequence
from math import ceil

from pricing.charging.periods import PeriodPlan
from pricing.document import Tariff
from pricing.instants import SECOND
from pricing.lints.findings import Ceiling, Lint, Look, cap_amount, classes, found, unit_price
from pricing.lints.tiers import lints_of_tiers
from pricing.texts import naming, words

HOUR_S = 3600
DAY_S = 86_400


def of_prices(look: Look, ceilings: Sequence[Ceiling]) -> Iterator[Lint]:
    """Every lint of this kind."""
    yield from lints_of_tiers(look)
    yield from _moot_caps(look.tariff)
    for period in look.pricer.timeline.periods:
        yield from _low_caps(look.tariff, period)
    for ceiling in ceilings:
        yield from of_control(look, ceiling)


def of_control(look: Look, ceiling: Ceiling) -> Iterator[Lint]:
    """Every lint of one price control."""
    for period in look.pricer.timeline.periods:
        yield from _beyond(look.tariff, period, ceiling)
    yield from _dear_days(look, ceiling)


def _prices(tariff: Tariff, period: PeriodPlan, vehicle: str | None) -> list[tuple[str, float]]:
    """Paths and prices of a period for a class."""
    path = f"periods[{period.index}]"
    given = period.period
    if given.charge == "flat":
        price = unit_price(tariff, vehicle, given.price_minor or 0, flat=True)
        return [(f"{path}.price_minor", price)]
    return [
        (
            f"{path}.tiers[{i}].price_minor",
            unit_price(tariff, vehicle, tier.price_minor, flat=False),
        )
        for i, tier in enumerate(given.tiers or ())
    ]


def _low_caps(tariff: Tariff, period: PeriodPlan) -> Iterator[Lint]:
    caps = [(f"caps[{i}].amount_minor", cap.amount_minor) for i, cap in enumerate(tariff.caps)]
    if period.period.cap_minor is not None:
        caps.append((f"periods[{period.index}].cap_minor", period.period.cap_minor))
    for path, listed in caps:
        excess = max(
            (
                price - cap_amount(tariff, vehicle, listed)
                for vehicle in classes(tariff)
                for _, price in _prices(tariff, period, vehicle)
            ),
            default=0,
        )
        if excess > 0:
            yield found(
                "cap_below_unit",
                path,
                "Charging 8",
                "warning",
                ceil(excess),
                period=period.called,
            )


def _moot_caps(tariff: Tariff) -> Iterator[Lint]:
    """Caps beside a lower one of the same window, which are then never what holds."""
    for place, cap in enumerate(tariff.caps):
        least, lowest = min(
            (other.amount_minor, i)
            for i, other in enumerate(tariff.caps)
            if other.window == cap.window
        )
        if place != lowest:
            yield found(
                "cap_beside_lower",
                f"caps[{place}].amount_minor",
                "Charging 8",
                "warning",
                cap.amount_minor - least,
                lower=naming.cap(tariff.caps[lowest], tariff.currency),
            )


def _beyond(tariff: Tariff, period: PeriodPlan, ceiling: Ceiling) -> Iterator[Lint]:
    """Rates by the hour above the ceiling or below the floor, and flats above a day's."""
    for vehicle in classes(tariff, ceiling.vehicle):
        for path, price in _prices(tariff, period, vehicle):
            most = ceiling.hour_minor if period.unit_us else ceiling.day_minor
            least = ceiling.floor_hour_minor if period.unit_us else None
            rate = price * HOUR_S * SECOND / period.unit_us if period.unit_us else price
            if most is not None and rate > most:
                yield _breach(tariff, ceiling, vehicle, path=path, limit=most, excess=rate - most)
            if least is not None and rate < least:
                yield _breach(tariff, ceiling, vehicle, path=path, limit=least, excess=rate - least)


def _breach(
    tariff: Tariff, ceiling: Ceiling, vehicle: str | None, *, path: str, limit: int, excess: float
) -> Lint:
    """A price that lies by `excess` above a limit, or below it where `excess` is negative."""
    called = words.Words("不分", "any")
    if vehicle is not None and tariff.vehicles is not None:
        called = naming.vehicle(vehicle, tariff.vehicles[vehicle])
    return found(
        "ceiling_exceeded" if excess > 0 else "floor_undercut",
        path,
        ceiling.reference,
        "error",
        ceil(abs(excess)),
        reference=ceiling.reference,
        limit=words.money(limit, tariff.currency),
        vehicle=called,
    )


def _dear_days(look: Look, ceiling: Ceiling) -> Iterator[Lint]:
    """The dearest 24 hours from midnight or an opening of a period, on a date of every kind.

    A day's limit is one of days, not of every 24 hours: a stay over noon of two days may meet two
    windows, each with the cap that the control allows for a day.
    """
    if ceiling.day_minor is None:
        return
    opens = sorted({period.opens for period in look.pricer.timeline.periods} | {0})
    entries = [look.local(day, minutes) for day in look.dates for minutes in opens]
    for vehicle in classes(look.tariff, ceiling.vehicle):
        dearest = max(look.fee(entry, DAY_S, vehicle) for entry in entries)
        if dearest > ceiling.day_minor:
            yield _breach(
                look.tariff,
                ceiling,
                vehicle,
                path="caps",
                limit=ceiling.day_minor,
                excess=dearest - ceiling.day_minor,
            )
