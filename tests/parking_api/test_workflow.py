"""A table of transitions says who may take a step, from which state, and where it leads."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from parking_api.errors import ApiError
from parking_api.workflow import (
    Act,
    NotTheDrafterError,
    SamePersonError,
    Step,
    Workflow,
    WrongEndError,
    change,
)
from sql.kinds import APPROVER, DRAFTER

NOBODYS_DB: Any = None


class StateError(ApiError):
    """That is not possible in this state."""


@dataclass(frozen=True)
class Thing:
    state: str
    drafted_by: str = "wang"
    submitted_by: str | None = None


async def as_given(_: object, thing: Thing) -> Thing:
    return thing


THINGS = Workflow[Thing, Thing](
    kind="thing",
    steps={
        "submit": [Step(DRAFTER, ("draft",), ("in_review",), "drafter")],
        "approve": [Step(APPROVER, ("in_review",), ("approved",), "second")],
        "draft": [Step(DRAFTER, (), ("draft",))],
        "note": [
            Step(DRAFTER, ("draft",), ("draft",)),
            Step(DRAFTER, ("approved",), ("approved",)),
        ],
        "withdraw": [
            Step(DRAFTER, ("draft",), ("withdrawn",), "drafter"),
            Step(APPROVER, ("draft", "approved"), ("withdrawn",)),
        ],
    },
    lock=as_given,
    authors=lambda thing: (thing.drafted_by, thing.submitted_by),
    subject=lambda _: "thing/1",
    audited=lambda thing: thing,
    wrong_state=lambda thing, step, starts: StateError(f"{thing.state} {step} {starts}"),
)


def act_of(person_id: str, *roles: str) -> Act:
    return Act(NOBODYS_DB, person_id, datetime(2026, 11, 27, tzinfo=UTC), None, roles)


@pytest.mark.parametrize(
    ("person_id", "role", "step", "thing"),
    [
        ("wang", DRAFTER, "submit", Thing("draft")),
        ("li", APPROVER, "approve", Thing("in_review", submitted_by="wang")),
        ("wang", DRAFTER, "withdraw", Thing("draft")),
        ("li", APPROVER, "withdraw", Thing("draft")),
        ("li", APPROVER, "withdraw", Thing("approved")),
    ],
)
def test_the_table_allows(person_id: str, role: str, step: str, thing: Thing) -> None:
    THINGS.check(act_of(person_id, role), step, thing)


@pytest.mark.parametrize(
    ("person_id", "role", "step", "thing", "refusal"),
    [
        ("wang", DRAFTER, "submit", Thing("approved"), StateError),
        ("li", DRAFTER, "submit", Thing("draft"), NotTheDrafterError),
        ("wang", APPROVER, "approve", Thing("in_review"), SamePersonError),
        ("li", APPROVER, "approve", Thing("in_review", submitted_by="li"), SamePersonError),
        ("li", DRAFTER, "withdraw", Thing("draft"), NotTheDrafterError),
        ("wang", DRAFTER, "withdraw", Thing("approved"), NotTheDrafterError),
        ("li", APPROVER, "withdraw", Thing("in_review"), StateError),
        ("wang", APPROVER, "submit", Thing("draft"), NotTheDrafterError),
    ],
)
def test_the_table_refuses(
    person_id: str, role: str, step: str, thing: Thing, refusal: type[ApiError]
) -> None:
    with pytest.raises(refusal):
        THINGS.check(act_of(person_id, role), step, thing)


def test_a_refusal_is_told_all_states_that_the_step_starts_from() -> None:
    with pytest.raises(StateError, match=r"in_review withdraw \['draft', 'approved'\]"):
        THINGS.check(act_of("li", APPROVER), "withdraw", Thing("in_review"))


async def test_a_step_leads_where_the_table_says() -> None:
    draft = Thing("draft")
    async with change(act_of("wang", DRAFTER), THINGS, "submit", draft) as taken:
        taken.after = replace(draft, state="in_review")
    with pytest.raises(WrongEndError, match="thing/1: submit led to approved"):
        async with change(act_of("wang", DRAFTER), THINGS, "submit", draft) as taken:
            taken.after = replace(draft, state="approved")
    with pytest.raises(WrongEndError, match="thing/1: submit led to draft"):
        async with change(act_of("wang", DRAFTER), THINGS, "submit", draft):
            pass


async def test_where_a_step_leads_depends_on_where_it_starts() -> None:
    draft = Thing("draft")
    THINGS.keep(act_of("wang", DRAFTER), "draft", None, draft)
    async with change(act_of("wang", DRAFTER), THINGS, "note", draft) as taken:
        taken.after = replace(draft, submitted_by="wang")
    with pytest.raises(WrongEndError, match="thing/1: note led to approved"):
        async with change(act_of("wang", DRAFTER), THINGS, "note", draft) as taken:
            taken.after = Thing("approved")
