"""The broker's own files: who may log in, and who may say and hear what."""

from collections.abc import Iterable, Mapping
from typing import Final

from ingest_mqtt.wire import FEEDS, HEARTBEAT, KINDS, ROOT, STATES

INGEST_USER: Final = "platform-ingest"
API_USER: Final = "platform-api"
# The ingester clears what gateways publish with the retain flag; its heartbeat comes back to it.
_PLATFORM_ACL: Final = f"""\
user {INGEST_USER}
topic readwrite {FEEDS}
topic write {ROOT}/acks/#
topic readwrite {ROOT}/state/#
topic readwrite {HEARTBEAT}

user {API_USER}
topic read {ROOT}/state/#
"""


def acl(gateways: Iterable[str]) -> str:
    """Return the text of mosquitto's acl_file, from the gateways' names.

    A gateway writes the four kinds of feeds under its own name, whatever the lot: whether it may
    report for that one, the ingester checks, and says so in the ack. It reads its own acks and
    every lot's state, which is public. Nobody may do anything else; mosquitto lets anyone
    subscribe to anything but delivers only what may be read.
    """
    return _PLATFORM_ACL + "".join(_gateway_acl(name) for name in gateways)


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
