"""Who is asking, and whether they may: the dependencies of every route that is not for anyone.

A route says which roles it is for:

    async def route(caller: Annotated[Person, allowed("bureau_drafter")], ...) -> Response:

Keys and tokens are both looked up at each request, one row by its primary key: a revoked key ends
at once, its tokens with it, and a person's roles are those of now.
"""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from parking_api.errors import ApiError, described
from parking_api.people.errors import (
    CredentialRefusedError,
    NotAuthenticatedError,
    RoleMissingError,
)
from parking_api.people.keys import ApiKey
from parking_api.resources import Held, Resources
from sql.named import named

Role = Literal["operator", "bureau_drafter", "bureau_approver", "operations"]
# How rough a key's `last_used_at` is.
TOUCH_AFTER: Final = timedelta(minutes=5)

_bearer = HTTPBearer(
    scheme_name="key or token",
    bearerFormat="ok_<key_id>_<secret>, or a token of POST /v1/tokens",
    description="`Authorization: Bearer` and an API key, or a token made with one.",
    auto_error=False,
)


@dataclass(frozen=True)
class Person:
    """Somebody known to the platform.

    Attributes:
        person_id: Their id.
        name: What they are called.
        roles: At least one `Role`.
        operator_id: Whose lots an `operator` is about; None for everybody else.
    """

    person_id: str
    name: str
    roles: frozenset[str]
    operator_id: str | None


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


async def authenticated(
    held: Held, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Find out who is asking.

    Raises:
        NotAuthenticatedError: Nothing was shown.
        CredentialRefusedError: It is unknown, revoked or expired.
    """
    if given is None:
        raise NotAuthenticatedError
    key = ApiKey.read(given.credentials)
    claims = None if key else held.signer.read(given.credentials, held.clock())
    if key:
        return await _caller(held, key.key_id, key)
    if claims:
        return await _caller(held, claims.key_id, None)
    raise CredentialRefusedError


async def _caller(held: Resources, key_id: str, key: ApiKey | None) -> Caller:
    now = held.clock()
    async with held.database.connection() as connection:
        row = await connection.fetchrow(named("api_key_person"), key_id)
        if row is None or (key and not key.matches(row["hash"])):
            raise CredentialRefusedError
        if row["revoked_at"] or (row["expires_at"] and row["expires_at"] <= now):
            raise CredentialRefusedError
        if row["last_used_at"] is None or now - row["last_used_at"] >= TOUCH_AFTER:
            await connection.execute(named("api_key_touch"), key_id, now)
    person = Person(row["person_id"], row["name"], frozenset(row["roles"]), row["operator_id"])
    return Caller(person, key_id, by_token=key is None)


Authenticated = Annotated[Caller, Depends(authenticated)]


def allowed(*roles: Role) -> Any:
    """Make the dependency of a route that is for people of any of `roles`; of none, for everybody.

    It gives the `Person`. Without a good key or token the answer is 401, without a role 403.
    """
    wanted = frozenset(roles)

    async def check(caller: Authenticated) -> Person:
        if wanted and not wanted & caller.person.roles:
            raise RoleMissingError(
                f"Your roles do not allow this; it is for: {', '.join(sorted(wanted))}."
            )
        return caller.person

    return Depends(check)


Drafter = Annotated[Person, allowed("bureau_drafter")]
Approver = Annotated[Person, allowed("bureau_approver")]
Bureau = Annotated[Person, allowed("bureau_drafter", "bureau_approver")]


def guarded(*problems: HTTPStatus | type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Describe for OpenAPI the problems of a guarded route: 401, 403, 422, 503 and its own."""
    common = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
    return described(CredentialRefusedError, RoleMissingError, *common, *problems)
