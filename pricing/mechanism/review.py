"""A price mechanism: approved once by the bureau, then reviewed again and again.

A review is pure: what was read of each time band, and the state of its price, in; a proposal for
each, with its reason, out. A proposal changes no money: it becomes a tariff version through the
same approval as any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, StrictInt, model_validator

from pricing.errors import NaiveTimeError, PricingError
from pricing.fields import MAX_PERIODS, Minor, Text, ZoneName
from pricing.mechanism.parts import (
    LotType,
    Part,
    Percent,
    Season,
    SomeMinor,
    StepPercent,
    TargetBand,
    TimeBand,
)
from pricing.mechanism.rules import (
    SFPARK_FULL,
    SFPARK_IDLE,
    Band,
    Limits,
    Move,
    Reason,
    Rule,
    Situation,
    Steps,
    resting,
    sfpark,
    size_aware,
    size_aware_band,
)
from pricing.mechanism.texts import Bilingual, Seen, explain

MAX_SEASONS: Final = 12


class UnknownBandError(PricingError):
    """A reading names a time band or a season that the mechanism does not have."""


class MissingStateError(PricingError):
    """A reading's time band and season have no price yet."""


class Mechanism(Part):
    """What the bureau approves; prices are for an hour, in the currency's smallest unit.

    Attributes:
        target: None for the rule's own: 60 to 80 %, or the band that knows the lot's size.
        step_minor, small_step_minor: of SFpark's rule; the small one below 2 yuan an hour.
        step_up_percent, step_down_percent: of our rule: the most that one review moves a price.
        turned_away_percent: of our rule: arrivals that its aim lets be turned away, of as many as
            the lot has spaces (more in lots of less than 60). A lower figure buys less blocking
            with higher prices.
        seasons: each with prices of its own; none for one price the year round.
        shortest_interval_days: of 24 hours, between two changes of one price.
        coverage_percent: of the time band's hours that must have been seen.
        mode: `frozen` proposes nothing.
    """

    id: Text
    zone_id: Text
    lot_types: Annotated[tuple[LotType, ...], Field(min_length=1, max_length=4)]
    timezone: ZoneName = "Asia/Shanghai"
    time_bands: Annotated[tuple[TimeBand, ...], Field(min_length=1, max_length=MAX_PERIODS)]
    seasons: Annotated[tuple[Season, ...], Field(max_length=MAX_SEASONS)] = ()
    rule: Rule = Rule.SIZE_AWARE
    target: TargetBand | None = None
    step_minor: SomeMinor = 50
    small_step_minor: SomeMinor = 10
    step_up_percent: StepPercent = 25
    step_down_percent: StepPercent = 25
    turned_away_percent: Percent = 60
    grid_minor: SomeMinor = 10
    floor_minor: Minor
    ceiling_minor: Minor
    shortest_interval_days: Annotated[StrictInt, Field(ge=1, le=366)] = 28
    coverage_percent: Percent = 90
    mode: Literal["on", "frozen"] = "on"

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        baseline = self.rule is Rule.SFPARK
        faults = {
            "the floor lies above the ceiling": self.floor_minor > self.ceiling_minor,
            "floor and ceiling must lie on the grid": self._off_grid(
                self.floor_minor, self.ceiling_minor
            ),
            # Else its prices would leave the grid, and what a unit costs be no whole amount.
            "the baseline's steps must be multiples of the grid": baseline
            and self._off_grid(self.step_minor, self.small_step_minor),
            "the baseline's band is 60 to 80 %; leave `target` out": baseline
            and self.target is not None,
            "time bands, and seasons, each need an id of their own": any(
                len({one.id for one in named}) < len(named)
                for named in (self.time_bands, self.seasons)
            ),
        }
        if any(faults.values()):
            raise ValueError("; ".join(fault for fault, found in faults.items() if found))
        return self

    def _off_grid(self, *amounts: int) -> bool:
        return any(amount % self.grid_minor for amount in amounts)

    def season_on(self, day: date) -> str | None:
        """The id of the first season that covers a local date; None where none does."""
        return next((season.id for season in self.seasons if season.covers(day)), None)

    def band_of(self, spaces: int) -> Band:
        """The target band of a lot of `spaces` spaces.

        Raises:
            ValueError: no spaces.
        """
        if self.target is not None:
            return Band(self.target.lower_percent / 100, self.target.upper_percent / 100)
        if self.rule is Rule.SFPARK:
            return Band(SFPARK_IDLE, SFPARK_FULL)
        return size_aware_band(spaces)

    def rest_of(self, reading: "Reading") -> Band:
        """The occupancies between which the price of a reading's time band is left alone.

        Raises:
            ValueError: no spaces.
        """
        band = self.band_of(reading.spaces)
        if self.rule is Rule.SFPARK:
            return band
        return resting(reading.spaces, band, self.steps.turned_away, reading.pressure_beside)

    @property
    def steps(self) -> Steps:
        """How our rule moves prices."""
        return Steps(
            self.step_up_percent / 100, self.step_down_percent / 100, self.turned_away_percent / 100
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What history says of one time band since its last review.

    Attributes:
        time_band: its id.
        season: the id of the season that was read; None where the mechanism has none.
        occupancy: mean over what was seen, 0..1.
        coverage: share of the band's hours that were seen, 0..1.
        spaces: of the lot; of a zone of several, of the lot in which its middle space lies.
        pressure: share of arrivals blocked, or of time without a free space; None if not known.
        pressure_beside: of a lot, the greatest among its neighbours; of a zone of several, the
            mean of the lots beside.
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
    """What a review proposes for one time band, and why; `held` where the price stays.

    Attributes:
        band: the target that the reading was held against.
        rest: the occupancies within it between which the price is left alone.
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
    text: Bilingual

    @property
    def held(self) -> bool:
        """Whether nothing is to change."""
        return self.after_minor == self.before_minor

    def applied(self, at: datetime) -> PriceState:
        """The state once the proposal is in force from `at` on; the same where it is held."""
        if self.held:
            return self.state
        direction = 1 if self.after_minor > self.before_minor else -1
        state = self.state
        return PriceState(state.time_band, state.season, self.after_minor, direction, at)


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
    seasons: set[str | None] = {season.id for season in mechanism.seasons}
    seasons = seasons or {None}
    if reading.season not in seasons:
        raise UnknownBandError(f"{reading.season} is not a season of {mechanism.id}")


def _propose(mechanism: Mechanism, reading: Reading, state: PriceState, at: datetime) -> Proposal:
    held = _held(mechanism, reading, state, at)
    band = mechanism.band_of(reading.spaces)
    move = Move(state.price_minor, held) if held else _moved(mechanism, reading, state, band)
    before, after = state.price_minor, move.price
    rest = mechanism.rest_of(reading)
    seen = Seen(reading.occupancy, reading.coverage, reading.pressure, band, rest)
    text = explain(move.reason, seen)
    return Proposal(state, reading, before, after, mechanism.rule, move.reason, band, rest, text)


def _held(mechanism: Mechanism, reading: Reading, state: PriceState, at: datetime) -> Reason | None:
    """Why a price is not even looked at, if so."""
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
        reading.pressure_beside,
    )
    if mechanism.rule is Rule.SFPARK:
        return sfpark(now, limits, mechanism.step_minor, mechanism.small_step_minor)
    return size_aware(now, limits, mechanism.steps)
