"""The shapes of requests and answers about feeds and refused messages."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from parking_api.models import (
    AGE_STEPS,
    Answer,
    Count,
    DataState,
    Instant,
    Reporting,
    StoredName,
    local,
    rounded,
)
from parking_api.paging import NEXT, START, PageLimit
from parking_api.parameters import Id, Moment, Parameters
from sql.kinds import Transport

# Identities of PostgreSQL are of 64 bits.
GREATEST_ID: Final = 2**63 - 1
# What a list shows of a text: the messages of most gateways are shorter.
SHOWN: Final = 1000

Age = Annotated[float, AfterValidator(lambda age_s: rounded(age_s, AGE_STEPS))]
DeadLetterId = Annotated[int, Field(ge=1, le=GREATEST_ID)]


class FeedsAsk(Parameters):
    """A page of gateways."""

    operator: Id | None = None
    gateway: Id | None = None
    data_state: Annotated[
        DataState | None, Field(description="Only gateways with a lot in this state.")
    ] = None
    limit: PageLimit = 100
    cursor: Annotated[Id | None, Field(description=START)] = None


class FeedAsk(Parameters):
    """A page of a gateway's lots."""

    data_state: DataState | None = None
    limit: PageLimit = 100
    cursor: Annotated[Id | None, Field(description=START)] = None


class DeadLettersAsk(Parameters):
    """A page of refused messages."""

    lot: Annotated[Id | None, Field(description="The lot that the topic names.")] = None
    gateway: Annotated[Id | None, Field(description="The gateway that the topic names.")] = None
    reason: Annotated[str | None, Field(pattern=r"^[a-z0-9_]{1,64}$", examples=["foreign_lot"])] = (
        None
    )
    from_: Annotated[
        Moment | None,
        Field(alias="from", description="Only what was received at this time or later."),
    ] = None
    to: Annotated[
        Moment | None, Field(description="Only what was first received before this time.")
    ] = None
    limit: PageLimit = 100
    cursor: Annotated[DeadLetterId | None, Field(description=START)] = None

    @model_validator(mode="after")
    def _is_a_stretch(self) -> Self:
        if self.from_ and self.to and self.from_ >= self.to:
            raise ValueError("from lies before to")
        return self


class Feed(Answer):
    """A gateway, and how well its lots' feeds are."""

    gateway_id: str = Field(examples=["gw-try"])
    operator_id: str = Field(examples=["op-try"])
    simulated: bool
    lots: Count
    received_at: Instant | None = Field(
        description="Of the newest report that is applied; null before the first."
    )
    live: Count
    stale: Count
    estimated: Count
    unknown: Count
    hidden_spaces: Count = Field(
        description="Spaces of the lots whose state is `unknown`: nobody is sent there."
    )
    lots_not_live: list[str] = Field(
        description="The lots that are not live, `stale` or `unknown`, by `lot_id`."
    )
    lots_by_mqtt: Count = Field(description="Lots whose newest report came over MQTT.")
    lots_by_http: Count = Field(description="Lots whose newest report came over HTTP.")
    dead_letters_24h: Count = Field(
        description="Different messages refused in the last 24 hours; the same again counts once."
    )


class LotFeed(Answer):
    """A lot's feed: the report that was applied last; nulls before the first."""

    lot_id: str = Field(examples=["370202-0001"])
    reporting: Reporting
    capacity: Count = Field(description="Spaces in service.")
    report_interval_s: int = Field(description="The longest silence that is normal, in seconds.")
    # Of the lot's clock, which the times are written by.
    timezone: str = Field("UTC", exclude=True)
    data_state: DataState
    epoch: int | None
    seq: int | None
    silent_s: Count | None = Field(description="Seconds since `received_at`.")
    name: StoredName
    observed_at: Instant | None = Field(
        description="When the state was true: by the gateway's clock, at most when it came in.",
    )
    received_at: Instant | None = Field(description="By the platform's clock.")
    age_s: Age | None = Field(
        ge=0, description="Age of the state in seconds, which `data_state` goes by."
    )
    transport: Transport | None = Field(description="How the report came.")

    @field_validator("observed_at", "received_at")
    @classmethod
    def _on_the_lots_clock(cls, at: datetime | None, info: ValidationInfo) -> datetime | None:
        return local(at, info.data["timezone"])


class LotFeeds(Answer):
    """A page of a gateway's lots, by `lot_id`."""

    gateway: Feed
    items: list[LotFeed]
    next: str | None = Field(description=NEXT)


class DeadLetter(Answer):
    """A message that was refused, kept once however often it came.

    What the contract does not know in it is masked, and so are names that nobody registered: of
    a character its kind is left (`a` a letter, `9` a digit, `_` a space, `.` any other).
    """

    dead_letter_id: int = Field(description="Rises in the order in which they were kept.")
    topic: str = Field(examples=["onelot/v1/feeds/gw-try/370202-0001/spaces"])
    gateway_id: str = Field(description="As the topic has it.", examples=["gw-try"])
    operator_id: str | None = Field(
        description="Whose gateway it is; null where none of that id is registered."
    )
    lot_id: str = Field(description="As the topic has it.", examples=["370202-0001"])
    epoch: int | None = Field(description="Null where it could not be read.")
    seq: int | None = Field(description="Null where it could not be read.")
    reason: str = Field(description="As in the answer to the gateway.", examples=["invalid"])
    detail: str = Field(description="As in the answer to the gateway.")
    times: int = Field(ge=1, description="How often the same message came.")
    received_at: Instant = Field(description="The first time.")
    last_received_at: Instant
    payload: str = Field(
        description="Masked: JSON where it was JSON, in which the contract's fields of the "
        "contract's types are kept; else kinds of characters, with JSON's own signs."
    )
    payload_bytes: Count = Field(description="Length of what came, in bytes.")
    fault_at: Count | None = Field(
        description="The byte at which it stopped being JSON; null where it was, or where that "
        "was not looked for."
    )
    truncated: bool = Field(
        description=f"Topic, detail or payload is longer than the {SHOWN:,} characters that lists "
        "show; one by itself is shown whole."
    )
    replayable: bool = Field(
        description="Whether the fault was the platform's (`internal`) and all of the message is "
        "kept: operations can have it taken in again, with `python -m ingest_mqtt replay`."
    )
    replayed_at: Instant | None = Field(description="When it was taken in again.")
    replay_result: str | None = Field(
        description="What became of it then, as an ack would say.", examples=["superseded"]
    )
