"""The shapes of requests and answers about lots."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from parking_api.models import (
    DEGRADED,
    Answer,
    Body,
    Count,
    DataState,
    Flag,
    Instant,
    Line,
    LotStatus,
    LotType,
    Name,
    Point,
    Reason,
    Reporting,
    SpaceClass,
)
from parking_api.paging import NEXT, START, PageLimit
from parking_api.parameters import (
    Box,
    Form,
    Height,
    Id,
    InCrs,
    Latitude,
    Longitude,
    Moment,
    Parameters,
    Radius,
    Source,
)
from parking_api.quotes.models import Quote, StayAnswer, StayAsk

STORED_STEP_S = 300
MOST_STEPS = 10_000
DEFAULT_SPAN = timedelta(hours=24)


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
    source: Source = "memory"


class NearestLotsQuery(NearestLotsAsk, InCrs):
    """The same, with type and form. A question without them is answered in less time."""

    lot_type: LotType | None = None
    f: Form = "json"


class LotAsk(StayAsk, InCrs):
    """One lot."""

    source: Source = "memory"


class LotsAsk(StayAsk, InCrs):
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
    f: Form = "json"
    source: Source = "memory"


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
    def _from_before_to(self) -> Self:
        if self.from_ and self.to and self.from_ >= self.to:
            raise ValueError("from lies before to")
        return self

    def time_range(self, now: datetime) -> tuple[datetime, datetime]:
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
        step_start = int(start.timestamp()) // self.step * self.step
        return datetime.fromtimestamp(step_start, UTC), end.astimezone(UTC)


Ratio = Annotated[float, Field(ge=0, le=1)]

AS_OF = "The newest commit that the answer reflects; null before the first."
QUOTE_REASON = "Why the quote is null: what prices the lot is suspended. Absent otherwise."
QUOTE = "Price of the `stay`. Null where no tariff is in force, or it knows no such vehicle."
CLOSES_AT = (
    "When the lot closes within the `stay`, by its hours or for a time. Not there where it is open "
    "throughout, or closed as the stay starts: `open_throughout` leaves that one out, too."
)
CLOSED_UNTIL = (
    "Until when the lot is closed for a time, whatever its hours; null for without end. There only "
    "while it is."
)
CLOSED_REASON = (
    "Why the lot is closed for a time, in its operator's own words; null where nothing is said. "
    "There only while it is."
)
FREE = "Spaces known to be free; null where nothing is known."
UNKNOWN = "Spaces of which nothing is known: neither free nor occupied."
OBSERVED = "When the state was true, never ahead of the platform's clock; null before any report."
AGE = "Age of the state in seconds; null before any report."


class NearestLotFacts(Answer):
    """What there is to say about a lot near a place, but for its own."""

    lot_id: str = Field(examples=["370202-0001"])
    name: Name
    lot_type: LotType
    distance_m: float = Field(ge=0, description="Geodesic, on the spheroid.", examples=[182.437])
    capacity: Count = Field(description="Spaces in service.", examples=[312])
    free_spaces: Count | None = Field(description=FREE, examples=[41])
    unknown_spaces: Count = Field(description=UNKNOWN, examples=[0])
    free_of_class: Count | None = Field(
        None, description="Free bays of the `space_class` asked for; only where one is."
    )
    status: LotStatus
    data_state: DataState
    observed_at: AwareDatetime | None = Field(description=OBSERVED)
    age_s: float | None = Field(ge=0, description=AGE, examples=[4.2])
    zone_id: str | None
    quote: Quote | None = Field(description=QUOTE)
    closes_at: AwareDatetime | None = Field(None, description=CLOSES_AT)
    quote_reason: Literal["suspended"] | None = Field(None, description=QUOTE_REASON)


class NearestLot(NearestLotFacts):
    """A lot near a place."""

    location: Point


class NearestLotFeature(Answer):
    """A lot near a place as a GeoJSON feature."""

    type: Literal["Feature"]
    id: str
    geometry: Point
    properties: NearestLotFacts


class NearestLotsEnvelope(Answer):
    """What stands around the lots near a place."""

    stay: StayAnswer
    as_of: AwareDatetime | None = Field(description=AS_OF)
    degraded: bool = Field(description=DEGRADED)


class NearestLots(NearestLotsEnvelope):
    """Lots near a place, nearest first."""

    lots: list[NearestLot]


class NearestLotCollection(NearestLotsEnvelope):
    """Lots near a place, nearest first, as a GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"]
    features: list[NearestLotFeature]


VERSION = "Text that orders: rises with each change of the lot."


class OpeningHours(Answer):
    """Daily, local time, half-open; past midnight where `closes_at` is not after `opens_at`."""

    opens_at: str = Field(pattern=r"^\d{2}:\d{2}$", examples=["06:30"])
    closes_at: str = Field(pattern=r"^\d{2}:\d{2}$", examples=["23:00"])


class LotFacts(Answer):
    """What there is to say about a lot, but for its place."""

    lot_id: str = Field(examples=["370202-0001"])
    name: Name
    operator_id: str
    district: str | None = Field(description="Code (adcode).", examples=["370202"])
    zone_id: str | None
    lot_type: LotType
    land_use: str | None
    reporting: Reporting = Field(description="Whether each bay is sensed, or the gates count.")
    report_interval_s: int = Field(description="The longest silence that is normal, in seconds.")
    levels: int = Field(ge=1)
    height_limit_m: float | None = Field(description="Null for none.", examples=[2.1])
    opening_hours: OpeningHours | None = Field(description="Null for round the clock.")
    timezone: str = Field(examples=["Asia/Shanghai"])
    capacity: Count = Field(description="Spaces in service.")
    free_spaces: Count | None = Field(description=FREE)
    unknown_spaces: Count = Field(description=UNKNOWN)
    free_by_class: dict[SpaceClass, Count] | None = Field(
        description="Null where unknown, or where the gates count."
    )
    status: LotStatus
    data_state: DataState
    closed_until: AwareDatetime | None = Field(None, description=CLOSED_UNTIL)
    closed_reason: str | None = Field(None, description=CLOSED_REASON)
    observed_at: AwareDatetime | None = Field(description=OBSERVED)
    age_s: float | None = Field(ge=0, description=AGE)
    committed_at: AwareDatetime | None
    version: str | None = Field(pattern=r"^\d{20}$", description=VERSION)
    quote: Quote | None = Field(description=QUOTE)
    closes_at: AwareDatetime | None = Field(None, description=CLOSES_AT)
    quote_reason: Literal["suspended"] | None = Field(None, description=QUOTE_REASON)


class Lot(LotFacts):
    """A lot."""

    location: Point


class LotsEnvelope(Answer):
    """What stands around a page of lots."""

    stay: StayAnswer
    next: str | None = Field(description=NEXT)
    degraded: bool = Field(default=False, description=DEGRADED + " Only where it is.")
    as_of: AwareDatetime | None = Field(None, description=AS_OF + " Only with `degraded`.")


class LotPage(LotsEnvelope):
    """A page of lots, by `lot_id`."""

    items: list[Lot]


class LotFeature(Answer):
    """A lot as a GeoJSON feature."""

    type: Literal["Feature"]
    id: str
    geometry: Point
    properties: LotFacts


class LotCollection(LotsEnvelope):
    """A page of lots as a GeoJSON FeatureCollection."""

    type: Literal["FeatureCollection"]
    features: list[LotFeature]


class LotAnswer(Lot):
    """One lot by itself."""

    stay: StayAnswer
    as_of: AwareDatetime | None = Field(description=AS_OF)
    degraded: bool = Field(description=DEGRADED)


class LotChange(Body):
    """A closure of a lot, or its retirement: only members that are given change."""

    closed_from: Moment | None = Field(
        None, description="When a closure begins. Null ends it, and takes its end and reason away."
    )
    closed_until: Moment | None = Field(
        None, description="When the closure ends, exclusive; null for without end."
    )
    closed_reason: Line | None = Field(
        None, description="Why, as drivers read it.", examples=["周末检修 / Maintenance"]
    )
    retired: Flag = Field(
        default=False,
        description="True for good: the lot is in no answer but its history. False takes it back.",
    )
    reason: Reason | None = None


class LotClosure(Answer):
    """When a lot is closed for a time, now or to come, and since when it is retired."""

    lot_id: str = Field(examples=["370202-0001"])
    operator_id: str
    closed_from: Instant | None
    closed_until: Instant | None = Field(description="Exclusive; null for without end.")
    closed_reason: str | None
    retired_at: Instant | None


class OccupancyStep(Answer):
    """One step of a lot's history; nulls where nothing is known."""

    at: Instant = Field(description="Start of the step.")
    capacity: Count | None = Field(description="Spaces in service at its end.")
    free_spaces: float | None = Field(
        ge=0, description="Spaces known to be free, mean over the time that is known."
    )
    free_min: Count | None = Field(description="The least; at most the mean.")
    free_max: Count | None = Field(description="The most; at least the mean.")
    free_last: Count | None = Field(description="At the end of what is known.")
    occupancy: Ratio | None = Field(
        description="1 - free / known, over the spaces and the time that are known."
    )
    coverage: Ratio = Field(
        description="Share of the step that is known, weighed by the share of the lot's spaces "
        "that was. 0 with figures: only an instant of it."
    )


class Occupancy(Answer):
    """A lot's history on a regular grid, in order."""

    lot_id: str
    step_s: int
    items: list[OccupancyStep]
    next: None = Field(None, description="Always null: the whole stretch is in one answer.")
