"""A price mechanism: approved once by the bureau, then reviewed again and again.

A review is pure: what was read of each time band, and the state of its price, in; a proposal for
each, with its reason, out. A proposal changes no money: it becomes a tariff version through the
same approval as any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pricing.errors import NaiveTimeError, PricingError
from pricing.mechanism.document import Mechanism
from pricing.mechanism.rules import (
    WATCH_FALL,
    WATCH_PRESSURE,
    WATCH_RISE,
    Band,
    Limits,
    Move,
    Reason,
    Rule,
    Situation,
    sfpark,
    size_aware,
)
from pricing.texts.reasons import explain
from pricing.texts.words import Words


class UnknownBandError(PricingError):
    """A reading names a time band or a season that the mechanism does not have."""


class MissingStateError(PricingError):
    """A reading's time band and season have no price yet."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What history says of one time band since its last review.

    Attributes:
        time_band: its id.
        season: the id of the season that was read; None where the mechanism has none.
        occupancy: mean over what was seen, 0..1.
        coverage: share of the band's hours that were seen, 0..1.
        spaces: of the lot; of a zone of several, of the lot in which its middle space lies.
        pressure: share of the time without a free space; None if not known.
        pressure_beside: the same, the mean of the lots beside; no rule looks at it, who approves
            what a review proposes may.
    """

    time_band: str
    season: str | None
    occupancy: float
    coverage: float
    spaces: int
    pressure: float | None = None
    pressure_beside: float | None = None


@dataclass(frozen=True, slots=True)
class PriceState:
    """The price of one time band in one season; `direction` is of its last change, 0 if none."""

    time_band: str
    season: str | None
    price_minor: int
    direction: int = 0
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a review proposes for one time band, and why.

    Attributes:
        band: the target that the reading was compared with.
        rest: the occupancies within it at which the price is left alone.
        text: the reason in a sentence, Chinese and English.
    """

    state: PriceState
    reading: Reading
    before_minor: int
    after_minor: int
    rule: Rule
    reason: Reason
    band: Band
    rest: Band
    text: Words


def review(
    mechanism: Mechanism, readings: Iterable[Reading], states: Iterable[PriceState], at: datetime
) -> tuple[Proposal, ...]:
    """Propose a price for each reading, in their order; `at` is the instant of the review.

    Raises:
        NaiveTimeError: `at` has no offset.
        UnknownBandError: a reading's time band or season is not the mechanism's.
        MissingStateError: a reading has no state.
    """
    if at.tzinfo is None:
        raise NaiveTimeError("the instant of a review needs an offset")
    found = {(state.time_band, state.season): state for state in states}
    proposals = []
    for reading in readings:
        _check(mechanism, reading)
        state = found.get((reading.time_band, reading.season))
        if state is None:
            raise MissingStateError(f"no price for {reading.time_band}, season {reading.season}")
        proposals.append(_propose(mechanism, reading, state, at))
    return tuple(proposals)


def _check(mechanism: Mechanism, reading: Reading) -> None:
    if reading.time_band not in {band.id for band in mechanism.time_bands}:
        raise UnknownBandError(f"{reading.time_band} is not a time band of {mechanism.id}")
    seasons: set[str | None] = {season.id for season in mechanism.seasons} or {None}
    if reading.season not in seasons:
        raise UnknownBandError(f"{reading.season} is not a season of {mechanism.id}")


def _propose(mechanism: Mechanism, reading: Reading, state: PriceState, at: datetime) -> Proposal:
    kept = _reason_to_keep(mechanism, reading, state, at)
    band = mechanism.band_of(reading.spaces)
    move = Move(state.price_minor, kept) if kept else _moved(mechanism, reading, state, band)
    rest = mechanism.rest_of(reading.spaces)
    text = explain(
        move.reason,
        occupancy=reading.occupancy,
        coverage=reading.coverage,
        pressure=reading.pressure,
        band=band,
        rest=rest,
        longest=mechanism.longest_full(reading.spaces),
        watch=(WATCH_PRESSURE, WATCH_RISE, WATCH_FALL),
    )
    return Proposal(
        state,
        reading,
        state.price_minor,
        move.price,
        mechanism.rule,
        move.reason,
        band,
        rest,
        text,
    )


def _reason_to_keep(
    mechanism: Mechanism, reading: Reading, state: PriceState, at: datetime
) -> Reason | None:
    """Why a price stays whatever was read; None where the rule decides."""
    if mechanism.mode == "frozen":
        return Reason.FROZEN
    today = at.astimezone(ZoneInfo(mechanism.timezone)).date()
    if mechanism.seasons and reading.season != mechanism.season_on(today):
        return Reason.OUT_OF_SEASON
    interval = timedelta(days=mechanism.shortest_interval_days)
    if state.changed_at is not None and at - state.changed_at < interval:
        return Reason.TOO_SOON
    # NaN, of a band that was never seen, is not enough either.
    if not reading.coverage * 100 >= mechanism.coverage_percent:
        return Reason.COVERAGE
    return None


def _moved(mechanism: Mechanism, reading: Reading, state: PriceState, band: Band) -> Move:
    limits = Limits(mechanism.floor_minor, mechanism.ceiling_minor, mechanism.grid_minor)
    now = Situation(
        state.price_minor,
        state.direction,
        reading.occupancy,
        reading.spaces,
        band,
        reading.pressure,
    )
    if mechanism.rule is Rule.SFPARK:
        return sfpark(now, limits, mechanism.step_minor, mechanism.small_step_minor)
    return size_aware(now, limits, mechanism.steps)
