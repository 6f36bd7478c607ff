"""API keys: made, written, read and compared. No I/O.

A key is `ok_<key_id>_<secret>`: twelve hexadecimal digits that name it, and 256 random bits in
base64url, which are shown once and kept as their SHA-256 only. A slow hash, as passwords need,
would gain nothing: nobody finds 256 random bits by guessing, however fast the guesses are.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final, Self

PREFIX: Final = "ok_"
_KEY_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_WRITTEN: Final = re.compile(rf"{PREFIX}([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})", re.ASCII)


@dataclass(frozen=True)
class ApiKey:
    """A key in clear: only while it is made or shown.

    Attributes:
        key_id: Its public name.
        secret: What proves it.
    """

    key_id: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Make one of the system's randomness."""
        return cls(secrets.token_hex(_KEY_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def read(cls, written: str) -> Self | None:
        """Read a key; None if that is none."""
        found = _WRITTEN.fullmatch(written)
        return cls(*found.groups()) if found else None

    def written(self) -> str:
        """Write it as its owner keeps it."""
        return f"{PREFIX}{self.key_id}_{self.secret}"

    def hash(self) -> bytes:
        """Return the SHA-256 of the secret, which is what is stored."""
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, stored: bytes) -> bool:
        """Tell, in constant time, whether `stored` is this key's hash."""
        return hmac.compare_digest(self.hash(), stored)
