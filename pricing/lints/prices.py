"""Lints of prices: tiers, caps below a unit or beside a lower one, limits of the price control."""

from collections.abc import Iterator, Sequence
from math import ceil

from pricing.charging.periods import PeriodPlan
from pricing.document import Tariff
from pricing.instants import SECOND
from pricing.lints.findings import Ceiling, Lint, Look, cap_amount, classes, unit_price
from pricing.lints.tiers import lints_of_tiers
from pricing.texts import naming
from pricing.texts.words import Sentence, money

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
    held = period.period
    if held.charge == "flat":
        price = unit_price(tariff, vehicle, held.price_minor or 0, flat=True)
        return [(f"{path}.price_minor", price)]
    return [
        (
            f"{path}.tiers[{i}].price_minor",
            unit_price(tariff, vehicle, tier.price_minor, flat=False),
        )
        for i, tier in enumerate(held.tiers or ())
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
            yield Lint(
                "cap_below_unit",
                path,
                "Charging 8",
                "warning",
                f"封顶低于时段“{period.called[0]}”一个计时单位的价格。",
                f'The cap is below the price of one unit of period "{period.called[1]}".',
                ceil(excess),
            )


def _moot_caps(tariff: Tariff) -> Iterator[Lint]:
    """Caps beside a lower one of the same window, which are then never what holds."""
    for place, cap in enumerate(tariff.caps):
        same = [
            (other.amount_minor, i)
            for i, other in enumerate(tariff.caps)
            if other.window == cap.window
        ]
        least, lowest = min(same)
        if place != lowest:
            zh_lower, en_lower = naming.cap(tariff.caps[lowest], tariff.currency)
            yield Lint(
                "cap_beside_lower",
                f"caps[{place}].amount_minor",
                "Charging 8",
                "warning",
                f"另有同一范围的封顶“{zh_lower}”不高于它，此封顶不起作用。",
                f'The cap "{en_lower}" is no higher for the same window, so that this one '
                "decides nothing.",
                cap.amount_minor - least,
            )


def _beyond(tariff: Tariff, period: PeriodPlan, ceiling: Ceiling) -> Iterator[Lint]:
    """Rates by the hour above the ceiling or below the floor, and flats above a day's."""
    for vehicle in classes(tariff, ceiling.vehicle):
        for path, price in _prices(tariff, period, vehicle):
            if period.unit_us:
                hourly = price * HOUR_S * SECOND / period.unit_us
                yield from _limited(tariff, ceiling, vehicle, path, hourly)
            elif ceiling.day_minor is not None and price > ceiling.day_minor:
                excess = ceil(price - ceiling.day_minor)
                yield _exceeded(
                    tariff, ceiling, vehicle, path, limit=ceiling.day_minor, excess=excess
                )


def _limited(
    tariff: Tariff, ceiling: Ceiling, vehicle: str | None, path: str, hourly: float
) -> Iterator[Lint]:
    most, least = ceiling.hour_minor, ceiling.floor_hour_minor
    if most is not None and hourly > most:
        yield _exceeded(tariff, ceiling, vehicle, path, limit=most, excess=ceil(hourly - most))
    if least is not None and hourly < least:
        zh_limit, en_limit = money(least, tariff.currency)
        zh_class, en_class = _class(tariff, vehicle)
        yield Lint(
            "floor_undercut",
            path,
            ceiling.reference,
            "error",
            f"低于{ceiling.reference}规定的每小时下限{zh_limit}（车型：{zh_class}）。",
            f"Below the floor of {en_limit} an hour of {ceiling.reference} (vehicle: {en_class}).",
            ceil(least - hourly),
        )


def _class(tariff: Tariff, vehicle: str | None) -> Sentence:
    if vehicle is None or tariff.vehicles is None:
        return "不分", "any"
    return naming.vehicle(vehicle, tariff.vehicles[vehicle])


def _exceeded(
    tariff: Tariff, ceiling: Ceiling, vehicle: str | None, path: str, *, limit: int, excess: int
) -> Lint:
    zh_limit, en_limit = money(limit, tariff.currency)
    zh_class, en_class = _class(tariff, vehicle)
    return Lint(
        "ceiling_exceeded",
        path,
        ceiling.reference,
        "error",
        f"超过{ceiling.reference}规定的上限{zh_limit}（车型：{zh_class}）。",
        f"Above the ceiling of {en_limit} of {ceiling.reference} (vehicle: {en_class}).",
        excess,
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
            excess = dearest - ceiling.day_minor
            yield _exceeded(
                look.tariff, ceiling, vehicle, "caps", limit=ceiling.day_minor, excess=excess
            )
