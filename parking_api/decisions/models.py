"""The shapes of requests and answers about decisions."""

from typing import Annotated, Literal

from pydantic import Field

from parking_api.models import Answer, FromJson, Instant, JsonObject

State = Literal["asked", "confirmed", "withdrawn", "lapsed"]


class DecisionAnswer(Answer):
    """An act that takes two persons."""

    decision_id: str = Field(examples=["7c07a3e9f25d"])
    step: str = Field(description="What is to be done.", examples=["tariff.withdraw"])
    subject: str = Field(description="To what.", examples=["tariff/qd-road-1/2"])
    asked: Annotated[JsonObject, FromJson] = Field(description="What was asked for.")
    state: State = Field(description="`lapsed` where nobody confirmed it within seven days.")
    asked_by: str = Field(examples=["wang.fang"])
    asked_at: Instant
    lapses_at: Instant
    settled_by: str | None = Field(description="Who has confirmed or withdrawn it.")
    settled_at: Instant | None


class AskedDecision(DecisionAnswer):
    """A decision that is asked for, and what would come of it now."""

    foreseen: JsonObject = Field(description="What the act would answer, were it done now.")


class ConfirmedDecision(DecisionAnswer):
    """A decision that is confirmed, and what came of it."""

    result: JsonObject = Field(description="What the act answers.")
