"""Gateways that log in over HTTP: their passwords as hashes in memory, and who is asking.

A password is checked against its hash once. After that a keyed digest of it is enough, which is a
hundred times cheaper; it is good until the hash changes, and no password stands in memory. Wrong
passwords are bounded by address and gateway, so that nobody can lock a gateway out from elsewhere.
"""

import asyncio
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, HTTPException, Path, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from parking_api import background
from parking_api.database import Database
from parking_api.operators import queries
from parking_api.operators.broker_files import is_password, mosquitto_hash, new_password, new_salt
from parking_api.operators.errors import (
    AnotherGatewayError,
    LoginMissingError,
    LoginRefusedError,
    TooManyLoginsError,
)
from parking_api.parameters import ID_PATTERN
from parking_api.resources import resources_of

# Wrong passwords for a gateway from one address: so many at once, and another after so long.
MOST_WRONG: Final = 10
FORGIVEN_S: Final = 6.0
# So many pairs of address and gateway are remembered; the oldest is forgotten first.
MOST_REMEMBERED: Final = 10_000
GatewayId = Annotated[str, Path(pattern=ID_PATTERN, examples=["gw-try"])]
# Where a request keeps which gateway is asking.
_GATEWAY: Final = "onelot.gateway"


@dataclass(slots=True)
class _Wrong:
    """How many wrong passwords count, as of a time (seconds of a clock that never goes back)."""

    number: float
    at_s: float

    def forgive(self, now_s: float) -> None:
        self.number = max(0.0, self.number - (now_s - self.at_s) / FORGIVEN_S)
        self.at_s = now_s


class Logins:
    """The passwords of all gateways that have one."""

    def __init__(self) -> None:
        self._hashes: dict[str, str] = {}
        self._key = secrets.token_bytes(32)
        self._known: dict[str, bytes] = {}
        self._wrong: OrderedDict[tuple[str, str], _Wrong] = OrderedDict()
        # Unknown names take as long as wrong passwords.
        self._nobodys = mosquitto_hash(new_password(), new_salt())

    def load(self, hashes: Mapping[str, str]) -> None:
        """Take the hashes, by gateway; what was known of a password that has changed is forgotten.

        Args:
            hashes: As `mosquitto_hash` returns them.
        """
        same = {name for name, stored in hashes.items() if self._hashes.get(name) == stored}
        self._known = {name: seen for name, seen in self._known.items() if name in same}
        self._hashes = dict(hashes)

    def check(self, gateway_id: str, password: str, address: str, now_s: float) -> None:
        """Check a password.

        Args:
            gateway_id: Who it is said to be, registered or not.
            password: In clear.
            address: The peer's.
            now_s: Seconds of a clock that never goes back.

        Raises:
            LoginRefusedError: There is no such gateway, or its password is another.
            TooManyLoginsError: So many were wrong that this one was not looked at.
        """
        seen = hmac.digest(self._key, f"{gateway_id}\0{password}".encode(), "sha256")
        known = self._known.get(gateway_id)
        if known is not None and hmac.compare_digest(seen, known):
            return
        stored = self._hashes.get(gateway_id)
        # All unknown names count as one.
        wrong = self._remember((address, gateway_id if stored else ""), now_s)
        if wrong.number > MOST_WRONG - 1:
            raise TooManyLoginsError(math.ceil((wrong.number - MOST_WRONG + 1) * FORGIVEN_S))
        if not is_password(password, stored or self._nobodys) or stored is None:
            wrong.number += 1
            raise LoginRefusedError
        self._known[gateway_id] = seen

    def _remember(self, who: tuple[str, str], now_s: float) -> _Wrong:
        wrong = self._wrong.setdefault(who, _Wrong(0.0, now_s))
        wrong.forgive(now_s)
        self._wrong.move_to_end(who)
        if len(self._wrong) > MOST_REMEMBERED:
            self._wrong.popitem(last=False)
        return wrong


class FollowedLogins(Logins):
    """The passwords, and their reading from the database."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self.changed = asyncio.Event()
        self.reading = background.Reading("logins", self.read)

    async def read(self) -> None:
        """Read all hashes.

        Raises:
            DatabaseAwayError: The database is away; the hashes stay as they are.
        """
        self.changed.clear()
        async with self._database.job() as db:
            found = await queries.logins(db)
        self.load({login.gateway_id: login.password_hash for login in found})


@asynccontextmanager
async def followed_logins(
    logins: FollowedLogins, reload_interval_s: float
) -> AsyncIterator[FollowedLogins]:
    """Load the passwords as soon as the database is there; keep them up to date until the end.

    Args:
        logins: Read at once, at each change, and at intervals.
        reload_interval_s: Longest that they are not read again, seconds.
    """
    task = asyncio.create_task(logins.reading.repeat(reload_interval_s, logins.changed))
    try:
        yield logins
    finally:
        await background.stop([task])


class _Basic(HTTPBasic):
    """The header as FastAPI reads it; what it cannot read is refused like a wrong password."""

    async def __call__(self, request: Request) -> HTTPBasicCredentials | None:  # type: ignore[override]
        """Return name and password; None where there are none."""
        try:
            return await super().__call__(request)
        except HTTPException as error:
            raise LoginRefusedError from error


_basic: Final = _Basic(
    scheme_name="gateway",
    description="`Authorization: Basic` with a gateway's name and its password at the broker.",
    auto_error=False,
)


class GatewayLogin:
    """The dependency of a route for one gateway, which its path names; gives the gateway's id."""

    async def __call__(
        self,
        request: Request,
        gateway_id: GatewayId,
        given: Annotated[HTTPBasicCredentials | None, Depends(_basic)],
    ) -> str:
        """Find out which gateway is asking, once a request.

        Raises:
            LoginMissingError: No name and password were given.
            LoginRefusedError: They are not a gateway's.
            TooManyLoginsError: So many were wrong before that these were not looked at.
            AnotherGatewayError: They are another gateway's than the path names.
        """
        known: str | None = request.scope.get(_GATEWAY)
        if known is not None:
            return known
        if given is None:
            raise LoginMissingError
        logins: Logins = request.app.state.logins
        address = request.client.host if request.client else ""
        logins.check(given.username, given.password, address, time.monotonic())
        if gateway_id != given.username:
            raise AnotherGatewayError
        request.scope[_GATEWAY] = gateway_id
        return gateway_id

    async def admit(self, request: Request) -> str:
        """Find out who is asking before anything else of the request is read."""
        await resources_of(request)
        return await self(request, request.path_params["gateway_id"], await _basic(request))


gateway_login: Final = GatewayLogin()
