"""Routes of people, their keys and tokens."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from parking_api.audit import Action
from parking_api.models import Json, respond
from parking_api.paging import START, PageLimit, next_path
from parking_api.parameters import ID_PATTERN, Id, Nothing, Parameters
from parking_api.people import queries, service
from parking_api.people.access import Authenticated, Person, allowed, guarded
from parking_api.people.errors import (
    ExpiryPastError,
    KeyEndedError,
    KeyNeededError,
    KeyUnknownError,
    OperatorUnknownError,
    PersonExistsError,
    PersonUnknownError,
    RoleMissingError,
)
from parking_api.people.keys import ApiKey
from parking_api.people.models import (
    IssuedKey,
    KeyAnswer,
    KeyList,
    Myself,
    NewKey,
    NewPerson,
    PersonAnswer,
    PersonPage,
    Reason,
    Rotation,
    Token,
)
from parking_api.people.tokens import LIFETIME, Claims
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute

router = APIRouter(tags=["people"], route_class=StrictRoute)

OPERATIONS: Final = "operations"
CREATED: Final = HTTPStatus.CREATED
# What holds a secret is kept by nobody on the way.
_NO_STORE: Final = "no-store"

Anybody = Annotated[Person, allowed()]
Operations = Annotated[Person, allowed(OPERATIONS)]
PersonId = Annotated[str, Path(pattern=ID_PATTERN, examples=["wang.fang"])]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", examples=["9f2c41d07a3e"])]


class PeopleAsk(Parameters):
    """A page of people."""

    limit: PageLimit = 100
    cursor: Annotated[Id | None, Field(description=START)] = None


class RevokeAsk(Parameters):
    """Why a key is revoked."""

    reason: Reason = None


def _own_or_operations(caller: Person, person_id: str) -> None:
    if caller.person_id != person_id and OPERATIONS not in caller.roles:
        raise RoleMissingError("Your roles do not allow this; the keys are somebody else's.")


def _secret(body: Json) -> Response:
    answer = respond(body)
    answer.status_code = CREATED
    answer.headers["Cache-Control"] = _NO_STORE
    return answer


@router.post(
    "/v1/tokens",
    status_code=CREATED,
    response_model=Token,
    responses=guarded(KeyNeededError),
)
async def make_token(caller: Authenticated, _: Nothing, deps: Deps) -> Response:
    """Make a token that stands for the API key shown, for 15 minutes.

    It is good wherever the key is, but here; it ends with its key at the latest. Keep the key at
    home, and give the token to what runs elsewhere.
    """
    if caller.by_token:
        raise KeyNeededError
    # Whole seconds, as the token has them.
    expires_at = (deps.clock() + LIFETIME).replace(microsecond=0)
    who = caller.person
    claims = Claims(
        who.person_id,
        tuple(sorted(who.roles)),
        who.operator_id,
        caller.key_id,
        int(expires_at.timestamp()),
    )
    return _secret({"token": deps.signer.sign(claims), "expires_at": expires_at})


@router.post(
    "/v1/people",
    status_code=CREATED,
    response_model=PersonAnswer,
    responses=guarded(PersonExistsError, OperatorUnknownError),
)
async def add_person(new: NewPerson, caller: Operations, _: Nothing, deps: Deps) -> Response:
    """Add a person; for operations. A key is issued to them separately."""
    by = Action(caller.person_id, deps.clock(), new.reason)
    async with deps.database.transaction() as connection:
        added = await service.add_person(connection, new, by)
    answer = respond(added)
    answer.status_code = CREATED
    return answer


@router.get("/v1/people", response_model=PersonPage, responses=guarded())
async def people(ask: Annotated[PeopleAsk, Query()], _: Operations, deps: Deps) -> Response:
    """List people, page by page, ordered by `person_id`; for operations."""
    async with deps.database.connection() as connection:
        rows, cursor = await queries.people_page(connection, ask.cursor or "", ask.limit)
    following = next_path("/v1/people", ask, cursor)
    return respond({"items": [queries.person(row) for row in rows], "next": following})


@router.get("/v1/people/me", response_model=Myself, responses=guarded())
async def me(caller: Authenticated, _: Nothing, deps: Deps) -> Response:
    """Tell who the caller is."""
    async with deps.database.connection() as connection:
        row = await queries.one_person(connection, caller.person.person_id)
    return respond(queries.person(row) | {"key_id": caller.key_id})


@router.get(
    "/v1/people/{person_id}/keys", response_model=KeyList, responses=guarded(PersonUnknownError)
)
async def keys(person_id: PersonId, caller: Anybody, _: Nothing, deps: Deps) -> Response:
    """List a person's keys, ended ones too, the newest first; for themselves and operations."""
    _own_or_operations(caller, person_id)
    async with deps.database.connection() as connection:
        items = await queries.keys_of(connection, person_id)
    return respond({"items": items, "next": None})


@router.post(
    "/v1/people/{person_id}/keys",
    status_code=CREATED,
    response_model=IssuedKey,
    responses=guarded(PersonUnknownError, ExpiryPastError),
)
async def issue_key(
    person_id: PersonId, new: NewKey, caller: Anybody, _: Nothing, deps: Deps
) -> Response:
    """Issue a further key; for the person and operations. It is shown this once."""
    _own_or_operations(caller, person_id)
    key = ApiKey.new()
    by = Action(caller.person_id, deps.clock(), new.reason)
    async with deps.database.transaction() as connection:
        issued = await service.issue_key(connection, person_id, key, by, new.expires_at)
    return _secret(issued | {"key": key.written()})


@router.post(
    "/v1/people/{person_id}/keys/{key_id}/rotate",
    status_code=CREATED,
    response_model=IssuedKey,
    responses=guarded(KeyUnknownError, KeyEndedError),
)
async def rotate_key(
    person_id: PersonId,
    key_id: KeyId,
    rotation: Rotation,
    caller: Anybody,
    _: Nothing,
    deps: Deps,
) -> Response:
    """Replace a key by a new one, shown this once; for the person and operations.

    The old key, and its tokens, stay good for `grace_minutes`, or end at once.
    """
    _own_or_operations(caller, person_id)
    key, grace = ApiKey.new(), timedelta(minutes=rotation.grace_minutes)
    by = Action(caller.person_id, deps.clock(), rotation.reason)
    async with deps.database.transaction() as connection:
        old = await queries.locked_key(connection, key_id, person_id)
        issued = await service.rotate_key(connection, old, key, grace, by)
    return _secret(issued | {"key": key.written()})


@router.delete(
    "/v1/people/{person_id}/keys/{key_id}",
    response_model=KeyAnswer,
    responses=guarded(KeyUnknownError),
)
async def revoke_key(
    person_id: PersonId,
    key_id: KeyId,
    ask: Annotated[RevokeAsk, Query()],
    caller: Anybody,
    deps: Deps,
) -> Response:
    """Revoke a key at once, and its tokens with it; for the person and operations."""
    _own_or_operations(caller, person_id)
    by = Action(caller.person_id, deps.clock(), ask.reason)
    async with deps.database.transaction() as connection:
        old = await queries.locked_key(connection, key_id, person_id)
        revoked = await service.revoke_key(connection, old, by)
    return respond(revoked)
