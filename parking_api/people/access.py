"""Who is asking, and whether they may: the dependencies of every route that is not for anyone.

A route says which roles it is for, or which step of a workflow it takes:

    async def route(caller: Annotated[Person, allowed("bureau_drafter")], ...) -> Response:
    async def approve(caller: Annotated[Person, taking(ZONES, "approve")], ...) -> Response:

Keys and tokens are both looked up at each request, one row by its primary key: a revoked key ends
at once, its tokens with it, and a person's roles are those of now.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, Request, params
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from parking_api.clients import clients_of, limited_client
from parking_api.errors import ApiError, MisdirectedError, described, public
from parking_api.people import queries
from parking_api.people.errors import (
    CredentialRefusedError,
    KeyNeededError,
    NotAuthenticatedError,
    RoleMissingError,
)
from parking_api.people.keys import ApiKey
from parking_api.people.queries import Person, is_good
from parking_api.people.tokens import Signer
from parking_api.resources import Resources, office_of
from parking_api.workflow import Key, Thing, Workflow
from sql.kinds import APPROVER, DRAFTER, Role

# How rough a key's `last_used_at` is.
TOUCH_AFTER: Final = timedelta(minutes=5)
# Where a request keeps who is asking, once that is settled.
_CALLER: Final = "onelot.caller"

_bearer = HTTPBearer(
    scheme_name="keyOrToken",
    bearerFormat="ok_<key_id>_<secret>, or a token of POST /v1/tokens",
    description="`Authorization: Bearer` and an API key, or a token made with one.",
    auto_error=False,
)


@dataclass(frozen=True)
class Caller:
    """A person with what they have shown.

    Attributes:
        person: Who.
        key_id: The key, or the one that the token was made with.
        by_token: Whether it was a token.
    """

    person: Person
    key_id: str
    by_token: bool


async def _signer(request: Request) -> Signer:
    signer: Signer = request.app.state.signer
    return signer


TokenSigner = Annotated[Signer, Depends(_signer)]


class Authentication:
    """The dependency of a route that is for everybody who is known: it gives the `Caller`."""

    async def __call__(
        self,
        request: Request,
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Caller:
        """Find out who is asking, once a request.

        Raises:
            NotAuthenticatedError: Nothing was shown.
            MisdirectedError: This process is not the office, which alone looks at keys.
            CredentialRefusedError: It is unknown, revoked or expired.
            TooManyWrongKeysError: So many were wrong before that this one was not looked at.
        """
        known: Caller | None = request.scope.get(_CALLER)
        if known is None:
            known = await _settled(request, given)
            request.scope[_CALLER] = known
        return known

    async def admit(self, request: Request) -> Caller:
        """Find out who is asking before anything else of the request is read."""
        return await self(request, await _bearer(request))


authenticated: Final = Authentication()


async def _settled(request: Request, given: HTTPAuthorizationCredentials | None) -> Caller:
    """Find out who is asking; wrong keys are bounded by client."""
    if given is None:
        raise NotAuthenticatedError
    deps = await office_of(request)
    key = ApiKey.read(given.credentials)
    signer = await _signer(request)
    if key is None:
        return await _authenticated(deps, signer, given, None)
    clients, client = await clients_of(request), await limited_client(request)
    clients.check_key(client, given.credentials)
    try:
        known = await _authenticated(deps, signer, given, key)
    except CredentialRefusedError:
        await clients.note_wrong_key(client)
        raise
    clients.note_right_key(given.credentials)
    return known


async def _authenticated(
    deps: Resources, signer: Signer, given: HTTPAuthorizationCredentials, key: ApiKey | None
) -> Caller:
    now = deps.clock()
    shown = key or signer.read(given.credentials, now)
    if shown is None:
        raise CredentialRefusedError
    async with deps.database.connection() as db:
        known = await queries.credential(db, shown.key_id)
        if known is None or not is_good(known, now) or (key and not key.matches(known.hash)):
            raise CredentialRefusedError
        if known.last_used_at is None or now - known.last_used_at >= TOUCH_AFTER:
            await queries.touch_key(db, shown.key_id, now)
    return Caller(known, shown.key_id, by_token=key is None)


Authenticated = Annotated[Caller, Depends(authenticated)]


@dataclass(frozen=True)
class Guard:
    """The dependency of a route that is for people of any of `roles`; of none, for everybody.

    It gives the `Person`. Without a good key or token the answer is 401, without a role 403. With
    `by_key` a token is not enough: what a route makes would outlive it.
    """

    roles: frozenset[str]
    by_key: bool = False

    async def __call__(self, caller: Authenticated) -> Person:
        """Let the caller in.

        Raises:
            RoleMissingError: They have none of the roles.
            KeyNeededError: It takes a key, and they have shown a token.
        """
        if self.by_key and caller.by_token:
            raise KeyNeededError
        if self.roles and self.roles.isdisjoint(caller.person.roles):
            raise RoleMissingError(
                f"Your roles do not allow this; it is for: {', '.join(sorted(self.roles))}."
            )
        return caller.person

    async def admit(self, request: Request) -> None:
        """Let the caller in before anything else of the request is read."""
        await self(await authenticated.admit(request))


def allowed(*roles: Role, by_key: bool = False) -> params.Depends:
    """Make the dependency of a route that is for some roles: see `Guard`."""
    return params.Depends(Guard(frozenset(roles), by_key))


def taking(workflow: Workflow[Key, Thing], step: str, *, by_key: bool = False) -> params.Depends:
    """Make the dependency of a route that takes a step: for the roles in the workflow's table."""
    return allowed(*(row.role for row in workflow.steps[step] if row.role), by_key=by_key)


for_bureau: Final = Guard(frozenset({DRAFTER, APPROVER}))


def is_of_bureau(roles: Collection[str]) -> bool:
    """Return whether somebody of these roles may see drafts."""
    return not for_bureau.roles.isdisjoint(roles)


async def _sees_all(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> bool:
    """Find out whether somebody of the bureau is asking; nobody has to say who they are.

    Raises:
        CredentialRefusedError: What was shown is unknown, revoked or expired.
    """
    if given is None:
        return False
    caller = await authenticated(request, given)
    return is_of_bureau(caller.person.roles)


async def _known(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller | None:
    """Find out who is asking, where they say so.

    Raises:
        CredentialRefusedError: What was shown is unknown, revoked or expired.
    """
    return None if given is None else await authenticated(request, given)


MaybeKnown = Annotated[Caller | None, Depends(_known)]


async def _key_lifetime(request: Request) -> timedelta:
    lifetime: timedelta = request.app.state.key_lifetime
    return lifetime


# How long a new key is good, at most.
KeyLifetime = Annotated[timedelta, Depends(_key_lifetime)]


SeesAll = Annotated[bool, Depends(_sees_all)]


def guarded(*problems: HTTPStatus | type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Describe for OpenAPI the problems of a guarded route: 401, 403, 421, 422, 503, its own."""
    common = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
    return described(CredentialRefusedError, RoleMissingError, MisdirectedError, *common, *problems)


def public_with_login(*problems: HTTPStatus | type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Describe for OpenAPI the problems of a route for anyone that shows the bureau more.

    They are those of `public`, 401 for a key or token that is not good, and 421 where none is
    looked at.
    """
    return public(CredentialRefusedError, MisdirectedError, *problems)
