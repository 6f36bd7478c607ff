"""Messages that no gateway should send: valid ones, broken with their structure in mind; no I/O.

Each takes a valid message and breaks it in one way: cut, spliced, encoded otherwise, nested, with
numbers at every bound, wrong in type first and in syntax later. All of it is drawn from one
seeded source, so that a message that did harm can be made again from its number.
"""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

# A name that must be found nowhere behind the broker; no valid message has one like it.
SECRET: Final = "QZX7391"  # noqa: S105 - no password
KINDS: Final = ("spaces", "snapshot", "count", "status")
_MOST_BYTES: Final = 250_000
_HEAVY_SHARE: Final = 0.03
_ANY_KIND_SHARE: Final = 0.1
_HINT_SHARE: Final = 0.05

_NUMBERS: Final = (
    *(0, -1, 1, 2, 2**31 - 1, 2**31, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63),
    *(2**64, 2**128, -(2**63), -(2**64), 10**25, 10**400, 20_000, 20_001, 65_536, 524_289),
    *(0.0, -0.0, 0.5, 1e-400, 1e308, 1.0, 1e3, 4_102_444_800, 253_402_300_800),
)
_RAW_NUMBERS: Final = (
    *("NaN", "Infinity", "-Infinity", "1e400", "-0", "01", "+1", "1.", ".5", "0x10", "1e", "1_0"),
    *("9" * 30, "9" * 4301, "9" * 5000, "1" + "0" * 20_000, "1e99999", "0." + "0" * 5000 + "1"),
)
_INSTANTS: Final = (
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z"),
    *("9999-12-31T23:59:59-12:00", "1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z"),
    *("2026-11-22T09:30:00", "2026-11-22", "2026-13-40T99:99:99Z", "2026-02-29T00:00:00Z"),
    *("2026-11-22T23:59:60Z", "2026-11-22T24:00:00Z", "2026-11-22T09:30:00+99:99"),
    *("2026-11-22T09:30:00.123456789123Z", "0000-00-00T00:00:00Z", "10000-01-01T00:00:00Z"),
    *(
        "",
        " ",
        "now",
        "1764000000",
        SECRET,
        "\uff12\uff10\uff12\uff16-11-22T09:30:00Z",
        "2026-11-22t09:30:00z",
    ),
)
_TEXTS: Final = (
    *("", SECRET, f"鲁{SECRET}", "\x00", "\x00" * 40, "a" * 5000, "é" * 3000, "\u202e", "😀" * 50),
    *("null", "true", "'; DROP TABLE lot; --", "{{7*7}}", "%s%n", "../../etc", "\\", '"'),
)
_RAW_TEXTS: Final = (
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"\\x41"',
    '"\\u12"',
    '"\t"',
    "''",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A message before or after it was broken: topic parts and body."""

    lot: str
    kind: str
    payload: bytes


def kind_for(reporting: str, random: Random) -> str:
    """Choose a kind for a lot that reports `bays` or `count`; now and then one of the others."""
    if random.random() < _ANY_KIND_SHARE:
        return random.choice(KINDS)
    if random.random() < _HINT_SHARE:
        return "status"
    return "count" if reporting == "count" else random.choice(("spaces", "snapshot"))


def valid(
    lot: str, kind: str, capacity: int, *, order: tuple[int, int], at: datetime, random: Random
) -> Sample:
    """Make a message that keeps docs/contract/feeds.md.

    Args:
        lot: Its lot.
        kind: One of `KINDS`.
        capacity: Of the lot.
        order: (epoch, seq).
        at: The time; it was observed within the minute before.
        random: Which bays, and how many.
    """
    if kind == "status":
        return Sample(lot, kind, b'{"status": "online"}')
    body: dict[str, Any] = {
        "epoch": order[0],
        "seq": order[1],
        "observed_at": (at - timedelta(seconds=random.randint(0, 59))).isoformat(),
    }
    if kind == "count":
        body |= {"free": random.randint(0, capacity), "capacity": capacity}
    elif kind == "spaces":
        chosen = random.sample(range(1, capacity + 1), min(capacity, random.randint(1, 6)))
        cut = random.randint(0, len(chosen))
        body |= {"occupied": chosen[:cut], "free": chosen[cut:]}
    else:
        bits = random.getrandbits(capacity).to_bytes((capacity + 7) // 8, "little")
        body |= {"capacity": capacity, "occupied_bits": base64.b64encode(bits).decode()}
    return Sample(lot, kind, json.dumps(body).encode())


Mutation = Callable[[Sample, Random], Sample]


def mutate(sample: Sample, random: Random) -> tuple[str, Sample]:
    """Break a valid message, in one way or in several.

    Returns:
        The names of the mutations, and what they made.
    """
    names = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        name, mutation = random.choice(HEAVY if random.random() < _HEAVY_SHARE else MUTATIONS)
        sample = mutation(sample, random)
        names.append(name)
    return "+".join(names), _with(sample, sample.payload[:_MOST_BYTES])


def _with(sample: Sample, payload: bytes) -> Sample:
    return replace(sample, payload=payload)


def _body(sample: Sample) -> dict[str, Any] | None:
    """Read the message as an object; None where it no longer is one."""
    try:
        found = json.loads(sample.payload)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found else None


def _in_body(change: Callable[[dict[str, Any], str, Random], None]) -> Mutation:
    """Make a mutation of one field of the object."""

    def mutation(sample: Sample, random: Random) -> Sample:
        body = _body(sample)
        if body is None:
            return cut(sample, random)
        change(body, random.choice(list(body)), random)
        return _with(sample, json.dumps(body).encode())

    return mutation


def _raw_field(values: Sequence[str]) -> Mutation:
    """Make a mutation that writes text, valid JSON or not, where a field's value stood."""

    def mutation(sample: Sample, random: Random) -> Sample:
        places = list(re.finditer(rb'(?<=": )("[^"]*"|[^,}"]+)', sample.payload))
        if not places:
            return cut(sample, random)
        place = random.choice(places)
        value = random.choice(values).encode()
        raw = sample.payload[: place.start()] + value + sample.payload[place.end() :]
        return _with(sample, raw)

    return mutation


def cut(sample: Sample, random: Random) -> Sample:
    """Lose the end, as a gateway does whose line breaks."""
    return replace(
        sample, payload=sample.payload[: random.randint(0, max(len(sample.payload) - 1, 0))]
    )


def splice(sample: Sample, random: Random) -> Sample:
    """Put a piece of the message somewhere else into it."""
    raw = sample.payload
    start, end = sorted(random.randint(0, len(raw)) for _ in range(2))
    at = random.randint(0, len(raw))
    return _with(sample, raw[:at] + raw[start:end] + raw[at:])


def flip(sample: Sample, random: Random) -> Sample:
    """Change some bytes."""
    raw = bytearray(sample.payload or b"\0")
    for _ in range(random.randint(1, 4)):
        raw[random.randrange(len(raw))] = random.randrange(256)
    return _with(sample, bytes(raw))


def encode(sample: Sample, random: Random) -> Sample:
    """Encode the text otherwise than in UTF-8, or with a mark before it."""
    text = sample.payload.decode("utf-8", "replace").replace("lot", "café")
    name = random.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "gb18030"))
    return _with(sample, text.encode(name, "replace"))


def stray(sample: Sample, random: Random) -> Sample:
    """Put bytes into it that are no UTF-8."""
    at = random.randint(0, len(sample.payload))
    bad = random.choice((b"\xe9", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"))
    return _with(sample, sample.payload[:at] + bad + sample.payload[at:])


def nest(sample: Sample, random: Random) -> Sample:
    """Nest deeply: the message or one value; closed or not."""
    depth = random.choice((2, 50, 600, 1100, 5000, 30_000))
    left, right = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    closed = right * depth if random.random() < 0.5 else b""  # noqa: PLR2004 - as often as not
    at = sample.payload.find(b": ") + 2 if random.random() < 0.5 else 0  # noqa: PLR2004
    return replace(
        sample, payload=sample.payload[:at] + left * depth + sample.payload[at:] + closed
    )


def double(sample: Sample, random: Random) -> Sample:
    """Send two texts in one, or nothing but space after it."""
    between = random.choice((b"", b" ", b"\n", b",", b"\x00"))
    return replace(
        sample, payload=sample.payload + between + random.choice((sample.payload, b"", b"7"))
    )


def repeat_key(sample: Sample, random: Random) -> Sample:
    """Say a field twice, the first time with a secret."""
    body = _body(sample)
    if body is None:
        return cut(sample, random)
    name = random.choice(list(body))
    first = json.dumps({name: random.choice((SECRET, 1, None, []))})[:-1]
    return _with(sample, first.encode() + b", " + sample.payload.lstrip()[1:])


def type_then_syntax(sample: Sample, random: Random) -> Sample:
    """Be wrong in type first, in syntax or encoding later."""
    wrong = random.choice((b'{"epoch":"x",', b'{"seq":[],', b"[", b'{"epoch":true,', b'"', b"-"))
    end = random.choice((b"", b"]", b"}", b'"caf\xe9', b'{"name":"caf\xe9"', b"\xff", b'"\\ud800'))
    return _with(sample, wrong + sample.payload[1 : random.randint(1, 60)] + end)


def large(sample: Sample, random: Random) -> Sample:
    """Be longer than 64 KiB, or just as long."""
    wanted = random.choice((65_535, 65_536, 65_537, 100_000, 200_000))
    filler = random.choice((b" ", b"0", b"[", b'"', b"\n"))
    return _with(sample, sample.payload + filler * max(wanted - len(sample.payload), 0))


def lot_name(sample: Sample, random: Random) -> Sample:
    """Name another lot: a secret, one that does not exist, one that cannot be."""
    names = (SECRET.lower(), SECRET, "370202-9999", "LOT A", "x" * 300, "鲁b", "..", "-", "other")
    return replace(sample, lot=random.choice(names))


def kind_name(sample: Sample, random: Random) -> Sample:
    """Send it on the topic of another kind."""
    return replace(sample, kind=random.choice(KINDS))


def _number(body: dict[str, Any], name: str, random: Random) -> None:
    if isinstance(body[name], list) and body[name]:
        body[name][random.randrange(len(body[name]))] = random.choice(_NUMBERS)
    else:
        body[name] = random.choice(_NUMBERS)


def _text(body: dict[str, Any], name: str, random: Random) -> None:
    body[name] = random.choice(_TEXTS)


def _instant(body: dict[str, Any], _: str, random: Random) -> None:
    body["observed_at"] = random.choice(_INSTANTS)


def _rename(body: dict[str, Any], name: str, random: Random) -> None:
    body[random.choice((*_TEXTS, name.upper(), name + " "))] = body.pop(name)


def _add(body: dict[str, Any], name: str, random: Random) -> None:
    body[f"{SECRET}{name}"] = random.choice((SECRET, [SECRET], {SECRET: SECRET}, 1, None))


def _retype(body: dict[str, Any], name: str, random: Random) -> None:
    value = body[name]
    body[name] = random.choice((str(value), [value], {name: value}, None, True, False, [[value]]))


def _remove(body: dict[str, Any], name: str, _: Random) -> None:
    del body[name]


def _lists(body: dict[str, Any], _: str, random: Random) -> None:
    bays = random.choice(([], [1, 1], [0], list(range(1, 12_000)), [1] * 3000, [[1]], [1, "2"]))
    body[random.choice(("occupied", "free", "unknown"))] = bays


def _bits(body: dict[str, Any], _: str, random: Random) -> None:
    body[random.choice(("occupied_bits", "unknown_bits"))] = random.choice(
        ("", "=", "====", "AA", "A" * 3999, "/" * 400, "AAA=\n", " AAA=", SECRET, "é" * 4, "AB=="),
    )


MUTATIONS: Final[tuple[tuple[str, Mutation], ...]] = (
    ("cut", cut),
    ("splice", splice),
    ("flip", flip),
    ("encode", encode),
    ("stray", stray),
    ("double", double),
    ("repeat_key", repeat_key),
    ("type_then_syntax", type_then_syntax),
    ("lot_name", lot_name),
    ("kind_name", kind_name),
    ("number", _in_body(_number)),
    ("text", _in_body(_text)),
    ("instant", _in_body(_instant)),
    ("rename", _in_body(_rename)),
    ("add", _in_body(_add)),
    ("retype", _in_body(_retype)),
    ("remove", _in_body(_remove)),
    ("lists", _in_body(_lists)),
    ("bits", _in_body(_bits)),
    ("raw_text", _raw_field(_RAW_TEXTS)),
)
# Those that make a message long: fewer of them, so that there is time for the others.
HEAVY: Final[tuple[tuple[str, Mutation], ...]] = (
    ("nest", nest),
    ("large", large),
    ("raw_number", _raw_field(_RAW_NUMBERS)),
)
