"""Short-lived tokens that stand for a key. No I/O.

A token is `ot_<payload>.<signature>`: the payload is JSON (`person_id`, `roles`, `operator_id`,
`key_id`, and `exp` in seconds since 1970) in base64url without padding; the signature is the
HMAC-SHA256, in base64url without padding, of everything before the full stop, under the platform's
secret. There is one algorithm and no header that could name another.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

PREFIX: Final = "ot_"
LIFETIME: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class Claims:
    """What a token says.

    Attributes:
        person_id: Whose it is.
        roles: Their roles when it was made.
        operator_id: Whose lots an operator is about; None for others.
        key_id: The key that it was made with, and ends with.
        expires_at: From when on it is worth nothing; whole seconds.
    """

    person_id: str
    roles: tuple[str, ...]
    operator_id: str | None
    key_id: str
    expires_at: datetime


@dataclass(frozen=True)
class Signer:
    """Makes tokens, and reads its own."""

    secret: bytes = field(repr=False)

    def sign(self, claims: Claims) -> str:
        """Write a token that says `claims`."""
        payload = {
            "person_id": claims.person_id,
            "roles": claims.roles,
            "operator_id": claims.operator_id,
            "key_id": claims.key_id,
            "exp": int(claims.expires_at.timestamp()),
        }
        signed = PREFIX + _encoded(json.dumps(payload, separators=(",", ":")).encode())
        return f"{signed}.{self._signature(signed)}"

    def read(self, token: str, now: datetime) -> Claims | None:
        """Read a token; None if it is none of ours or its time is over."""
        signed, _, signature = token.partition(".")
        if not (token.isascii() and hmac.compare_digest(signature, self._signature(signed))):
            return None
        try:
            claims = _claims(json.loads(_decoded(signed.removeprefix(PREFIX))))
        except (ValueError, KeyError, TypeError, binascii.Error):
            # Signed by this secret, but for something else.
            return None
        return claims if now < claims.expires_at else None

    def _signature(self, signed: str) -> str:
        return _encoded(hmac.digest(self.secret, signed.encode(), hashlib.sha256))


def _claims(payload: dict[str, Any]) -> Claims:
    return Claims(
        payload["person_id"],
        tuple(payload["roles"]),
        payload["operator_id"],
        payload["key_id"],
        datetime.fromtimestamp(payload["exp"], UTC),
    )


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
