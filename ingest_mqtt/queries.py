"""The ingester's queries and commands: the statements of `sql/queries/ingest.sql`."""

from collections.abc import Sequence
from datetime import datetime

from ingest_mqtt.occupancy import Step
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("ingest")


class Gateway(Row):
    """A gateway, its operator, and the operator's number of lots and spaces."""

    gateway_id: str
    operator_id: str
    lots: int
    spaces: int


class NewStep(Step, kw_only=True):
    """What a batch adds to a step of a lot's history."""

    lot_id: str
    step_at: datetime


class NewLetter(Row):
    """A refused message, masked, and how often it came."""

    digest: bytes
    topic: str
    gateway_id: str | None
    lot_id: str | None
    epoch: int | None
    seq: int | None
    reason: str
    detail: str
    payload: str
    whole: bool
    payload_bytes: int
    fault_at: int | None
    times: int
    received_at: datetime
    last_received_at: datetime


class Repeat(Row):
    """A message that came again: how often, and when last."""

    digest: bytes
    times: int
    last_received_at: datetime


class KeptLetters(Row):
    """The number of kept messages of a gateway; '' stands for all unregistered gateways."""

    gateway_id: str
    kept: int


class Candidates(Row):
    """The number of a gateway's messages refused by a fault of the platform, by result."""

    gateway_id: str
    replayable: int
    replayed: int
    refused: int
    masked: int


class Replay(Row):
    """A message that is to be taken in again."""

    dead_letter_id: int
    topic: str
    payload: str
    received_at: datetime


class ReplayResult(Row):
    """The number of replayed messages by result; None where not replayed yet."""

    result: str | None
    messages: int


class LooseDay(Row):
    """A lot, and the first instant of its oldest day that has single steps."""

    lot_id: str
    day_at: datetime


@statement
async def gateways(db: Db) -> list[Gateway]:
    """Read every gateway with its operator."""


@statement
async def add_steps(db: Transaction, rows: Sequence[NewStep]) -> None:
    """Add to the steps of lots' histories."""


@statement
async def loose_steps(db: Db, before: datetime) -> list[LooseDay]:
    """Find lots that have single steps from before a time, those of the oldest day first."""


@statement
async def pack_steps(db: Transaction, day_at: datetime, lot_ids: Sequence[str]) -> int:
    """Pack the single steps that lots have of a past day; return how many."""


@statement
async def beat(db: Transaction, ingester: str, observations: int) -> None:
    """Write that a heartbeat has come through the broker, and how much was applied until then."""


@statement
async def stop(db: Db, ingester: str, reason: str | None) -> None:
    """Write why the ingester takes no messages; None where it takes them."""


@statement
async def keep_letters(db: Transaction, rows: Sequence[NewLetter]) -> None:
    """Keep refused messages; the same one again only counts."""


@statement
async def repeat_letters(db: Transaction, rows: Sequence[Repeat]) -> list[bytes]:
    """Count repeats of messages that are kept already; return the digests of those."""


@statement
async def kept_since(db: Db, since: datetime) -> list[KeptLetters]:
    """Count the refused messages that are kept since a time, by gateway."""


@statement
async def expire_letters(db: Db, before: datetime, most: int) -> int:
    """Delete the refused messages that first came before a time, at most so many; count them."""


@statement
async def replay_candidates(
    db: Db, gateway_id: str | None, since: datetime | None
) -> list[Candidates]:
    """Count the messages that were refused by a fault of the platform, by gateway."""


@statement
async def request_replay(
    db: Db, gateway_id: str | None, since: datetime | None, at: datetime
) -> list[int]:
    """Request the replay of such messages; return their ids."""


@statement
async def next_replays(db: Db, most: int) -> list[Replay]:
    """Read messages that are to be taken in again, those of a lot in their own order."""


@statement
async def end_replay(db: Transaction, dead_letter_id: int, at: datetime, result: str) -> None:
    """Write the result of a replayed message."""


@statement
async def replay_results(db: Db, dead_letter_ids: Sequence[int]) -> list[ReplayResult]:
    """Count requested messages by result."""
