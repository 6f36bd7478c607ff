"""The workflow of all that persons change: checks each step, and writes it into the audit.

Each kind of thing, such as a zone, declares its steps as a table:

    VERSIONS = Workflow(
        kind="tariff", steps={"approve": Step(("in_review",), "approved", by="second"), ...}, ...
    )

    async with change(act, VERSIONS, "approve", key) as version:
        version.after = await queries.approve(act.db, ...)

`change` locks the thing, checks its state and the person, and keeps before and after for the audit.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Generic, Literal, Protocol, TypeVar

from parking_api.audit.service import record
from parking_api.errors import ApiError
from sql.engine import Db, Transaction, transaction


class SamePersonError(ApiError, status=HTTPStatus.FORBIDDEN, kind="same-person"):
    """Whoever drafted or submitted it may not approve it: that takes a second person."""


class NotTheDrafterError(ApiError, status=HTTPStatus.FORBIDDEN, kind="not-the-drafter"):
    """A draft is changed and submitted by whoever drafted it."""


@dataclass
class Act:
    """An act of one person, in one transaction.

    Attributes:
        db: The transaction.
        person_id: Who.
        at: When, aware.
        reason: Why, if they said so.
    """

    db: Transaction
    person_id: str
    at: datetime
    reason: str | None = None
    _entries: list[tuple[str, str, object, object]] = field(default_factory=list)

    def keep(self, action: str, subject: str, before: object, after: object) -> None:
        """Add an entry for the audit; `record` writes it.

        Args:
            action: Such as `tariff.approve`.
            subject: What it was done to, such as `tariff/street/3`.
            before: What it was; None where it is new.
            after: What it is now.
        """
        self._entries.append((action, subject, before, after))

    async def record(self) -> None:
        """Write the kept entries into the audit, in their order."""
        for action, subject, before, after in self._entries:
            await record(
                self.db,
                person_id=self.person_id,
                action=action,
                subject=subject,
                before=before,
                after=after,
                reason=self.reason,
                at=self.at,
            )
        self._entries.clear()


@asynccontextmanager
async def acting(
    db: Db, person_id: str, at: datetime, reason: str | None = None
) -> AsyncIterator[Act]:
    """Begin an act in a transaction; commit it with its audit rows when the block ends.

    The audit comes last, after every lock on rows, because its lock makes all other writers wait.
    """
    async with transaction(db) as within:
        act = Act(within, person_id, at, reason)
        yield act
        await act.record()


@dataclass(frozen=True)
class Step:
    """One step of a workflow: a row of its table of transitions.

    Attributes:
        starts: The states in which the step may be taken; none for the one that drafts.
        ends: The state that it leads to; None where the state stays.
        by: Who of those whom the route admits may take it: `anyone`; the `drafter` alone; or a
            `second` person, who neither drafted nor submitted it.
    """

    starts: tuple[str, ...] = ()
    ends: str | None = None
    by: Literal["anyone", "drafter", "second"] = "anyone"


class Drafted(Protocol):
    """The columns that a row needs to go through a workflow."""

    @property
    def state(self) -> str:
        """The state that it is in."""

    @property
    def drafted_by(self) -> str | None:
        """The person who drafted it."""


Thing = TypeVar("Thing", bound=Drafted)
Key = TypeVar("Key")


@dataclass(frozen=True)
class Workflow(Generic[Key, Thing]):
    """The workflow of one kind of thing.

    Attributes:
        kind: Its name in the audit.
        steps: The table of transitions, by the step's name in the audit.
        lock: Reads a thing and locks it until the transaction ends; raises where there is none.
        subject: Returns what the audit calls a thing.
        audited: Returns what the audit keeps of a thing.
        wrong_state: Returns the error of a step in a state that it does not start from.
        not_drafter: Returns the error of a person who did not draft it.
    """

    kind: str
    steps: Mapping[str, Step]
    lock: Callable[[Transaction, Key], Awaitable[Thing]]
    subject: Callable[[Thing], str]
    audited: Callable[[Thing], object]
    wrong_state: Callable[[Thing, Step], ApiError]
    not_drafter: Callable[[Thing], ApiError] = lambda _: NotTheDrafterError()

    def check(self, step: Step, thing: Thing, person_id: str) -> None:
        """Refuse a step that the state or the person does not allow.

        Raises:
            ApiError: What `wrong_state` or `not_drafter` makes.
            SamePersonError: It takes a second person.
        """
        if thing.state not in step.starts:
            raise self.wrong_state(thing, step)
        if step.by == "drafter" and thing.drafted_by != person_id:
            raise self.not_drafter(thing)
        authors = (thing.drafted_by, getattr(thing, "submitted_by", None))
        if step.by == "second" and person_id in authors:
            raise SamePersonError

    def keep(self, act: Act, step: str, before: Thing | None, after: Thing) -> None:
        """Add an entry for the audit: a thing before and after a step."""
        was = None if before is None else self.audited(before)
        act.keep(f"{self.kind}.{step}", self.subject(after), was, self.audited(after))


class Change(Generic[Thing]):
    """A step in progress.

    Attributes:
        before: The thing before the step.
        after: The thing after it; the block sets it.
    """

    def __init__(self, before: Thing) -> None:
        self.before = before
        self.after = before


@asynccontextmanager
async def change(
    act: Act, workflow: Workflow[Key, Thing], step: str, key: Key
) -> AsyncIterator[Change[Thing]]:
    """Take a step: lock the thing, check the step, and keep before and after for the audit.

    Args:
        act: Who does it, when and why.
        workflow: Its table of transitions.
        step: Which step of it.
        key: Names the thing.

    Raises:
        ApiError: There is no such thing, or the step is refused: see `Workflow.check`.
    """
    before = await workflow.lock(act.db, key)
    workflow.check(workflow.steps[step], before, act.person_id)
    taken = Change(before)
    yield taken
    workflow.keep(act, step, before, taken.after)
