"""A price mechanism: approved once by the bureau, then reviewed again and again.

A review is pure: what was read of each time band, and the state of its price, in; a proposal for
each, with its reason, out. A proposal changes no money: it becomes a tariff version through the
same approval as any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from pricing.errors import NaiveTimeError, PricingError
from pricing.fields import ClockTime, Days, Minor, SeasonDay, Text, ZoneName
from pricing.mechanism_rules import (
    SFPARK_FULL,
    SFPARK_IDLE,
    Band,
    Limits,
    Move,
    Reason,
    Rule,
    Situation,
    sfpark,
    size_aware,
    size_aware_band,
)
from pricing.mechanism_texts import Bilingual, explain

LotType = Literal["on_street", "surface", "underground", "multi_storey"]
Percent = Annotated[StrictInt, Field(ge=1, le=100)]
StepPercent = Annotated[StrictInt, Field(ge=1, le=25)]
SomeMinor = Annotated[Minor, Field(ge=1)]


class UnknownBandError(PricingError):
    """A reading names a time band or a season that the mechanism does not have."""


class MissingStateError(PricingError):
    """A reading's time band and season have no price yet."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class TimeBand(_Part):
    """Hours of the week that share a price; local and half-open, as a tariff's period."""

    id: Text
    days: Days
    start: ClockTime
    end: ClockTime


class Season(_Part):
    """Days of the year, `MM-DD`, both included; may wrap the year."""

    id: Text
    first: SeasonDay = Field(alias="from")
    last: SeasonDay = Field(alias="to")

    def covers(self, day: date) -> bool:
        """Whether `day` is one of the season's."""
        written = f"{day:%m-%d}"
        if self.first <= self.last:
            return self.first <= written <= self.last
        return written >= self.first or written <= self.last


class TargetBand(_Part):
    """Occupancies, in per cent, between which prices rest."""

    lower_percent: Percent
    upper_percent: Percent

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower_percent >= self.upper_percent:
            raise ValueError("the lower end must lie below the upper end")
        return self


class Mechanism(_Part):
    """What the bureau approves; prices are for an hour, in the currency's smallest unit.

    Attributes:
        target: None for the rule's own: 60 to 80 %, or the band that knows the lot's size.
        step_minor, small_step_minor: of SFpark's rule; the small one below 2 yuan an hour.
        step_up_percent, step_down_percent: of our rule: the most that one review moves a price.
        seasons: each with prices of its own; none for one price the year round.
        shortest_interval_days: of 24 hours, between two changes of one price.
        coverage_percent: of the time band's hours that must have been seen.
        mode: `frozen` proposes nothing.
    """

    id: Text
    zone_id: Text
    lot_types: Annotated[tuple[LotType, ...], Field(min_length=1)]
    timezone: ZoneName = "Asia/Shanghai"
    time_bands: Annotated[tuple[TimeBand, ...], Field(min_length=1)]
    seasons: tuple[Season, ...] = ()
    rule: Rule = Rule.SIZE_AWARE
    target: TargetBand | None = None
    step_minor: SomeMinor = 50
    small_step_minor: SomeMinor = 10
    step_up_percent: StepPercent = 16
    step_down_percent: StepPercent = 25
    grid_minor: SomeMinor = 10
    floor_minor: Minor
    ceiling_minor: Minor
    shortest_interval_days: Annotated[StrictInt, Field(ge=1, le=366)] = 28
    coverage_percent: Percent = 90
    mode: Literal["on", "frozen"] = "on"

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.floor_minor > self.ceiling_minor:
            raise ValueError("the floor lies above the ceiling")
        if self.floor_minor % self.grid_minor or self.ceiling_minor % self.grid_minor:
            raise ValueError("floor and ceiling must lie on the grid")
        if self.rule is Rule.SFPARK and self.target is not None:
            raise ValueError("the baseline's band is 60 to 80 %; leave `target` out")
        for named in (self.time_bands, self.seasons):
            if len({one.id for one in named}) < len(named):
                raise ValueError("time bands, and seasons, each need an id of their own")
        return self

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


@dataclass(frozen=True, slots=True)
class Reading:
    """What history says of one time band since its last review.

    Attributes:
        time_band: its id.
        season: the id of the season that was read; None where the mechanism has none.
        occupancy: mean over what was seen, 0..1.
        coverage: share of the band's hours that were seen, 0..1.
        spaces: of the lot; of a zone of several, of its lot of median size.
        pressure: share of arrivals blocked, or of time without a free space; None if not known.
        pressure_beside: the greatest among the neighbouring lots, likewise.
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
        text: the reason in a sentence, Chinese and English.
    """

    state: PriceState
    reading: Reading
    before_minor: int
    after_minor: int
    rule: Rule
    reason: Reason
    band: Band
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
    text = explain(move.reason, reading.occupancy, reading.coverage, reading.pressure, band)
    return Proposal(state, reading, before, after, mechanism.rule, move.reason, band, text)


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
        band,
        reading.pressure,
        reading.pressure_beside,
    )
    if mechanism.rule is Rule.SFPARK:
        return sfpark(now, limits, mechanism.step_minor, mechanism.small_step_minor)
    up, down = mechanism.step_up_percent / 100, mechanism.step_down_percent / 100
    return size_aware(now, limits, up, down)
