"""Routes of operators."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from parking_api.models import Page
from parking_api.operators import queries
from parking_api.operators.errors import OperatorNotFoundError
from parking_api.operators.models import OperatorAnswer
from parking_api.operators.sight import Seen
from parking_api.paging import PageAsk, page
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import guarded
from parking_api.resources import Deps

router = APIRouter(tags=["operators"])

OperatorId = Annotated[str, Path(pattern=ID_PATTERN, examples=["op-try"])]


@router.get("/v1/operators", responses=guarded())
async def list_operators(
    ask: Annotated[PageAsk, Query()], seen: Seen, deps: Deps
) -> Page[OperatorAnswer]:
    """List operators with what they run, page by page, ordered by `operator_id`.

    For operations; an operator finds itself alone.
    """
    async with deps.database.connection() as db:
        found = await queries.operators(
            db, most=ask.limit + 1, after=ask.cursor or "", operator_id=seen.operator_id
        )
    return page("/v1/operators", ask, ask.limit, found, lambda each: each.operator_id)


@router.get("/v1/operators/{operator_id}", responses=guarded(OperatorNotFoundError))
async def get_operator(
    operator_id: OperatorId, _: Nothing, seen: Seen, deps: Deps
) -> OperatorAnswer:
    """Tell what an operator runs; for operations and the operator."""
    seen.of(operator_id)
    async with deps.database.connection() as db:
        found = await queries.operators(db, most=1, operator_id=operator_id)
    if not found:
        raise OperatorNotFoundError
    return found[0]
