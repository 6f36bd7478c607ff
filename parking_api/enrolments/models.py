"""The shapes of requests and answers about enrolments."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from parking_api.models import Answer, Body, Instant, Reason, one_line
from parking_api.parameters import Id
from parking_api.people.models import COMMAND, IssuedKey, PersonAnswer
from sql.kinds import OPERATOR, Role

Kind = Literal["person", "roles", "key"]
State = Literal["started", "confirmed", "completed", "withdrawn"]


class NewEnrolment(Body):
    """A new person with a name and roles; or further roles, or a new key, for one who is there."""

    person_id: Id = Field(examples=["wang.fang"])
    name: Annotated[str, one_line(100)] | None = Field(
        None, description="What a new person is called.", examples=["王芳"]
    )
    roles: frozenset[Role] = Field(
        frozenset(),
        description="Of a new person, or to be added; none for a new key alone.",
        examples=[["bureau_drafter"]],
    )
    operator_id: Id | None = Field(
        None, description="Whose lots an `operator` is about; for that role, and only for it."
    )
    reason: Reason | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (OPERATOR in self.roles) != (self.operator_id is not None):
            raise ValueError("operator_id goes with the role operator, and with no other")
        if self.person_id == COMMAND:
            raise ValueError(f"{COMMAND} is nobody's id")
        return self


class EnrolmentAnswer(Answer):
    """An enrolment."""

    enrolment_id: str = Field(examples=["5d1c07a3e9f2"])
    kind: Kind = Field(description="A new `person`, further `roles`, or a new `key`.")
    person_id: str = Field(examples=["wang.fang"])
    name: str | None = Field(examples=["王芳"])
    roles: Annotated[list[Role], AfterValidator(sorted)] = Field(examples=[["bureau_drafter"]])
    operator_id: str | None = Field(examples=[None])
    state: State
    started_by: str = Field(examples=["li.lei"])
    started_at: Instant = Field(examples=["2026-11-22T01:30:00Z"])
    confirmed_by: str | None = Field(examples=["zhao.min"])
    confirmed_at: Instant | None
    code_expires_at: Instant | None = Field(description="Until when the code is good.")
    completed_at: Instant | None
    key_id: str | None = Field(description="The key that was issued at last.")


class ConfirmedEnrolment(EnrolmentAnswer):
    """An enrolment with its one-time code, which is nowhere else: give it to the person."""

    code: str = Field(
        description="Good for 15 minutes and five tries; shown this once.",
        examples=["JBSW-Y3DP-EHPK-3PXP"],
    )


class Completion(Body):
    """The one-time code."""

    code: Annotated[str, Field(min_length=1, max_length=40)] = Field(
        examples=["JBSW-Y3DP-EHPK-3PXP"]
    )


class CompletedEnrolment(Answer):
    """The person as they are now, and their new key."""

    person: PersonAnswer
    key: IssuedKey | None = Field(description="Null where roles were added.")
