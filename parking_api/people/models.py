"""The shapes of requests and answers about people and keys."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StrictInt, model_validator

from parking_api.models import Answer, Body, Instant, Reason, one_line
from parking_api.parameters import Id, Moment, Parameters
from sql.kinds import OPERATOR, Role

# As the actor of what a command does, it is nobody's id.
COMMAND: Final = "command"
LONGEST_GRACE_MIN: Final = 1440

Roles = Annotated[frozenset[Role], Field(min_length=1)]


class RevokeAsk(Parameters):
    """Why a key is revoked."""

    reason: Reason | None = None


class NewPerson(Body):
    """Somebody to be known to the platform."""

    person_id: Id = Field(examples=["wang.fang"])
    name: Annotated[str, one_line(100)] = Field(examples=["王芳"])
    roles: Roles = Field(examples=[["bureau_drafter"]])
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


class PersonAnswer(Answer):
    """A person."""

    person_id: str = Field(examples=["wang.fang"])
    name: str = Field(examples=["王芳"])
    roles: Annotated[list[Role], AfterValidator(sorted)] = Field(examples=[["bureau_drafter"]])
    operator_id: str | None = Field(examples=[None])
    created_at: Instant = Field(examples=["2026-11-22T01:30:00Z"])


class Myself(PersonAnswer):
    """The caller."""

    key_id: str = Field(
        description="The key that was shown, or that the token was made with.",
        examples=["9f2c41d07a3e"],
    )


class NewKey(Body):
    """A key to be issued."""

    expires_at: Moment | None = Field(
        None,
        description="From when on it is no longer good; null for the end of the longest lifetime "
        "that the platform gives keys, by default a year.",
    )
    reason: Reason | None = None


class Rotation(Body):
    """A key to be replaced."""

    grace_minutes: StrictInt = Field(
        60,
        ge=0,
        le=LONGEST_GRACE_MIN,
        description="How long the old key stays good beside the new one; 0 ends it at once.",
    )
    reason: Reason | None = None


class KeyAnswer(Answer):
    """A key, without what proves it."""

    key_id: str = Field(examples=["9f2c41d07a3e"])
    person_id: str = Field(examples=["wang.fang"])
    created_at: Instant = Field(examples=["2026-11-22T01:30:00Z"])
    expires_at: Instant
    revoked_at: Instant | None
    last_used_at: Instant | None = Field(description="To five minutes.")
    replaced_by: str | None = Field(description="The key that took its place.")


class IssuedKey(KeyAnswer):
    """A new key. Its secret is nowhere else: keep it now."""

    key: str = Field(
        description="Sent as `Authorization: Bearer`; shown this once.",
        examples=["ok_9f2c41d07a3e_Zm9yLXRoZS1leGFtcGxlLW9ubHktbm90LWEta2V5LS0"],
    )


class Token(Answer):
    """A short-lived stand-in for a key, revoked with it."""

    token: str = Field(
        examples=["ot_eyJhbGciOiJIUzI1NiJ9.eyJwZXJzb25faWQiOiJ3YW5nLmZhbmcifQ.c2lnbmF0dXJl"]
    )
    expires_at: Instant = Field(examples=["2026-11-22T01:45:00Z"])
