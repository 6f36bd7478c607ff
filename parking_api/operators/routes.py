"""Routes of operators."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from parking_api.models import Page
from parking_api.operators import queries, service
from parking_api.operators.errors import GatewayNotFoundError, OperatorNotFoundError
from parking_api.operators.models import GatewayCredentials, NewCredentials, OperatorAnswer
from parking_api.operators.sight import Seen
from parking_api.paging import PageAsk, page
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import allowed, guarded
from parking_api.people.errors import KeyNeededError
from parking_api.people.queries import Person
from parking_api.resources import Deps
from parking_api.workflow import acting
from sql.kinds import OPERATIONS, OPERATOR

router = APIRouter(tags=["operators"])

GatewayId = Annotated[str, Path(pattern=ID_PATTERN, examples=["gw-try"])]
Either = Annotated[Person, allowed(OPERATIONS, OPERATOR)]
ByKey = Annotated[Person, allowed(OPERATIONS, OPERATOR, by_key=True)]


async def _unstored(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


OperatorId = Annotated[str, Path(pattern=ID_PATTERN, examples=["op-try"])]


@router.get("/v1/operators", responses=guarded())
async def list_operators(
    ask: Annotated[PageAsk, Query()], seen: Seen, deps: Deps
) -> Page[OperatorAnswer]:
    """List operators with what they run, page by page, ordered by `operator_id`.

    For operations; an operator finds itself alone.
    """
    async with seen.connection(deps.database) as db:
        found = await queries.operators(
            db, most=ask.limit + 1, after=ask.cursor or "", operator_id=seen.operator_id
        )
    return page("/v1/operators", ask, ask.limit, found, lambda each: each.operator_id)


@router.post(
    "/v1/operators/{operator_id}/gateways/{gateway_id}/credentials",
    status_code=HTTPStatus.CREATED,
    dependencies=[Depends(_unstored)],
    responses=guarded(GatewayNotFoundError, KeyNeededError),
)
async def issue_gateway_password(
    operator_id: OperatorId, gateway_id: GatewayId, _: Nothing, who: ByKey, seen: Seen, deps: Deps
) -> NewCredentials:
    """Give a gateway a new password, shown this once; for operations and the operator.

    It takes a key, not a token. The password before ends: within about a second the broker closes
    the connection that was made with it.
    """
    seen.of(operator_id)
    async with (
        seen.connection(deps.database) as db,
        acting(db, who.person_id, deps.clock()) as act,
    ):
        return await service.issue_password(act, operator_id, gateway_id)


@router.delete(
    "/v1/operators/{operator_id}/gateways/{gateway_id}/credentials",
    responses=guarded(GatewayNotFoundError),
)
async def revoke_gateway_password(
    operator_id: OperatorId, gateway_id: GatewayId, _: Nothing, who: Either, seen: Seen, deps: Deps
) -> GatewayCredentials:
    """End a gateway's password, and whatever it may do; for operations and the operator.

    Within about a second the broker closes its connection. Without a password nothing changes.
    """
    seen.of(operator_id)
    async with (
        seen.connection(deps.database) as db,
        acting(db, who.person_id, deps.clock()) as act,
    ):
        return await service.revoke_password(act, operator_id, gateway_id)


@router.get("/v1/operators/{operator_id}", responses=guarded(OperatorNotFoundError))
async def get_operator(
    operator_id: OperatorId, _: Nothing, seen: Seen, deps: Deps
) -> OperatorAnswer:
    """Tell what an operator runs; for operations and the operator."""
    seen.of(operator_id)
    async with seen.connection(deps.database) as db:
        found = await queries.operators(db, most=1, operator_id=operator_id)
    if not found:
        raise OperatorNotFoundError
    return found[0]
