"""Routes of people, their keys and tokens."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from parking_api.models import Page
from parking_api.paging import PageAsk, page
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people import queries, service
from parking_api.people.access import (
    Authenticated,
    KeyLifetime,
    TokenSigner,
    allowed,
    guarded,
)
from parking_api.people.errors import (
    KeyEndedError,
    KeyExpiryError,
    KeyNeededError,
    KeyUnknownError,
    PersonUnknownError,
    RoleMissingError,
    RoleNotHeldError,
)
from parking_api.people.keys import ApiKey
from parking_api.people.models import (
    IssuedKey,
    KeyAnswer,
    Myself,
    NewKey,
    PersonAnswer,
    RevokeAsk,
    Rotation,
    Token,
)
from parking_api.people.queries import Person
from parking_api.people.tokens import LIFETIME, Claims
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from sql.kinds import OPERATIONS, Role

router = APIRouter(tags=["people"], route_class=StrictRoute)

CREATED: Final = HTTPStatus.CREATED

Anybody = Annotated[Person, allowed()]
Operations = Annotated[Person, allowed(OPERATIONS)]
PersonId = Annotated[str, Path(pattern=ID_PATTERN, examples=["wang.fang"])]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", examples=["9f2c41d07a3e"])]


async def _unstored(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


AnybodyByKey = Annotated[Person, allowed(by_key=True)]

# What holds a secret is kept by nobody on the way.
_UNSTORED: Final = [Depends(_unstored)]


def _own(caller: Person, person_id: str) -> None:
    if caller.person_id != person_id:
        raise RoleMissingError("Your roles do not allow this; nobody makes a key for another.")


def _own_or_operations(caller: Person, person_id: str) -> None:
    if caller.person_id != person_id and OPERATIONS not in caller.roles:
        raise RoleMissingError("Your roles do not allow this; the keys are somebody else's.")


def _shown(issued: KeyAnswer, key: ApiKey) -> IssuedKey:
    return IssuedKey(**issued.model_dump(), key=key.written())


@router.post(
    "/v1/tokens",
    status_code=CREATED,
    dependencies=_UNSTORED,
    responses=guarded(KeyNeededError),
)
async def make_token(caller: Authenticated, _: Nothing, deps: Deps, signer: TokenSigner) -> Token:
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
    return Token(token=signer.sign(claims), expires_at=expires_at)


@router.get("/v1/people", responses=guarded())
async def list_people(
    ask: Annotated[PageAsk, Query()], _: Operations, deps: Deps
) -> Page[PersonAnswer]:
    """List people, page by page, ordered by `person_id`; for operations."""
    async with deps.database.connection() as db:
        found = await queries.people(db, most=ask.limit + 1, after=ask.cursor or "")
    return page("/v1/people", ask, ask.limit, found, lambda each: each.person_id)


@router.get("/v1/people/me", responses=guarded())
async def get_myself(caller: Authenticated, _: Nothing) -> Myself:
    """Tell who the caller is."""
    return Myself(**PersonAnswer.model_validate(caller.person).model_dump(), key_id=caller.key_id)


@router.get("/v1/people/{person_id}/keys", responses=guarded(PersonUnknownError))
async def list_keys(
    person_id: PersonId, caller: Anybody, _: Nothing, deps: Deps
) -> Page[KeyAnswer]:
    """List a person's keys, ended ones too, the newest first; for themselves and operations."""
    _own_or_operations(caller, person_id)
    async with deps.database.connection() as db:
        return Page(items=await service.keys(db, person_id))


@router.post(
    "/v1/people/{person_id}/keys",
    status_code=CREATED,
    dependencies=_UNSTORED,
    responses=guarded(PersonUnknownError, KeyExpiryError),
)
async def issue_key(
    person_id: PersonId,
    new: NewKey,
    caller: AnybodyByKey,
    _: Nothing,
    deps: Deps,
    lifetime: KeyLifetime,
) -> IssuedKey:
    """Issue a further key to oneself. It is shown this once.

    It takes a key, not a token.
    """
    _own(caller, person_id)
    key = ApiKey.new()
    async with deps.act(caller, new.reason) as act:
        issued = await service.issue_key(act, person_id, key, lifetime, new.expires_at)
    return _shown(issued, key)


@router.post(
    "/v1/people/{person_id}/keys/{key_id}/rotate",
    status_code=CREATED,
    dependencies=_UNSTORED,
    responses=guarded(KeyUnknownError, KeyEndedError),
)
async def rotate_key(
    person_id: PersonId,
    key_id: KeyId,
    *,
    rotation: Rotation,
    caller: AnybodyByKey,
    _: Nothing,
    deps: Deps,
    lifetime: KeyLifetime,
) -> IssuedKey:
    """Replace a key by a new one, shown this once; for whoever has it.

    It takes a key, not a token.
    The old key, and its tokens, stay good for `grace_minutes`, or end at once.
    """
    _own(caller, person_id)
    key, grace = ApiKey.new(), timedelta(minutes=rotation.grace_minutes)
    async with deps.act(caller, rotation.reason) as act:
        issued = await service.rotate_key(
            act, person_id, key_id, key, lifetime=lifetime, grace=grace
        )
    return _shown(issued, key)


@router.delete("/v1/people/{person_id}/keys/{key_id}", responses=guarded(KeyUnknownError))
async def revoke_key(
    person_id: PersonId,
    key_id: KeyId,
    ask: Annotated[RevokeAsk, Query()],
    caller: Anybody,
    deps: Deps,
) -> KeyAnswer:
    """Revoke a key at once, and its tokens with it; for the person and operations."""
    _own_or_operations(caller, person_id)
    async with deps.act(caller, ask.reason) as act:
        return await service.revoke_key(act, person_id, key_id)


@router.delete(
    "/v1/people/{person_id}/roles/{role}",
    responses=guarded(PersonUnknownError, RoleNotHeldError),
)
async def withdraw_role(
    person_id: PersonId,
    role: Role,
    ask: Annotated[RevokeAsk, Query()],
    caller: Operations,
    deps: Deps,
) -> PersonAnswer:
    """Take a role away from a person, at once; for operations.

    It takes one person, as it lets nobody do more. To give one takes an enrolment.
    """
    async with deps.act(caller, ask.reason) as act:
        return await service.withdraw_role(act, person_id, role)
