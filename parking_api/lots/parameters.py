"""What the routes of lots can be asked."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from parking_api.models import LotStatus, LotType, SpaceClass
from parking_api.paging import START, PageLimit
from parking_api.parameters import (
    Box,
    Height,
    Id,
    Latitude,
    Longitude,
    Moment,
    Parameters,
    Radius,
)

STORED_STEP_S = 300
MOST_STEPS = 10_000
DEFAULT_SPAN = timedelta(hours=24)


@dataclass(frozen=True)
class Stay:
    """A stay whose price an answer tells.

    Attributes:
        start: Aware.
        duration_min: Minutes.
        vehicle: The class that was asked for; None for what most people drive.
    """

    start: datetime
    duration_min: int
    vehicle: str | None

    @property
    def end(self) -> datetime:
        """The instant after its last."""
        return self.start + timedelta(minutes=self.duration_min)


class StayAsk(Parameters):
    """The stay that an answer's quotes are for."""

    vehicle: Annotated[
        Id | None,
        Field(
            description="Class of vehicle, for the price; without it `small`, where a tariff tells "
            "classes apart."
        ),
    ] = None
    at: Annotated[
        Moment | None,
        Field(description="Start of the stay, for the price; default the current whole minute."),
    ] = None
    duration_min: Annotated[
        int, Field(ge=1, le=43_200, description="Length of the stay in minutes, for the price.")
    ] = 60

    def stay(self, now: datetime) -> Stay:
        """Settle the stay that is asked for.

        Args:
            now: Its minute is the start where none is given.
        """
        start = (self.at or now.replace(second=0, microsecond=0)).astimezone(UTC)
        return Stay(start, self.duration_min, self.vehicle)


OpenThroughout = Annotated[
    bool, Field(description="Leave out lots that are not open for the whole of the stay.")
]


class NearestLotsAsk(StayAsk):
    """Lots with free spaces around a place."""

    lon: Longitude
    lat: Latitude
    limit: Annotated[int, Field(ge=1, le=100, description="The most lots to give.")] = 10
    radius_m: Radius = 2000
    min_free: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="The fewest free spaces; 0 gives full lots and those of unknown state too.",
        ),
    ] = 1
    space_class: Annotated[
        SpaceClass | None,
        Field(
            description="Only lots that sense their bays and have `min_free` (one at least) free "
            "of this class; the answer carries `free_of_class`."
        ),
    ] = None
    height_m: Height | None = None
    open_throughout: OpenThroughout = False


class LotAsk(StayAsk):
    """One lot."""


class LotsAsk(StayAsk):
    """A page of lots."""

    bbox: Box | None = None
    district: Annotated[Id | None, Field(description="Code (adcode).", examples=["370202"])] = None
    zone: Id | None = None
    operator: Id | None = None
    lot_type: LotType | None = None
    status: LotStatus | None = None
    open_throughout: OpenThroughout = False
    limit: PageLimit = 100
    cursor: Annotated[Id | None, Field(description=START)] = None
    f: Annotated[
        Literal["json", "geojson"], Field(description="`geojson` for a FeatureCollection.")
    ] = "json"


class OccupancyAsk(Parameters):
    """A stretch of a lot's history."""

    from_: Annotated[
        Moment | None,
        Field(
            alias="from", description="Start; cut down to a whole step, counted in UTC from 1970."
        ),
    ] = None
    to: Annotated[Moment | None, Field(description="End, exclusive; default now.")] = None
    step: Annotated[
        int,
        Field(ge=STORED_STEP_S, le=86_400, multiple_of=STORED_STEP_S, description="Seconds."),
    ] = STORED_STEP_S

    @model_validator(mode="after")
    def _is_a_stretch(self) -> Self:
        if self.from_ and self.to and self.from_ >= self.to:
            raise ValueError("from lies before to")
        return self

    def stretch(self, now: datetime) -> tuple[datetime, datetime]:
        """Settle what is asked for.

        Args:
            now: End where none is given.

        Returns:
            Start, on a whole step, and exclusive end; both in UTC.
        """
        if self.to:
            end = self.to
        elif self.from_ and self.from_ >= now:
            end = self.from_ + DEFAULT_SPAN
        else:
            end = now
        start = self.from_ or end - DEFAULT_SPAN
        whole = int(start.timestamp()) // self.step * self.step
        return datetime.fromtimestamp(whole, UTC), end.astimezone(UTC)
