"""Decisions: acts that change what a stay costs take two persons.

A domain declares such an act once, with what it takes and what it does:

    WITHDRAWAL = decisions.declare("tariff.withdraw", WithdrawalOf, _withdraw)

`ask` tries it and undoes that, so that a refusal comes at once; nothing has changed then. Another
person confirms it, and only that does it. Whoever asked must still be in their role by then.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel

from parking_api.decisions import queries
from parking_api.decisions.errors import DecisionStateError, DecisionUnknownError
from parking_api.decisions.models import AskedDecision, ConfirmedDecision, DecisionAnswer
from parking_api.errors import ApiError
from parking_api.people.service import require_standing
from parking_api.workflow import Act, SamePersonError, Step, Workflow, change
from sql.engine import Transaction, undone
from sql.kinds import APPROVER, DRAFTER

LAPSES_AFTER: Final = timedelta(days=7)
# Who may ask.
ASKERS: Final = (DRAFTER, APPROVER)
Given = TypeVar("Given", bound=BaseModel)


@dataclass(frozen=True)
class Kind(Generic[Given]):
    """A kind of act that takes two persons.

    Attributes:
        step: Its name in the audit.
        model: What it takes.
        do: Does it, as the one who confirms; returns what it answers.
    """

    step: str
    model: type[Given]
    do: Callable[[Act, Given], Awaitable[BaseModel]]


_KINDS: Final[dict[str, Kind[Any]]] = {}


def declare(
    step: str, model: type[Given], do: Callable[[Act, Given], Awaitable[BaseModel]]
) -> Kind[Given]:
    """Declare an act that takes two persons: see `Kind`."""
    kind = Kind(step, model, do)
    _KINDS[step] = kind
    return kind


async def _locked(db: Transaction, key: tuple[str, Any]) -> DecisionAnswer:
    decision_id, at = key
    found = await queries.locked(db, decision_id, at)
    if found is None:
        raise DecisionUnknownError
    return found


def _wrong_state(decision: DecisionAnswer, _: str, __: Sequence[str]) -> ApiError:
    return DecisionStateError(f"That decision is {decision.state} already.")


def _same_person(_: DecisionAnswer) -> ApiError:
    return SamePersonError("Whoever asked for it may not confirm it: that takes a second person.")


DECISIONS: Final = Workflow[tuple[str, Any], DecisionAnswer](
    kind="decision",
    steps={
        "ask": [Step(DRAFTER, (), ("asked",)), Step(APPROVER, (), ("asked",))],
        "confirm": [Step(APPROVER, ("asked",), ("confirmed",), "second")],
        "withdraw": [
            Step(DRAFTER, ("asked",), ("withdrawn",), "drafter"),
            Step(APPROVER, ("asked",), ("withdrawn",)),
        ],
    },
    lock=_locked,
    authors=lambda decision: (decision.asked_by,),
    subject=lambda decision: f"decision/{decision.decision_id}",
    audited=lambda decision: decision,
    wrong_state=_wrong_state,
    same_person=_same_person,
)


def new_id() -> str:
    """Make the id of a decision."""
    return secrets.token_hex(6)


async def ask(act: Act, kind: Kind[Given], subject: str, given: Given) -> AskedDecision:
    """Ask for an act. It is tried and undone: nothing has changed.

    Args:
        act: Who asks, when and why.
        kind: The kind of act.
        subject: What the audit calls what it is done to.
        given: What it takes.

    Returns:
        The decision, and what the act would answer now.

    Raises:
        ApiError: The act is refused as things are.
    """
    async with undone(act.db) as tried:
        # As whoever will confirm it.
        foreseen = await kind.do(
            Act(tried, act.person_id, act.at, act.reason, roles=(APPROVER,)), given
        )
    asked = await queries.add(
        act.db,
        decision_id=new_id(),
        step=kind.step,
        subject=subject,
        asked_text=given.model_dump_json(by_alias=True),
        by=act.person_id,
        at=act.at,
        lapses_at=act.at + LAPSES_AFTER,
    )
    DECISIONS.keep(act, "ask", None, asked)
    return AskedDecision(**dict(asked), foreseen=_written(foreseen))


async def confirm(act: Act, decision_id: str) -> ConfirmedDecision:
    """Confirm a decision, and do what was asked for. Of two who confirm at once, one wins.

    Raises:
        DecisionUnknownError: There is none.
        DecisionStateError: It is confirmed, withdrawn or lapsed.
        SamePersonError: Whoever confirms has asked for it.
        NotStandingError: Whoever asked has lost their role, or all keys.
        ApiError: The act is refused as things are now.
    """
    async with change(act, DECISIONS, "confirm", (decision_id, act.at)) as taken:
        before = taken.before
        await require_standing(act, before.asked_by, *ASKERS)
        kind = _KINDS[before.step]
        result = await kind.do(act, kind.model.model_validate(before.asked))
        taken.after = await queries.settle(
            act.db, decision_id, state="confirmed", by=act.person_id, at=act.at
        )
    return ConfirmedDecision(**dict(taken.after), result=_written(result))


async def withdraw(act: Act, decision_id: str) -> DecisionAnswer:
    """Withdraw a decision that is not confirmed.

    Raises:
        DecisionUnknownError: There is none.
        DecisionStateError: It is confirmed, withdrawn or lapsed.
        NotTheDrafterError: Somebody else of the drafters asked for it.
    """
    async with change(act, DECISIONS, "withdraw", (decision_id, act.at)) as taken:
        taken.after = await queries.settle(
            act.db, decision_id, state="withdrawn", by=act.person_id, at=act.at
        )
    return taken.after


def _written(answer: BaseModel) -> dict[str, Any]:
    return answer.model_dump(mode="json", by_alias=True)
