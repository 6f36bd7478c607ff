"""The route by which an import that changes prices is asked for."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter

from parking_api.decisions import service as decisions
from parking_api.decisions.models import AskedDecision
from parking_api.decisions.service import DECISIONS
from parking_api.importing.moved import IMPORT, ImportOf, NewImport
from parking_api.parameters import Nothing
from parking_api.people.access import guarded, taking
from parking_api.people.queries import Person
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute

router = APIRouter(tags=["decisions"], route_class=StrictRoute)


@router.post("/v1/imports", status_code=HTTPStatus.ACCEPTED, responses=guarded())
async def ask_for_import(
    body: NewImport,
    deps: Deps,
    _: Nothing,
    caller: Annotated[Person, taking(DECISIONS, "ask")],
) -> AskedDecision:
    """Ask for an import that changes prices; the command has refused it and said its digest.

    Once another person has confirmed the decision, the same files can be imported, once, until the
    decision would have lapsed.
    """
    async with deps.act(caller, body.reason) as act:
        given = ImportOf(digest=body.digest)
        return await decisions.ask(act, IMPORT, f"import/{body.digest}", given)
