"""Prices in the pricer's own form: integers over one denominator for a class of vehicles."""

import math
from fractions import Fraction
from typing import Final, NamedTuple

from pricing.charging.periods import NEVER, PeriodPlan
from pricing.document import Cap, Period, Tariff, Vehicle
from pricing.fields import exact
from pricing.instants import SECOND
from pricing.texts import naming
from pricing.texts.lines import Adjustment
from pricing.texts.words import Words, name_of

PLAIN: Final = Vehicle()


class Rates(NamedTuple):
    """What a period charges a class of vehicles.

    The price of a flat is its only tier's; a free period has no tiers.

    Attributes:
        froms: readings of the tier clock from which each tier holds, microseconds.
        untils: where each ends; NEVER for the last.
        prices: of a unit in each tier, adjusted, in 1/denominator of the smallest unit.
        listed: of a unit in each tier, as the document says it.
        foreign: id of the version that set the prices, where it is not the one at entry.
        foreign_called: what people call that version.
    """

    froms: tuple[int, ...]
    untils: tuple[int, ...]
    prices: tuple[int, ...]
    listed: tuple[int, ...]
    foreign: str | None
    foreign_called: Words | None


class VehicleRates:
    """A tariff's prices and caps for one class of vehicles.

    Attributes:
        denominator: all of `by_period` and the caps are integers over it.
        by_period: rates in the order of the periods.
        window_caps: by index of the period.
        caps: in the order listed.
        entitlements: what people call each, by its id.
    """

    __slots__ = (
        "_tariff", "_vehicle", "by_period", "caps", "denominator", "entitlements",
        "flat_adjustment", "unit_adjustment", "window_caps",
    )  # fmt: skip

    def __init__(self, tariff: Tariff, name: str | None, periods: tuple[PeriodPlan, ...]) -> None:
        vehicle = tariff.vehicles[name] if tariff.vehicles and name is not None else PLAIN
        self._tariff, self._vehicle = tariff, vehicle
        scale = exact(vehicle.cap_multiplier)
        factor = exact(vehicle.multiplier)
        self.denominator = math.lcm(scale.denominator, factor.denominator)
        self.by_period = tuple(self._of(each.period, None) for each in periods)
        self.window_caps = {
            each.index: self._whole(scale * each.period.cap_minor)
            for each in periods
            if each.period.cap_minor is not None
        }
        self.caps: tuple[tuple[Cap, int], ...] = tuple(
            (cap, self._whole(scale * cap.amount_minor)) for cap in tariff.caps
        )
        added = vehicle.add_minor_per_unit
        changed = Adjustment(name, str(vehicle.multiplier), called=naming.vehicle(name, vehicle))
        self.flat_adjustment = None if factor == 1 else changed
        self.unit_adjustment = (
            changed._replace(add_minor_per_unit=added) if added else self.flat_adjustment
        )
        self.entitlements = {each.id: naming.entitlement(each) for each in tariff.entitlements}

    def of_version(self, tariff: Tariff) -> tuple[Rates, ...]:
        """The rates where the prices are a later version's (Charging 10).

        Each period takes the prices of that version's period of the same id. The entry version's
        prices hold where it has none, or one that charges in another way (a flat for units).
        """
        theirs = {period.id: period for period in tariff.periods}
        return tuple(
            self._of(other, tariff)
            if (other := theirs.get(ours.id)) and other.charge == ours.charge
            else rates
            for ours, rates in zip(self._tariff.periods, self.by_period, strict=True)
        )

    def _of(self, period: Period, version: Tariff | None) -> Rates:
        tiers = [(tier.from_s, tier.price_minor) for tier in period.tiers or ()]
        factor, added = exact(self._vehicle.multiplier), self._vehicle.add_minor_per_unit
        if period.price_minor is not None:
            tiers, added = [(0, period.price_minor)], 0
        froms = tuple(from_s * SECOND for from_s, _ in tiers)
        listed = tuple(price for _, price in tiers)
        return Rates(
            froms,
            (*froms[1:], NEVER),
            # Only a later version's price can fall below what the vehicle's class takes off.
            tuple(max(0, self._whole(price * factor + added)) for price in listed),
            listed,
            version.id if version else None,
            name_of(version) if version else None,
        )

    def _whole(self, amount: Fraction) -> int:
        return int(amount * self.denominator)
