"""The workflow of all that persons change: checks each step, and writes it into the audit.

Each kind of thing, such as a zone, declares its steps as a table:

    VERSIONS = Workflow(
        kind="tariff",
        steps={"approve": [Step(APPROVER, ("in_review",), ("approved",), "second")], ...},
        ...
    )

    async with change(act, VERSIONS, "approve", key) as version:
        version.after = await queries.approve(act.db, ...)

`change` locks the thing, checks its state and the person, and keeps before and after for the audit.
Routes are guarded by the same table: see `people.access.taking`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Generic, Literal, Protocol, TypeVar

from parking_api.audit.service import record
from parking_api.errors import ApiError
from sql.engine import Db, Transaction, transaction
from sql.kinds import Role


class SamePersonError(ApiError, status=HTTPStatus.FORBIDDEN, kind="same-person"):
    """Whoever drafted or submitted it may not approve it: that takes a second person."""


class NotTheDrafterError(ApiError, status=HTTPStatus.FORBIDDEN, kind="not-the-drafter"):
    """A draft is changed and submitted by whoever drafted it."""


class Actor(Protocol):
    """Who acts."""

    @property
    def person_id(self) -> str:
        """Their id."""

    @property
    def roles(self) -> Collection[str]:
        """Their roles."""


@dataclass
class Act:
    """An act of one person, in one transaction.

    Attributes:
        db: The transaction.
        person_id: Who.
        at: When, aware.
        reason: Why, where they give one.
        roles: Their roles.
    """

    db: Transaction
    person_id: str
    at: datetime
    reason: str | None = None
    roles: Collection[str] = ()
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
    db: Db,
    person_id: str,
    at: datetime,
    reason: str | None = None,
    roles: Collection[str] = (),
) -> AsyncIterator[Act]:
    """Begin an act in a transaction; commit it with its audit rows when the block ends.

    The audit comes last, after every lock on rows, because its lock makes all other writers wait.
    """
    async with transaction(db) as within:
        act = Act(within, person_id, at, reason, roles)
        yield act
        await act.record()


@dataclass(frozen=True)
class Step:
    """A row of a table of transitions: who may take a step, from where to where.

    Attributes:
        role: The role that it takes; None where something else than a role is asked for.
        starts: The states in which the step may be taken; none for the one that drafts.
        ends: The states that it may lead to.
        person: Who of that role may take it: `anyone`; the `drafter` alone; or a `second` person,
            who neither drafted nor submitted it.
    """

    role: Role | None
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    person: Literal["anyone", "drafter", "second"] = "anyone"


class Stateful(Protocol):
    """What a row needs to go through a workflow."""

    @property
    def state(self) -> str:
        """The state that it is in."""


Thing = TypeVar("Thing", bound=Stateful)
Key = TypeVar("Key")


def in_words(state: str) -> str:
    """Write a state as it stands in a sentence: `in review`, `a draft`."""
    return "a draft" if state == "draft" else state.replace("_", " ")


class WrongEndError(RuntimeError):
    """A step has led to a state that its table of transitions does not have."""


@dataclass(frozen=True)
class Workflow(Generic[Key, Thing]):
    """The workflow of one kind of thing.

    Attributes:
        kind: Its name in the audit.
        steps: The table of transitions, by the step's name in the audit; a row for each role.
        lock: Reads a thing and locks it until the transaction ends; raises where there is none.
        authors: Returns who drafted a thing and, where things are submitted, who submitted it.
        subject: Returns what the audit calls a thing.
        audited: Returns what the audit keeps of a thing.
        wrong_state: Returns the error of a step in a state that it does not start from: given the
            thing, the step and the states that it starts from.
        not_drafter: Returns the error of a step that is for the drafter.
        same_person: Returns the error of a step that takes a second person.
    """

    kind: str
    steps: Mapping[str, Sequence[Step]]
    lock: Callable[[Transaction, Key], Awaitable[Thing]]
    authors: Callable[[Thing], Sequence[str | None]]
    subject: Callable[[Thing], str]
    audited: Callable[[Thing], object]
    wrong_state: Callable[[Thing, str, Sequence[str]], ApiError]
    not_drafter: Callable[[Thing, str], ApiError] = lambda _, __: NotTheDrafterError()
    same_person: Callable[[Thing], ApiError] = lambda _: SamePersonError()

    def check(self, act: Act, step: str, thing: Thing) -> None:
        """Refuse a step that no row of the table allows.

        Raises:
            ApiError: What `wrong_state` or `not_drafter` makes.
            SamePersonError: It takes a second person.
        """
        rows = self.steps[step]
        starts = list(dict.fromkeys(state for row in rows for state in row.starts))
        if thing.state not in starts:
            raise self.wrong_state(thing, step, starts)
        authors = self.authors(thing)
        is_right_person = {
            "anyone": True,
            "drafter": act.person_id in authors[:1],
            "second": act.person_id not in authors,
        }
        if not any(
            (row.role is None or row.role in act.roles)
            and thing.state in row.starts
            and is_right_person[row.person]
            for row in rows
        ):
            raise (
                self.same_person(thing)
                if rows[0].person == "second"
                else self.not_drafter(thing, step)
            )

    def keep(self, act: Act, step: str, before: Thing | None, after: Thing) -> None:
        """Add an entry for the audit: a thing before and after a step.

        Raises:
            WrongEndError: The step has led to a state that the table does not have.
        """
        rows = [row for row in self.steps[step] if before is None or before.state in row.starts]
        if not any(after.state in row.ends for row in rows):
            raise WrongEndError(f"{self.subject(after)}: {step} led to {after.state}")
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
        WrongEndError: The block has led to a state that the table does not have: see `keep`.
    """
    before = await workflow.lock(act.db, key)
    workflow.check(act, step, before)
    taken = Change(before)
    yield taken
    workflow.keep(act, step, before, taken.after)
