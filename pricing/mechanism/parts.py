"""The parts that a price mechanism is made of, each checked as it is read."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from pricing.fields import ClockTime, Days, Minor, SeasonDay, Text

LotType = Literal["on_street", "surface", "underground", "multi_storey"]
Percent = Annotated[StrictInt, Field(ge=1, le=100)]
StepPercent = Annotated[StrictInt, Field(ge=1, le=25)]
SomeMinor = Annotated[Minor, Field(ge=1)]


class Part(BaseModel):
    """Any part of a mechanism: frozen, and without fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
