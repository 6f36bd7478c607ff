"""The shapes of answers about the whole city."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from parking_api.models import DEGRADED, Answer, Count, Instant, Name


class Totals(Answer):
    """Sums over lots."""

    lots: Count = Field(examples=[1670])
    capacity: Count = Field(description="Spaces in service, of all lots.", examples=[470_000])
    free_spaces: Count = Field(description="Spaces known to be free, of live and stale lots.")
    unknown_spaces: Count = Field(
        description="Spaces of live and stale lots of which nothing is known."
    )
    occupancy: Annotated[float, Field(ge=0, le=1)] | None = Field(
        description="1 - free / (capacity - unknown), over live and stale lots; null where nothing "
        "is known."
    )
    live: Count = Field(
        description="Lots whose state is at most 90 s old, or 1.5 of their report intervals."
    )
    stale: Count = Field(
        description="Lots whose state is older, and at most 15 min or 3 of their report intervals."
    )
    estimated: Count = Field(description="Lots whose state is a forecast.")
    unknown: Count = Field(description="Lots whose state is older still, or never heard of.")


class DistrictTotals(Totals):
    """Sums over the lots of one district."""

    adcode: str | None = Field(
        description="Null for the lots outside every district, where there are any.",
        examples=["370202"],
    )
    name: Name | None


class CityTotals(Totals):
    """Sums over all lots, and over each district's."""

    districts: list[DistrictTotals]
    as_of: AwareDatetime | None = Field(
        description="The newest commit that the answer reflects; null before the first."
    )
    degraded: bool = Field(description=DEGRADED)


class Alive(Answer):
    """The process lives."""

    status: Literal["alive"] = "alive"


class Ready(Answer):
    """The city is whole: every lot is loaded, every simulated one heard from."""

    status: Literal["ready"] = "ready"
    lots: Count


class Program(Answer):
    """A program of the platform, as what runs it knows it."""

    name: str = Field(examples=["ingester"])
    is_up: bool
    restarts: Count = Field(description="How often it was started again after it ended by itself.")


class LastHour(Answer):
    """The last 60 minutes of the clock, the running one last; null where a minute is not known."""

    begins_at: Instant = Field(description="When the first minute began.")
    step_s: Count = Field(description="Seconds from one value to the next.", examples=[60])
    commit_age_s: list[float | None] = Field(
        description="The greatest age of the newest commit in the minute, seconds."
    )
    observations_per_s: list[float | None] = Field(
        description="Bays and counts applied, a second: the mean of the minute."
    )
    lots_live: list[Count | None] = Field(description="The fewest lots with live data.")
    restarts: list[Count | None] = Field(
        description="How often a program was started again in the minute; null where what runs the "
        "programs tells nothing of them."
    )


class Condition(Answer):
    """How the platform fares."""

    missing: list[str] = Field(
        description="Parts that are missing, as `/readyz` names them: `database`, `broker`, "
        "`ingester`, `city`."
    )
    detail: str | None = Field(
        description="The same in sentences, in Chinese where `Accept-Language` prefers it; null "
        "where none is missing."
    )
    programs: list[Program] | None = Field(
        description="Null where what runs the programs tells nothing of them, as in compose."
    )
    as_of: AwareDatetime | None = Field(
        description="The newest commit that this process has; null before the first."
    )
    observations_per_s: float | None = Field(
        description="Bays and counts applied, a second: the mean of the last 30 s; null where the "
        "ingester has not been heard from."
    )
    lots: Count
    lots_live: Count
    last_hour: LastHour = Field(
        description="As the process that answers has seen it: from its start on, and nearly as "
        "others have."
    )
