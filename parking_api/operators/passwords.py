"""Passwords of gateways, as they are issued and as the broker keeps them."""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

SALT_BYTES: Final = 12
_HASH_BYTES: Final = 64
_ITERATIONS: Final = 101
_TOKEN_BYTES: Final = 18


def new_password() -> str:
    """Return a random password of 144 bits, 24 characters of `A-Z a-z 0-9 _ -`."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def new_salt() -> bytes:
    """Return a random salt."""
    return secrets.token_bytes(SALT_BYTES)


def mosquitto_hash(password: str, salt: bytes, iterations: int = _ITERATIONS) -> str:
    """Hash a password as mosquitto_passwd does: PBKDF2 with SHA-512, 64 bytes.

    The default of 101 iterations is mosquitto_passwd's own. It would be too few for passwords that
    people choose; ours have 144 random bits, which no number of guesses finds.

    Args:
        password: The password.
        salt: 12 random bytes, as mosquitto 2.0 expects.
        iterations: Rounds of PBKDF2.

    Returns:
        `$7$<iterations>$<base64 of the salt>$<base64 of the hash>`, what follows the user's name
        and a colon in the broker's password file.
    """
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _HASH_BYTES)
    encoded = (base64.b64encode(part).decode() for part in (salt, digest))
    return "$".join(("", "7", str(iterations), *encoded))


def is_password(password: str, stored: str) -> bool:
    """Tell whether `stored`, as `mosquitto_hash` returns it, is a hash of the password."""
    try:
        _, kind, iterations, salt, _ = stored.split("$")
        if kind != "7":
            return False
        again = mosquitto_hash(password, base64.b64decode(salt, validate=True), int(iterations))
    except (ValueError, binascii.Error, OverflowError):
        return False
    return hmac.compare_digest(again, stored)
