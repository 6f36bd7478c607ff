"""Short-lived tokens that stand for a key. No I/O.

A token is `ot_` and a JSON Web Token in compact form, signed with HMAC-SHA256 under the platform's
secret. Its claims are exactly the fields of `Claims`. Whatever its header names, no other algorithm
is tried.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

import jwt
import msgspec

PREFIX: Final = "ot_"
LIFETIME: Final = timedelta(minutes=15)
_ALGORITHM: Final = "HS256"
# Checked before anything is decoded: the longest token that `sign` makes has some 600 characters.
_TOKEN: Final = re.compile(PREFIX + r"([\w-]{1,100}\.[\w-]{1,1000}\.[\w-]{43})", re.ASCII)
_YEAR_10000: Final = 253_402_300_800
_JWS: Final = jwt.PyJWS()


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token says.

    Attributes:
        person_id: The person that it stands for.
        roles: Their roles when it was made.
        operator_id: Whose lots an operator is about; None for others.
        key_id: The key that it was made with, and ends with.
        exp: When it expires, in seconds since 1970; before the year 10000.
    """

    person_id: str
    roles: tuple[str, ...]
    operator_id: str | None
    key_id: str
    exp: Annotated[int, msgspec.Meta(ge=0, lt=_YEAR_10000)]


@dataclass(frozen=True)
class Signer:
    """Makes tokens, and reads its own."""

    secret: bytes = field(repr=False)

    def sign(self, claims: Claims) -> str:
        """Write a token with these claims."""
        return PREFIX + _JWS.encode(msgspec.json.encode(claims), self.secret, _ALGORITHM)

    def read(self, token: str, now: datetime) -> Claims | None:
        """Read a token; None if it was not made with this secret or has expired.

        There is no leeway: the platform's own clock made `exp`.
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        try:
            payload = _JWS.decode(match[1], self.secret, [_ALGORITHM])
            claims = msgspec.json.decode(payload, type=Claims)
        except (jwt.InvalidTokenError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return claims if now.timestamp() < claims.exp else None
