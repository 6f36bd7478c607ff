"""A price mechanism: what the bureau approves once, each part checked as it is read."""

from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StrictInt, model_validator

from pricing.document import Part
from pricing.fields import MAX_PERIODS, ClockTime, Days, Minor, SeasonDay, Text, ZoneName
from pricing.mechanism.rules import (
    SFPARK_FULL,
    SFPARK_IDLE,
    Band,
    Rule,
    Steps,
    longest_full,
    resting,
    size_aware_band,
)

MAX_SEASONS: Final = 12
LotType = Literal["on_street", "surface", "underground", "multi_storey"]
Percent = Annotated[StrictInt, Field(ge=1, le=100)]
StepPercent = Annotated[StrictInt, Field(ge=1, le=25)]
# 50 arrivals of as many as there are spaces.
TurnedAwayPercent = Annotated[StrictInt, Field(ge=1, le=5000)]
SomeMinor = Annotated[Minor, Field(ge=1)]


class TimeBand(Part):
    """Hours of the week that share a price; local and half-open, as a tariff's period."""

    id: Text
    days: Days
    start: ClockTime
    end: ClockTime


class Season(Part):
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


class TargetBand(Part):
    """Occupancies, in per cent, between which prices rest."""

    lower_percent: Percent
    upper_percent: Percent

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lower_percent >= self.upper_percent:
            raise ValueError("the lower end must lie below the upper end")
        return self


class Mechanism(Part):
    """What the bureau approves; prices are for an hour, in the currency's smallest unit.

    Attributes:
        target: None for the rule's own: 60 to 80 %, or the band that knows the lot's size.
        step_minor, small_step_minor: of SFpark's rule; the small one below 2 yuan an hour.
        step_up_percent, step_down_percent: of our rule: the most that one review moves a price.
        turned_away_percent: of our rule: arrivals that may be turned away, of as many as the lot
            has spaces; 500 are 5: a lot of 100 spaces may be full for 5 % of the time, one of 50
            for 10 %. A lower figure buys less blocking with higher prices.
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
    step_up_percent: StepPercent = 20
    step_down_percent: StepPercent = 12
    turned_away_percent: TurnedAwayPercent = 500
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

    def rest_of(self, spaces: int) -> Band:
        """The occupancies at which the price of a lot that is not full for too long is left alone.

        Raises:
            ValueError: no spaces.
        """
        band = self.band_of(spaces)
        return band if self.rule is Rule.SFPARK else resting(band)

    def longest_full(self, spaces: int) -> float:
        """Share of the time for which our rule lets a lot of `spaces` spaces be full, 0..1.

        Raises:
            ValueError: no spaces.
        """
        return longest_full(spaces, self.steps.turned_away)

    @property
    def steps(self) -> Steps:
        """How our rule moves prices."""
        return Steps(
            self.step_up_percent / 100, self.step_down_percent / 100, self.turned_away_percent / 100
        )
