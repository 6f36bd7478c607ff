"""The broker's own files: who may log in with which password, and who may say and hear what."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from ingest_mqtt.wire import (
    FEEDS,
    HEARTBEAT,
    KINDS,
    MOST_PUSHERS,
    PUSH_KINDS,
    ROOT,
    STATES,
    push_acks_topic,
)

INGEST_USER: Final = "platform-ingest"
API_USER: Final = "platform-api"
# A process of the API each: the broker lets one client in under a name, and the next one instead.
API_USERS: Final = (API_USER, *(f"{API_USER}-{n}" for n in range(2, MOST_PUSHERS + 1)))
# The API once more, for what gateways post over HTTP; the first is number 1.
PUSH_USER: Final = "platform-push"
PUSH_USERS: Final = (PUSH_USER, *(f"{PUSH_USER}-{n}" for n in range(2, MOST_PUSHERS + 1)))
# Each user of the platform by the one whose password it has.
PLATFORM_USERS: Final = {
    INGEST_USER: INGEST_USER,
    **dict.fromkeys(API_USERS, API_USER),
    **dict.fromkeys(PUSH_USERS, PUSH_USER),
}
# The ingester clears what gateways publish with the retain flag; its heartbeat comes back to it.
_PLATFORM_ACL: Final = f"""\
user {INGEST_USER}
topic readwrite {FEEDS}
topic readwrite {ROOT}/push/#
topic write {ROOT}/acks/#
topic write {ROOT}/push-acks/#
topic readwrite {ROOT}/state/#
topic readwrite {HEARTBEAT}
"""
SALT_BYTES: Final = 12
_HASH_BYTES: Final = 64
_ITERATIONS: Final = 101
_TOKEN_BYTES: Final = 18


def acl(gateways: Iterable[str]) -> str:
    """Return the text of mosquitto's acl_file, from the gateways' names.

    A gateway writes the four kinds of feeds under its own name, whatever the lot: whether it may
    report for that one, the ingester checks, and says so in the ack. It reads its own acks and
    every lot's state, which is public. A process of the API hands on reports for any gateway, and
    reads the acks of its own. Nobody may do anything else; mosquitto lets anyone subscribe to
    anything but delivers only what may be read.
    """
    api = "".join(f"\nuser {name}\ntopic read {ROOT}/state/#\n" for name in API_USERS)
    push = "".join(_push_acl(name, number) for number, name in enumerate(PUSH_USERS, 1))
    return _PLATFORM_ACL + api + push + "".join(_gateway_acl(name) for name in gateways)


def _push_acl(name: str, number: int) -> str:
    lines = [
        "",
        f"user {name}",
        *(f"topic write {ROOT}/push/+/+/{kind}" for kind in PUSH_KINDS),
        f"topic read {push_acks_topic(number)}",
    ]
    return "\n".join(lines) + "\n"


def _gateway_acl(name: str) -> str:
    lines = [
        "",
        f"user {name}",
        *(f"topic write {ROOT}/feeds/{name}/+/{kind}" for kind in KINDS),
        f"topic read {ROOT}/acks/{name}/+",
        f"topic read {STATES}",
    ]
    return "\n".join(lines) + "\n"


def passwd(hashes: Mapping[str, str]) -> str:
    """Return the text of mosquitto's password_file, from hash by user name."""
    return "".join(f"{user}:{stored}\n" for user, stored in hashes.items())


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
