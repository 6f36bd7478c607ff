"""Routes of decisions."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field

from parking_api.decisions import queries, service
from parking_api.decisions.errors import DecisionStateError, DecisionUnknownError
from parking_api.decisions.models import ConfirmedDecision, DecisionAnswer
from parking_api.decisions.service import DECISIONS
from parking_api.models import Page, Why
from parking_api.paging import PageAsk, page
from parking_api.parameters import Nothing
from parking_api.people.access import for_bureau, guarded, taking
from parking_api.people.errors import NotStandingError
from parking_api.people.queries import Person
from parking_api.quotes.following import CurrentPrices
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.workflow import NotTheDrafterError, SamePersonError

router = APIRouter(tags=["decisions"], route_class=StrictRoute)

PATH: Final = "/v1/decisions/{decision_id}"
DecisionId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", examples=["7c07a3e9f25d"])]


class DecisionsAsk(PageAsk):
    """A page of decisions."""

    all: bool = Field(default=False, description="Those that are settled or lapsed too.")


@router.get("/v1/decisions", dependencies=[Depends(for_bureau)], responses=guarded())
async def list_decisions(ask: Annotated[DecisionsAsk, Query()], deps: Deps) -> Page[DecisionAnswer]:
    """List the decisions that wait for a second person, or with `all` every one; for the bureau."""
    async with deps.database.connection() as db:
        found = await queries.decisions(
            db,
            deps.clock(),
            open_only=not ask.all,
            after=ask.cursor or "",
            most=ask.limit + 1,
        )
    return page("/v1/decisions", ask, ask.limit, found, lambda each: each.decision_id)


@router.post(
    f"{PATH}/confirm",
    responses=guarded(DecisionUnknownError, DecisionStateError, SamePersonError, NotStandingError),
)
async def confirm_decision(
    decision_id: DecisionId,
    body: Why,
    caller: Annotated[Person, taking(DECISIONS, "confirm")],
    _: Nothing,
    deps: Deps,
    prices: CurrentPrices,
) -> ConfirmedDecision:
    """Confirm what another person has asked for: it is done now, as things are now.

    For approvers. It may be refused as the act itself may be; its problems are those of the route
    by which it was asked for. Then nothing has changed, and it can be confirmed later.
    """
    async with deps.act(caller, body.reason) as act:
        confirmed = await service.confirm(act, decision_id)
    await prices.reload()
    return confirmed


@router.post(
    f"{PATH}/withdraw",
    responses=guarded(DecisionUnknownError, DecisionStateError, NotTheDrafterError),
)
async def withdraw_decision(
    decision_id: DecisionId,
    body: Why,
    caller: Annotated[Person, taking(DECISIONS, "withdraw")],
    _: Nothing,
    deps: Deps,
) -> DecisionAnswer:
    """Withdraw a decision that nobody has confirmed: drafters their own, approvers any."""
    async with deps.act(caller, body.reason) as act:
        return await service.withdraw(act, decision_id)
