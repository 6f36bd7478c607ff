"""Who looks at a tariff: anyone at what is published, the bureau at everything."""

from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from parking_api.people.access import authenticated
from parking_api.resources import Deps

BUREAU: Final = frozenset({"bureau_drafter", "bureau_approver"})

_bearer = HTTPBearer(scheme_name="key or token", auto_error=False)


async def _sees_all(
    request: Request,
    deps: Deps,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> bool:
    """Find out whether somebody of the bureau is asking; nobody has to say who they are.

    Raises:
        CredentialRefusedError: What was shown is unknown, revoked or expired.
    """
    if given is None:
        return False
    caller = await authenticated(request, deps, given)
    return bool(BUREAU & caller.person.roles)


SeesAll = Annotated[bool, Depends(_sees_all)]
