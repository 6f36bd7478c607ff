"""The shapes of requests and answers about price controls."""

from math import ceil
from typing import Annotated, Self

from pydantic import Field, StrictInt, StringConstraints, model_validator

from parking_api.errors import ParameterFault
from parking_api.models import Answer, Body, Instant, LotType, Reason, StoredName, Text
from parking_api.parameters import Id, Moment
from parking_api.zones.models import ZoneClass

Amount = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class NewControl(Body):
    """A price control to draft: what an hour, and 24 of them, may cost.

    Of the float around `base_minor` and the amounts, the narrower hold. Prices that a tariff names
    are held to it by their rate of an hour, tier by tier.
    """

    price_control_id: Id = Field(examples=["qd-guide-1"])
    legal_reference: Text = Field(
        examples=[
            {
                "zh": "机动车停放服务收费政府指导价（一类区域道路泊位）",
                "en": "Government-guided parking prices, class 1 road berths",
            }
        ]
    )
    zone_class: ZoneClass | None = Field(None, description="Null for every class.")
    lot_types: tuple[LotType, ...] = Field((), max_length=4, description="Empty for every type.")
    currency: Currency = "CNY"
    vehicle: str | None = Field(
        None, min_length=1, max_length=64, description="Class that it holds for; null for all."
    )
    base_minor: Amount = Field(description="Of an hour.", examples=[700])
    float_up_percent: Annotated[StrictInt, Field(ge=0, le=1000)] | None = Field(None, examples=[20])
    float_down_percent: Annotated[StrictInt, Field(ge=0, le=100)] | None = None
    floor_minor: Amount | None = Field(None, description="Of an hour.")
    ceiling_minor: Amount | None = Field(None, description="Of an hour.", examples=[1000])
    day_ceiling_minor: Amount | None = Field(
        None,
        description="Of 24 hours from midnight or from the opening of a period; of a flat charge.",
        examples=[6000],
    )
    valid_from: Moment
    valid_to: Moment | None = None
    reason: Reason

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.floor_minor is not None and self.floor_minor > self.base_minor:
            raise ValueError("floor_minor is at most base_minor")
        if self.ceiling_minor is not None and self.ceiling_minor < self.base_minor:
            raise ValueError("ceiling_minor is at least base_minor")
        if self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_from lies before valid_to")
        return self


class EndOf(Body):
    """A price control to be ended, as a decision has it."""

    price_control_id: Id
    valid_to: Moment


class ControlEnd(Body):
    """When a price control ends."""

    valid_to: Moment
    reason: Reason


class ControlFacts(Answer):
    """A price control: money in smallest units, of an hour but for `day_ceiling_minor`."""

    price_control_id: str
    legal_reference: StoredName
    zone_class: int | None
    lot_types: list[LotType]
    currency: str
    vehicle: str | None
    base_minor: int
    float_up_percent: int | None
    float_down_percent: int | None
    floor_minor: int | None
    ceiling_minor: int | None
    day_ceiling_minor: int | None
    valid_from: Instant
    valid_to: Instant | None
    drafted_at: Instant
    approved_at: Instant | None = Field(description="Null for a draft, which binds nobody yet.")

    @property
    def state(self) -> str:
        """Where in the workflow it is: a draft, or approved."""
        return "draft" if self.approved_at is None else "approved"

    @property
    def least_minor(self) -> int | None:
        """The least that an hour may cost: of the amount and the float the higher."""
        down = self.float_down_percent
        floated = None if down is None else ceil(self.base_minor * (100 - down) / 100)
        return max((each for each in (self.floor_minor, floated) if each is not None), default=None)

    @property
    def most_minor(self) -> int | None:
        """The most that an hour may cost: of the amount and the float the lower."""
        up = self.float_up_percent
        floated = None if up is None else self.base_minor * (100 + up) // 100
        limits = (each for each in (self.ceiling_minor, floated) if each is not None)
        return min(limits, default=None)

    @property
    def citation(self) -> str:
        """Its name and its time."""
        until = f" to {self.valid_to.isoformat()}" if self.valid_to else ""
        return (
            f"(Price control {self.price_control_id}, from {self.valid_from.isoformat()}{until}.)"
        )


class PriceControl(ControlFacts):
    """A price control, and who has made it."""

    drafted_by: str
    approved_by: str | None


class Control(ControlFacts):
    """A price control."""

    hour_floor_minor: int | None = Field(description="The floor that holds.")
    hour_ceiling_minor: int | None = Field(description="The ceiling that holds.")


class BureauControl(Control):
    """A price control as the bureau sees it."""

    drafted_by: str
    approved_by: str | None

    @staticmethod
    def of(control: PriceControl) -> "BureauControl":
        """Make the answer of a price control, with the limits that hold."""
        return BureauControl.model_construct(
            **dict(control),
            hour_floor_minor=control.least_minor,
            hour_ceiling_minor=control.most_minor,
        )


class VersionBeyond(Answer):
    """A published version that goes beyond a price control."""

    tariff_id: str
    version: int
    from_: Instant = Field(alias="from", description="From when on, now at the earliest.")
    errors: list[ParameterFault] = Field(description="Each clause that it breaks.")


class ApprovedControl(BureauControl):
    """A price control that was approved, and what it finds."""

    beyond: list[VersionBeyond] = Field(
        description="Versions published before that go beyond it: they stay in force until others "
        "take over."
    )
