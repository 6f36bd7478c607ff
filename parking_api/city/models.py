"""The shapes of answers about the whole city."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from parking_api.models import DEGRADED, Answer, Count, Name


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


class Condition(Answer):
    """How the platform fares."""

    missing: list[str] = Field(
        description="Parts that are missing, as `/readyz` names them: `database`, `broker`, "
        "`ingester`, `city`."
    )
    detail: str | None = Field(description="The same in sentences; null where none is missing.")
    programs: list[Program] | None = Field(
        description="Null where what runs the programs tells nothing of them, as in compose."
    )
