"""Masks refused messages, so that no name, number plate or other secret in them is kept.

A field of the contract (docs/contract/feeds.md, Dead letters) keeps its value where the value has
the right type. Of everything else, names of unknown fields included, only kind and shape are left.
A message that follows the contract is therefore kept complete, and can be replayed.
"""

import binascii
import re
import unicodedata
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ingest_mqtt.lots import Registry
from ingest_mqtt.messages import MAX_PAYLOAD_BYTES, is_number
from ingest_mqtt.syntax import Members, NotJsonError, read
from ingest_mqtt.wire import KINDS, ROOT

# Of a text, on either side of its fault; of a name or a short text; fields of one message.
SHOWN_TEXT: Final = 256
SHOWN_WORD: Final = 32
SHOWN_FIELDS: Final = 16
# A topic's part, and how many of them.
_SHOWN_PART: Final = 64
_SHOWN_PARTS: Final = 8

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_AT_BYTE = re.compile(r"\(byte (\d+)\)")
# By the first letter of Unicode's category.
_KINDS: Final = {"L": "a", "M": "a", "N": "9", "Z": "_"}
_JSON_SIGNS = frozenset('{}[]:,"\\')


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked message, as it is kept.

    Attributes:
        text: JSON where it was JSON; else its first characters and those about the fault, each
            replaced by its kind.
        is_whole: Whether nothing was masked.
        fault_at: The byte at which it stopped being JSON; None where it is, or was not read.
    """

    text: str
    is_whole: bool
    fault_at: int | None = None


def mask_payload(kind: str, payload: bytes) -> Masked:
    """Return a message's payload, masked.

    Args:
        kind: The last part of its topic.
        payload: Any bytes.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Masked(_kinds_around(payload, 0), is_whole=False)
    try:
        value: Any = read(payload)
    except NotJsonError:
        at = _fault_at(payload)
        return Masked(_kinds_around(payload, at or 0), is_whole=False, fault_at=at)
    if not isinstance(value, Members):
        return Masked(_json(_shape(value)), is_whole=False)
    return _mask_fields(value, _FIELDS.get(kind, {}))


def _mask_fields(value: Members, fields: Mapping[str, Callable[..., bool]]) -> Masked:
    # Of a name that stands there twice only the last value is looked at.
    kept, is_whole = {}, not value.doubled
    strange = 0
    for name, field_value in value.items():
        if name in fields:
            is_right = fields[name](field_value, value)
            kept[name] = field_value if is_right else _masked_value(field_value)
            is_whole = is_whole and is_right
            continue
        is_whole = False
        strange += 1
        if strange <= SHOWN_FIELDS:
            kept[f"<{strange}: {kinds(name, SHOWN_WORD)}>"] = _shape(field_value)
    if strange > SHOWN_FIELDS:
        kept["<and more>"] = strange - SHOWN_FIELDS
    return Masked(_json(kept), is_whole)


def _masked_value(value: object) -> object:
    """Mask a known field's value that has the wrong type; lists item by item."""
    if isinstance(value, list):
        wrong = [item for item in value if not is_number(item, 1)]
        return [_shape(item) for item in wrong[:SHOWN_FIELDS]] + [f"<{len(value)} values>"]
    return _shape(value)


def _shape(value: object) -> object:
    """Return the kind of a value and its length, as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return f"<text of {len(value)}: {kinds(value, SHOWN_WORD)}>"
    if isinstance(value, list):
        return f"<list of {len(value)}>"
    if isinstance(value, dict):
        return f"<object of {len(value)}>"
    if isinstance(value, int):
        return f"<{'negative ' if value < 0 else ''}integer of {value.bit_length()} bits>"
    return "<number>"


def kinds(text: str, most: int, shown: Container[str] = "") -> str:
    """Replace each character by its kind.

    | kind | letter | digit | space | other |
    |---|---|---|---|---|
    | shown as | `a` | `9` | `_` | `.` |

    Args:
        text: Any text.
        most: Characters to show; an ellipsis stands for the rest.
        shown: Characters that stay as they are.
    """
    masked = "".join(
        one if one in shown else _KINDS.get(unicodedata.category(one)[0], ".")
        for one in text[:most]
    )
    return masked + ("…" if len(text) > most else "")


def _kinds_around(payload: bytes, at: int) -> str:
    """Replace characters by their kinds, at the start and around a fault; JSON's signs stay."""
    if at <= 2 * SHOWN_TEXT:
        return _signs(payload[: 3 * SHOWN_TEXT]) + "…" * (len(payload) > 3 * SHOWN_TEXT)
    start, around = payload[:SHOWN_TEXT], payload[at - SHOWN_TEXT : at + SHOWN_TEXT]
    return f"{_signs(start)}…{_signs(around)}" + "…" * (len(payload) > at + SHOWN_TEXT)


def _signs(raw: bytes) -> str:
    # A byte that is no text becomes the sign of a replacement, of kind `.`.
    return kinds(raw.decode("utf-8", "replace"), len(raw), _JSON_SIGNS)


def _fault_at(payload: bytes) -> int | None:
    """Find the byte where a text stops being JSON; its end where it only stops too early.

    None where the text may be JSON, but is nested too deeply or has too large a number.
    """
    try:
        payload.decode()
        msgspec.json.decode(payload)
    except UnicodeDecodeError as fault:
        return fault.start
    except msgspec.ValidationError:
        return None
    except msgspec.DecodeError as error:
        found = _AT_BYTE.search(str(error))
        return min(int(found[1]), len(payload)) if found else len(payload)
    except (RecursionError, ValueError, OverflowError):
        return None
    return None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def mask_topic(topic: str, registry: Registry) -> tuple[str, str, str]:
    """Mask the names in a topic that are not registered.

    Args:
        topic: As published.
        registry: Whose gateways and lots may be named.

    Returns:
        (topic, gateway, lot), each as it may be kept.
    """
    parts = topic.removeprefix(f"{ROOT}/feeds/").split("/", _SHOWN_PARTS)
    known: tuple[Mapping[str, object], ...] = (
        registry.operators,
        registry.lots,
        dict.fromkeys(KINDS),
    )
    shown = [
        part
        if place < len(known) and part in known[place]
        # Dots, dashes and underscores stay, so that a name's form can be seen.
        else kinds(part, _SHOWN_PART, "._-")
        for place, part in enumerate(parts)
    ]
    gateway, lot, *_ = [*shown, "", ""]
    return f"{ROOT}/feeds/{'/'.join(shown)}", gateway, lot


def _optional(check: Callable[..., bool]) -> Callable[..., bool]:
    return lambda value, message: value is None or check(value, message)


def _natural(value: object, _: object) -> bool:
    return is_number(value, 0)


def _positive(value: object, _: object) -> bool:
    return is_number(value, 1)


def _instant(value: object, _: object) -> bool:
    return isinstance(value, str) and _INSTANT.fullmatch(value) is not None


def _bays(value: object, _: object) -> bool:
    return isinstance(value, list) and all(is_number(item, 1) for item in value)


def _bits(value: object, message: Mapping[str, object]) -> bool:
    """Base64 of as many bytes as the capacity asks for: a plate is seldom just that."""
    capacity = message.get("capacity")
    if not isinstance(value, str) or not isinstance(capacity, int):
        return False
    try:
        raw = binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return len(raw) == (capacity + 7) // 8


def _status(value: object, _: object) -> bool:
    return isinstance(value, str) and value in {"online", "offline"}


_EVERY: Final[Mapping[str, Callable[..., bool]]] = {
    "epoch": _natural,
    "seq": _positive,
    "observed_at": _instant,
}
_FIELDS: Final[Mapping[str, Mapping[str, Callable[..., bool]]]] = {
    "spaces": {**_EVERY, "occupied": _bays, "free": _bays, "unknown": _bays},
    "snapshot": {
        **_EVERY,
        "capacity": _positive,
        "occupied_bits": _bits,
        "unknown_bits": _optional(_bits),
    },
    "count": {**_EVERY, "free": _natural, "capacity": _optional(_natural)},
    "status": {"status": _status},
}
