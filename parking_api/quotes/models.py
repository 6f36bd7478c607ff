"""The shapes of requests and answers about quotes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt, StringConstraints, model_validator

from parking_api.models import Answer, Body, Flag, Instant, JsonObject, Name
from parking_api.parameters import Id, Moment, Parameters

Lack = Literal["zone", "tariff"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]


LeavesUnpriced = Annotated[
    Flag,
    Field(
        description="Do it although lots that have a price now, or will have one, lose it: "
        "otherwise it is refused, and the problem names them."
    ),
]


class UnpricedLot(Answer):
    """A lot that has lost its price."""

    lot_id: str
    from_: Instant = Field(alias="from")
    to: Instant | None = Field(description="Exclusive; null for no end in sight.")
    lacks: Lack


class UnpricedLots(Answer):
    """Lots that lose their price by a change; those that had none before are not among them."""

    lots: int = Field(description="How many.")
    from_: Instant | None = Field(
        alias="from", description="When the first loses it; null for none."
    )
    items: list[UnpricedLot] = Field(description="The first 100 of them.")


@dataclass(frozen=True)
class Stay:
    """A stay whose price an answer tells.

    Attributes:
        start: Aware.
        duration_min: Minutes.
        vehicle: The class that was asked for; None for what most people drive.
        arrival: From when on a lot has to be open: now, where no start was asked for, although the
            price is that of the whole minute.
    """

    start: datetime
    duration_min: int
    vehicle: str | None
    arrival: datetime

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
        arrival = start if self.at else now
        return Stay(start, self.duration_min, self.vehicle, arrival)


class Quote(Answer):
    """What the stay would cost."""

    total_minor: int
    currency: str
    tariff_id: str
    version: int


class StayAnswer(Answer):
    """The stay that an answer's quotes price."""

    from_: Instant = Field(alias="from", description="Its start.")
    duration_min: int = Field(description="Its length in minutes.", examples=[60])
    vehicle: str | None = Field(description="The class of vehicle that was asked for, or null.")


class Year(Answer):
    """A year's calendar."""

    year: int
    holidays: list[date]
    makeup_workdays: list[date]
    published_at: Instant


class PublishedYear(Year):
    """A year's calendar, and who has published it."""

    published_by: str


class QuoteAsk(Body):
    """A stay to be priced: at a lot, by the version in force at entry; or by a document."""

    lot_id: Id | None = Field(None, examples=["370202-0001"])
    document: JsonObject | None = Field(
        None, description="A tariff document instead of a lot: a draft, or what might be one."
    )
    entry: Moment = Field(examples=["2026-06-10T10:00:00+08:00"])
    exit: Moment = Field(
        description="Exclusive; at most 366 days after `entry`.",
        examples=["2026-06-10T12:10:00+08:00"],
    )
    vehicle: Word | None = Field(
        None,
        description="Class of vehicle; without it `small`, where the tariff tells classes apart.",
        examples=["small"],
    )
    granted: tuple[Word, ...] = Field(
        (),
        max_length=20,
        description="What the stay is entitled to; `first_stay` for the day's first at the lot.",
        examples=[[]],
    )
    version: StrictInt | None = Field(
        None,
        ge=1,
        le=2**31 - 1,
        description="The version that it must be: for the same answer a year later.",
    )

    @model_validator(mode="after")
    def _has_one_tariff(self) -> Self:
        if (self.lot_id is None) == (self.document is None):
            raise ValueError("give either lot_id or document")
        if self.version is not None and self.lot_id is None:
            raise ValueError("version goes with lot_id")
        return self


class QuoteLine(Answer):
    """A stretch of the stay and what it costs; lines cover the stay and add up to the total."""

    start: Instant
    end: Instant
    kind: str = Field(
        description="`unit`, `flat`; of nothing: `free`, `gap`, `grace`, `deducted`, `tail`, "
        "`dropped`, `paid`; at exit: `percentage`, `rounding`.",
        examples=["unit"],
    )
    amount_minor: int = Field(examples=[700])
    period_id: str | None = Field(None, examples=["day-peak"])
    window_date: date | None = Field(None, description="Local date on which its window started.")
    tier: int | None = Field(None, description="From 1.")
    units: int | None = Field(None, examples=[2])
    unit_s: int | None = Field(None, examples=[1800])
    unit_price_minor: int | None = Field(None, examples=[350])
    adjustment: JsonObject | None = None
    cap_minor_taken: int | None = Field(None, description="What caps took off.")
    entitlement: str | None = None
    exact_minor: str | None = Field(None, description="Where it is no whole smallest unit.")
    priced_by: str | None = Field(None, description="The version that set the price, if another.")
    text: Name = Field(description="A sentence; it names parts as people do, not by their ids.")


class FullQuote(Answer):
    """What a stay costs, line by line. Unless it is provisional, the same bytes for ever."""

    lot_id: str | None = Field(description="Null for a document.")
    entry: Instant
    exit: Instant
    vehicle: str | None
    granted: tuple[str, ...]
    total_minor: int = Field(examples=[1900])
    currency: str = Field(examples=["CNY"])
    tariff_id: str = Field(examples=["qd-class1-road"])
    version: int | None = Field(description="Null for a document.", examples=[1])
    hash: str = Field(description="SHA-256 of the canonical document, in hex.")
    lines: list[QuoteLine]
    provisional: bool = Field(
        description="Whether the price may change once the holidays of a year that the stay "
        "touches are published; until then they count as ordinary days."
    )
