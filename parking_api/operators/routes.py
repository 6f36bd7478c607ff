"""Routes of operators."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from parking_api.models import respond
from parking_api.operators import service
from parking_api.operators.errors import OperatorNotFoundError
from parking_api.operators.models import OperatorAnswer, OperatorPage, OperatorsAsk
from parking_api.operators.sight import Seen
from parking_api.paging import next_path
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import guarded
from parking_api.resources import Deps

router = APIRouter(tags=["operators"])

OperatorId = Annotated[str, Path(pattern=ID_PATTERN, examples=["op-try"])]


@router.get("/v1/operators", response_model=OperatorPage, responses=guarded())
async def operators(ask: Annotated[OperatorsAsk, Query()], seen: Seen, deps: Deps) -> Response:
    """List operators with what they run, page by page, ordered by `operator_id`.

    For operations; an operator finds itself alone.
    """
    async with deps.database.connection() as connection:
        rows, cursor = await service.operators_page(connection, ask, seen.operator_id)
    items = [service.operator(row) for row in rows]
    return respond({"items": items, "next": next_path("/v1/operators", ask, cursor)})


@router.get(
    "/v1/operators/{operator_id}",
    response_model=OperatorAnswer,
    responses=guarded(OperatorNotFoundError),
)
async def operator(operator_id: OperatorId, _: Nothing, seen: Seen, deps: Deps) -> Response:
    """Tell what an operator runs; for operations and the operator."""
    seen.of(operator_id)
    async with deps.database.connection() as connection:
        return respond(service.operator(await service.one_operator(connection, operator_id)))
