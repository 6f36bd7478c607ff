"""A mechanism and the tariff whose prices it moves: which period is which time band.

A time band is the charged period of the tariff that has its days and its hours, and its season
where the mechanism has seasons. The price of the band is that of the period's first tier, for an
hour; later tiers keep their distance from it. Caps, grace and all else stay as they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from pricing.charging.quoting import pricer
from pricing.document import Calendar, Period, Tariff
from pricing.errors import Fault, PricingError
from pricing.instants import instant_at, instant_us
from pricing.mechanism.document import Mechanism, Season, TimeBand
from pricing.mechanism.review import PriceState, Proposal, Reading, review

HOUR_S: Final = 3600
Interval = tuple[datetime, datetime]


class MechanismUnfitError(PricingError):
    """A mechanism cannot move the prices of a tariff; `faults` says all that is in the way."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults))


@dataclass(frozen=True, slots=True)
class BandPeriod:
    """The period of a tariff that is a time band, in one season of the mechanism or in all."""

    time_band: str
    season: str | None
    period: Period

    @property
    def hour_prices(self) -> tuple[Fraction, ...]:
        """What an hour costs, tier by tier, in the currency's smallest unit."""
        return tuple(
            Fraction(tier.price_minor * HOUR_S, self.period.unit_s or HOUR_S)
            for tier in self.period.tiers or ()
        )

    @property
    def price(self) -> Fraction:
        """What an hour costs in the first tier: the price that the mechanism moves."""
        return self.hour_prices[0]


def fit(mechanism: Mechanism, tariff: Tariff) -> tuple[BandPeriod, ...]:
    """Find the period of each time band and season, in the mechanism's order.

    Raises:
        MechanismUnfitError: a band has no period, or one whose prices it could not move within
            the mechanism's limits and on its grid.
    """
    faults = []
    if mechanism.timezone != tariff.timezone:
        message = f"is {mechanism.timezone}, the tariff's is {tariff.timezone}"
        faults.append(Fault("timezone", "timezone", message))
    found = []
    for at, band in enumerate(mechanism.time_bands):
        for season in mechanism.seasons or (None,):
            path = f"time_bands[{at}]"
            period = _period_of(tariff, band, season)
            if period is None:
                during = f" from {season.first} to {season.last}" if season else ""
                message = f"the tariff charges no period of these days and hours by units{during}"
                faults.append(Fault(path, "no_period", message))
                continue
            one = BandPeriod(band.id, season.id if season else None, period)
            faults += [Fault(path, "price", message) for message in _unmovable(mechanism, one)]
            found.append(one)
    if faults:
        raise MechanismUnfitError(faults)
    return tuple(found)


def _period_of(tariff: Tariff, band: TimeBand, season: Season | None) -> Period | None:
    wanted = (_days(band), *_hours(band), (season.first, season.last) if season else None)
    for period in tariff.periods:
        dates = (period.season.from_, period.season.to) if period.season else None
        if period.charge == "unit" and wanted == (_days(period), *_hours(period), dates):
            return period
    return None


def _days(of: TimeBand | Period) -> frozenset[str]:
    return frozenset(["all"] if of.days == "all" else of.days)


def _hours(of: TimeBand | Period) -> tuple[str, str]:
    """Where the hours begin and end; both ways to write midnight are one."""
    return of.start, "24:00" if of.end == "00:00" else of.end


def _unmovable(mechanism: Mechanism, one: BandPeriod) -> list[str]:
    """What keeps a mechanism from moving the prices of a band."""
    prices, grid = one.hour_prices, mechanism.grid_minor
    reasons = []
    if grid * (one.period.unit_s or HOUR_S) % HOUR_S:
        reasons.append(f"a unit of {one.period.unit_s} s cannot follow a grid of {grid} an hour")
    if one.price % grid:
        reasons.append(f"the price of an hour, {float(one.price):g}, is not on the grid of {grid}")
    if min(prices) < mechanism.floor_minor or max(prices) > mechanism.ceiling_minor:
        low, high = float(min(prices)), float(max(prices))
        reasons.append(
            f"an hour costs {low:g} to {high:g}, not within the floor of {mechanism.floor_minor} "
            f"and the ceiling of {mechanism.ceiling_minor}"
        )
    return reasons


def bounded(mechanism: Mechanism, one: BandPeriod) -> Mechanism:
    """The mechanism as it holds for the first tier, so that no other tier leaves the limits."""
    grid, prices = mechanism.grid_minor, one.hour_prices
    above, below = max(prices) - one.price, one.price - min(prices)
    return mechanism.model_copy(
        update={
            "ceiling_minor": (mechanism.ceiling_minor - above) // grid * grid,
            "floor_minor": -(-(mechanism.floor_minor + below) // grid) * grid,
        }
    )


def price_states(
    mechanism: Mechanism, history: Iterable[tuple[datetime, Tariff]]
) -> tuple[PriceState, ...]:
    """Return the price of each band and season, and when and which way it changed last.

    Args:
        mechanism: Whose bands and seasons.
        history: Each tariff that has priced the mechanism's lots, from when on, oldest first; the
            last one, which `fit` accepts, is in force. One without the band's period is passed
            over.
    """
    history = list(history)
    return tuple(
        _state(history, band, season)
        for band in mechanism.time_bands
        for season in mechanism.seasons or (None,)
    )


def _state(
    history: list[tuple[datetime, Tariff]], band: TimeBand, season: Season | None
) -> PriceState:
    season_id = season.id if season else None
    price: Fraction | None = None
    direction, changed_at = 0, None
    for at, tariff in history:
        if period := _period_of(tariff, band, season):
            now = BandPeriod(band.id, season_id, period).price
            if price is not None and now != price:
                direction, changed_at = (1 if now > price else -1), at
            price = now
    return PriceState(band.id, season_id, int(price or 0), direction, changed_at)


def governed(
    tariff: Tariff, calendar: Calendar | None, start: datetime, end: datetime
) -> Mapping[str, list[Interval]]:
    """Lay out when each period governs within [start, end), by the period's id, in time's order."""
    found: defaultdict[str, list[Interval]] = defaultdict(list)
    timeline = pricer(tariff, calendar).timeline
    for segment in timeline.between(instant_us(start), instant_us(end)):
        if segment.period is not None:
            interval = instant_at(segment.start), instant_at(segment.end)
            found[segment.period.id].append(interval)
    return found


def review_tariff(
    mechanism: Mechanism,
    periods: Iterable[BandPeriod],
    states: Sequence[PriceState],
    readings: Iterable[Reading],
    at: datetime,
) -> tuple[Proposal, ...]:
    """Review the prices of a tariff, as `review` does; no tier leaves the mechanism's limits.

    Args:
        mechanism: By what rule.
        periods: As `fit` found them.
        states: As `price_states` returns them.
        readings: One for each price to be reviewed.
        at: When.
    """
    by_band = {(one.time_band, one.season): one for one in periods}
    return tuple(
        proposal
        for reading in readings
        for proposal in review(
            bounded(mechanism, by_band[reading.time_band, reading.season]), [reading], states, at
        )
    )


def moved(
    document: Mapping[str, Any],
    periods: Iterable[BandPeriod],
    by: Mapping[tuple[str, str | None], int],
) -> dict[str, Any]:
    """The document with other prices: each tier of a moved period moves alike.

    Args:
        document: Of the tariff that `periods` are of.
        periods: As `fit` found them.
        by: Time band and season -> how much more an hour costs, in the smallest unit.
    """
    hours = {one.period.id: by.get((one.time_band, one.season), 0) for one in periods}
    made = deepcopy(dict(document))
    for period in made["periods"]:
        for tier in period.get("tiers") or ():
            tier["price_minor"] += hours.get(period["id"], 0) * period["unit_s"] // HOUR_S
    return made
