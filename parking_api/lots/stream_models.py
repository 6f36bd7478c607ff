"""The shapes of what a stream is asked for, and of the data of its events."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from parking_api.lots.models import (
    AS_OF,
    CLOSED_REASON,
    CLOSED_UNTIL,
    FREE,
    OBSERVED,
    UNKNOWN,
    VERSION,
)
from parking_api.models import Answer, Count, DataState, LotStatus, Point
from parking_api.parameters import ID_PATTERN, Box, InCrs, Latitude, Longitude, Radius

# Lots that a reader of the stream may name: a sign shows a few.
MOST_NAMED = 50
_ID = ID_PATTERN.strip("^$")


class StreamAsk(InCrs):
    """The lots whose changes are told: those in a box, those around a place, or those named."""

    bbox: Box | None = None
    lon: Longitude | None = None
    lat: Latitude | None = None
    radius_m: Annotated[Radius | None, Field(description="With a place; 2000 where not given.")] = (
        None
    )
    lots: Annotated[
        str | None,
        Field(
            pattern=rf"^{_ID}(,{_ID}){{0,{MOST_NAMED - 1}}}$",
            description=f"Ids with commas between them, at most {MOST_NAMED}.",
            examples=["370202-0001,370202-0002"],
        ),
    ] = None
    f: Annotated[
        Literal["json", "columns"],
        Field(description="`columns` for events `states`: states alone, in columns."),
    ] = "json"

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        place = {self.lon, self.lat, self.radius_m} != {None}
        if [self.bbox is not None, place, self.lots is not None].count(True) != 1 or (
            place and None in (self.lon, self.lat)
        ):
            raise ValueError("give bbox, or lon and lat, or lots")
        return self


class LotState(Answer):
    """A lot at a time: the data of an event `lot` of `/v1/stream`."""

    lot_id: str = Field(examples=["370202-0001"])
    location: Point
    capacity: Count = Field(description="Spaces in service.", examples=[312])
    free_spaces: Count | None = Field(description=FREE, examples=[41])
    unknown_spaces: Count = Field(description=UNKNOWN, examples=[0])
    status: LotStatus
    data_state: DataState
    closed_until: AwareDatetime | None = Field(None, description=CLOSED_UNTIL)
    closed_reason: str | None = Field(None, description=CLOSED_REASON)
    observed_at: AwareDatetime | None = Field(description=OBSERVED)
    version: str | None = Field(
        pattern=r"^\d{20}$", description=VERSION + " Null before any report."
    )


class LotStates(Answer):
    """All lots that were asked for: the data of an event `lots` of `/v1/stream`."""

    lots: list[LotState] = Field(description="By `lot_id`.")
    as_of: AwareDatetime | None = Field(description=AS_OF)


class RunningClosure(Answer):
    """A closure of a lot that runs."""

    closed_until: AwareDatetime | None = Field(description="Null for without end.")
    closed_reason: str | None = Field(
        description="In its operator's own words; null where nothing is said."
    )


class StateColumns(Answer):
    """States of lots in columns: the data of an event `states` of `/v1/stream?f=columns`.

    The nth value of each column is of the nth lot, by `lot_id`.
    """

    all: bool = Field(
        description="True where these are all lots that were asked for, in place of whatever the "
        "reader knew; else they are those that have changed."
    )
    lot_id: list[str] = Field(examples=[["370202-0001"]])
    capacity: list[Count] = Field(description="Spaces in service.")
    free_spaces: list[Count | None] = Field(description=FREE)
    unknown_spaces: list[Count] = Field(description=UNKNOWN)
    status: list[LotStatus]
    data_state: list[DataState]
    observed_at: list[int | None] = Field(
        description="Seconds since 1970, rounded down. " + OBSERVED, examples=[[1795311000]]
    )
    closed: dict[str, RunningClosure] = Field(
        description="By `lot_id`: those of the lots that are closed for a time."
    )
    as_of: AwareDatetime | None = Field(description=AS_OF)
