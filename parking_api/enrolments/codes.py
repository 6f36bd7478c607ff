"""One-time codes: made, written, read and compared. No I/O.

A code has 80 random bits in base32, in four groups: `ABCD-EFGH-IJKL-MNOP`. It is shown once, and
kept as SHA-256. It is too long to guess in five tries, or from its hash in a quarter of an hour.
"""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Final

LIFETIME: Final = timedelta(minutes=15)
MOST_TRIES: Final = 5
_BYTES: Final = 10
_GROUP: Final = 4


def new_id() -> str:
    """Make the id of an enrolment; nobody guesses it to use up its tries."""
    return secrets.token_hex(6)


def new() -> str:
    """Make a code of the system's randomness."""
    text = base64.b32encode(secrets.token_bytes(_BYTES)).decode()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def hashed(enrolment_id: str, code: str) -> bytes:
    """Return the SHA-256 that is kept of an enrolment's code, however its letters are written."""
    plain = re.sub(r"[\s-]", "", code).upper()
    return hashlib.sha256(f"{enrolment_id}:{plain}".encode()).digest()


def matches(enrolment_id: str, code: str, stored: bytes) -> bool:
    """Tell, in constant time, whether `stored` is what is kept of this code."""
    return hmac.compare_digest(hashed(enrolment_id, code), stored)
