"""The hostile set: requests that nobody sends by mistake, and what each may be answered with.

Made from the OpenAPI document, for every operation: what is no number, text and boxes that mean
something to others (SQL, NUL, half characters), bodies that are JSON to some parsers only; and
beside it what is no HTTP, or HTTP to some servers only. No I/O.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

REFUSED: Final = frozenset(range(400, 500))
# Text that anybody may write, and headers that nobody reads.
ANSWERED: Final = REFUSED | frozenset((200, 201, 202))
SQL: Final = (
    "'; DROP TABLE lot; --",
    "' OR '1'='1",
    "1; SELECT pg_sleep(10)",
    "' UNION SELECT key_id, hash FROM api_key --",
)
_NUMBERS: Final = (
    *("NaN", "nan", "-nan", "inf", "-inf", "Infinity", "-Infinity", "1e999", "-1e999", "1e9"),
    *("0x10", "1_0", "٣", "9" * 400, "-" + "9" * 400, "1" + "0" * 20, "+1", "1,5"),
)
_TEXTS: Final = ("%00", "a%00b", "%ff%fe", "%c0%af", "%ed%a0%80", "%", "%zz", "a" * 3000)
_BOXES: Final = (
    *("121,37,120,36", "120,37,121,36", "nan,nan,nan,nan", "-inf,-inf,inf,inf", "1e9,1e9,1e9,1e9"),
    *("120,36,121", "120,36,121,37,38", "-180,-90,180,90", ",,,", "0,0,0,1e-400"),
    *("181,91,182,92", "120;36;121;37"),
)
# What a query may be: any text.
FREE_PARAMETERS: Final = frozenset({"q", "reason"})
# Members of bodies that are free text.
FREE_MEMBERS: Final = frozenset(
    {"zh", "en", "name", "reason", "closed_reason", "document_number", "vehicle", "granted"}
)
_DEPTH: Final = 20_000
_HOST: Final = b"Host: onelot\r\n"


@dataclass(frozen=True)
class Hostile:
    """A request.

    Attributes:
        name: What it is.
        sent: Its bytes.
        allowed: The statuses that it may be answered with.
        operation: Of the document; None where it is for none.
    """

    name: str
    sent: bytes
    allowed: frozenset[int] = REFUSED
    operation: str | None = None


def request(
    method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> bytes:
    """Write a request that is the last of its connection."""
    lines = [f"{method} {target} HTTP/1.1", "Host: onelot", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
        if "Content-Type" not in (headers or {}):
            lines.append("Content-Type: application/json")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


@dataclass(frozen=True)
class Operation:
    """An operation of the document, and who sends it."""

    name: str
    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    example: Any
    headers: Mapping[str, str]
    known: Mapping[str, str]

    def _plain(self, parameter: Mapping[str, Any]) -> str:
        return self.known.get(parameter["name"]) or _plain(parameter)

    def target(self, **given: str) -> str:
        """Return path and query: what is given, written already, and what is required."""
        path, query = self.path, []
        for parameter in self.parameters:
            name = parameter["name"]
            if parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", given.get(name, self._plain(parameter)))
            elif name in given or parameter.get("required"):
                query.append(f"{name}={given.get(name, self._plain(parameter))}")
        return path + ("?" + "&".join(query) if query else "")

    def asked(self, target: str) -> bytes:
        """Write it, with its own body where it has one."""
        body = None if self.example is None else json.dumps(self.example).encode()
        return request(self.method, target, self.headers, body)


def operations(
    document: Mapping[str, Any],
    senders: Mapping[str, Mapping[str, str]],
    known: Mapping[str, str] | None = None,
) -> list[Operation]:
    """Return the operations that somebody may ask for.

    Args:
        document: OpenAPI.
        senders: By operation, the headers of somebody who is let in.
        known: Parameters that are to be something which is there, by name.
    """
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            name = operation["operationId"]
            found.append(
                Operation(
                    name,
                    method.upper(),
                    path,
                    tuple(operation.get("parameters", ())),
                    _example(content),
                    senders.get(name, {}),
                    known or {},
                )
            )
    return found


def _example(content: Mapping[str, Any] | None) -> Any:
    if content is None:
        return None
    if "example" in content:
        return content["example"]
    return next(each["value"] for each in content["examples"].values())


def _plain(parameter: Mapping[str, Any]) -> str:
    """Return a value of a parameter that is well-formed, and of nothing that is there."""
    schema = parameter["schema"]
    if "enum" in schema:
        return str(schema["enum"][0])
    if "const" in schema:
        return str(schema["const"])
    pattern = schema.get("pattern", "")
    if "0-9a-f" in pattern:
        return "f" * 12
    number = {"lon": "120.38", "lat": "36.06", "year": "2098"}
    return number.get(parameter["name"], "9" if schema.get("type") == "integer" else "nowhere")


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    parts = [schema, *schema.get("anyOf", ())]
    return {str(part["type"]) for part in parts if "type" in part}


def parameters(operation: Operation) -> Iterator[Hostile]:
    """Every parameter of an operation, with every value that is none."""
    for parameter in operation.parameters:
        name = parameter["name"]
        is_number = _kinds(parameter["schema"]) & {"number", "integer"}
        texts = [*_TEXTS, *(quote(text, safe="") for text in SQL)]
        numbers = [quote(text) for text in _NUMBERS] if is_number else []
        texts += [quote(box, safe="") for box in _BOXES] if name == "bbox" else []
        for value in texts + numbers:
            target = operation.target(**{name: value})
            allowed = ANSWERED if name in FREE_PARAMETERS else REFUSED
            # It must not be looked for.
            allowed -= {404} if value in numbers else set()
            what = f"{operation.name} {name}={value[:30]}"
            yield Hostile(what, operation.asked(target), allowed, operation.name)
    target = operation.target()
    mark = "&" if "?" in target else "?"
    for query in ("colour=red", "limit=1&limit=1", "a=1;b=2", "&".join(["x=1"] * 70), "%00=1"):
        what = f"{operation.name} ?{query[:20]}"
        yield Hostile(what, operation.asked(f"{target}{mark}{query}"), REFUSED, operation.name)


def bodies(operation: Operation) -> Iterator[Hostile]:
    """Bodies that are not JSON, or not to everybody; and SQL in every text."""
    if operation.example is None:
        return
    target = operation.target()
    for name, body in _broken(operation.example):
        sent = request(operation.method, target, operation.headers, body)
        yield Hostile(f"{operation.name}: {name}", sent, REFUSED, operation.name)
    for path, last, changed in _with_texts(operation.example):
        sent = request(operation.method, target, operation.headers, json.dumps(changed).encode())
        # Ids of a tariff's own parts are any text.
        is_free = last in FREE_MEMBERS or path.endswith("].id")
        allowed = ANSWERED if is_free else REFUSED
        yield Hostile(f"{operation.name}: SQL in {path}", sent, allowed, operation.name)
    good = json.dumps(operation.example).encode()
    for kind in ("text/plain", "application/json; charset=utf-16", "multipart/form-data", "\x00"):
        headers = {**operation.headers, "Content-Type": kind}
        # A charset says nothing of JSON, which is UTF-8.
        allowed = ANSWERED if "json" in kind else REFUSED
        sent = request(operation.method, target, headers, good)
        yield Hostile(f"{operation.name} as {kind!r}", sent, allowed, operation.name)


def _broken(example: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    good = json.dumps(example).encode()
    first = json.dumps(next(iter(example), "a")).encode()
    member = b"%b: %b" % (first, json.dumps(next(iter(example.values()), 1)).encode())
    for value in ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-0.0e-999999", "01", ".5"):
        yield f"{value[:12]} as a member", b"{%b: %b}" % (first, value.encode())
    yield "a member twice", b"{%b, %b}" % (member, good.strip()[1:-1] or member)
    yield "deep lists", b'{"a":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"
    yield "deep members", b'{"a":' * (_DEPTH // 4) + b"1" + b"}" * (_DEPTH // 4)
    yield "deep lists, unended", b"[" * 60_000
    yield "many twice", b"{" + b",".join([b'"a":1'] * 9000) + b"}"
    yield "a wide list", b'{"a":[' + b"0," * 30_000 + b"0]}"
    yield "NUL in a text", good.replace(b'": "', b'": "\\u0000', 1)[:-1] + b', "x": "\\u0000"}'
    yield "half a character", b'{"a": "\\ud800"}'
    yield "no UTF-8", b'{"a": "\xff\xfe"}'
    yield "overlong UTF-8", b'{"a": "\xc0\xaf"}'
    yield "UTF-16", good.decode().encode("utf-16")
    yield "a byte order mark", b"\xef\xbb\xbf" + good
    yield "two values", good + good
    yield "nothing ended", good[:-1]
    yield "a comment", b"/* x */" + good
    yield "single quotes", good.replace(b'"', b"'")
    yield "an unknown member", b'{"__proto__": {"a": 1}, "constructor": 1}'
    for other in (b"null", b"7", b'"text"', b"[]", b"true", b"[[]]"):
        yield other.decode(), other


def _with_texts(example: Any) -> Iterator[tuple[str, str, Any]]:
    """Put SQL in the place of each text of a body, one at a time, by its path and last name."""

    def changed(part: Any, at: str, last: str) -> Iterator[tuple[str, str, Any]]:
        if isinstance(part, str):
            yield at, last, SQL[0]
        elif isinstance(part, dict):
            for name, value in part.items():
                for path, end, other in changed(value, f"{at}.{name}", name):
                    yield path, end, {**part, name: other}
        elif isinstance(part, list) and part:
            for path, end, other in changed(part[0], f"{at}[0]", last):
                yield path, end, [other, *part[1:]]

    yield from changed(example, "", "")


def wire() -> Iterator[Hostile]:
    """What is no HTTP/1.1, or means one thing to a proxy and another to a server."""
    for name, sent in _smuggled():
        yield Hostile(name, sent)
    get = b"GET /v1/city HTTP/1.1\r\n" + _HOST
    end = b"Connection: close\r\n\r\n"
    ignored = {
        "Accept-Language": b"zh;q=nan, *;q=1e999, " + b"a-" * 3000,
        "Accept-Encoding": b"gzip;q=nan, \xff, " + b"br," * 2000,
        "If-None-Match": b'W/"' + b"x" * 8000,
        "X-Forwarded-For": b"' OR 1=1, 999.999.999.999, ::::, " + b"1.1.1.1," * 500,
        "Forwarded": b"for=_\xff",
        "Range": b"bytes=0-,0-,0-,0-,0-,5-4",
        "Cookie": b"a=" + b"b" * 8000,
        "Expect": b"200-maybe",
        "Origin": b"null\xff",
        "User-Agent": b"() { :;}; /bin/id ${jndi:ldap://x}",
    }
    for name, value in ignored.items():
        sent = get + name.encode() + b": " + value + b"\r\n" + end
        yield Hostile(f"an odd {name}", sent, ANSWERED)
    long = b"Bearer " + b"a" * 15_000
    for login in (b"Bearer", long, b"Bearer \xff\xfe", b"Basic \x80", b"Basic Og=="):
        shown = b"Authorization: " + login + b"\r\n"
        sent = b"GET /v1/people/me HTTP/1.1\r\n" + _HOST + shown + end
        yield Hostile(f"Authorization: {login[:12]!r}", sent)
    yield Hostile("a header of 20 kB", get + b"A: " + b"a" * 20_000 + b"\r\n" + end)
    yield Hostile("200 headers", get + b"A: a\r\n" * 200 + end)
    for length in (5_000, 100_000):
        path = b"a" * length
        sent = b"GET /v1/lots/" + path + b" HTTP/1.1\r\n" + _HOST + end
        yield Hostile(f"a path of {length} bytes", sent)
        sent = b"GET /v1/city?a=" + path + b" HTTP/1.1\r\n" + _HOST + end
        yield Hostile(f"a query of {length} bytes", sent)
    targets = (
        *(b"/v1/lots/\xff\xfe", b"/v1/places?q=\xe4\xba", b"/v1/lots/%2e%2e%2fpeople"),
        *(
            b"//v1/city",
            b"/v1/lots/../people",
            b"/v1/lots/a%2Fb",
            b"/..%5c..%5cetc/passwd",
            b"/v1/%00",
            b"*",
        ),
        *(b"/v1/city%20HTTP/1.1%0d%0aA:%20b", b"/docs/../../etc/passwd", b"/docs/%2e%2e/x"),
        *(b"http://169.254.169.254/v1/nowhere", b"/v1/city/", b"/V1/city", b"/v1;/city"),
    )
    for target in targets:
        sent = b"GET " + target + b" HTTP/1.1\r\n" + _HOST + end
        yield Hostile(f"GET {target.decode('latin-1')}", sent)
    for method in (b"TRACE", b"CONNECT", b"PROPFIND", b"get", b"G\x00T", b"\xff", b"A" * 5000):
        sent = method + b" /v1/city HTTP/1.1\r\n" + _HOST + end
        yield Hostile(f"{method[:12]!r} as a method", sent)


def _smuggled() -> Iterator[tuple[str, bytes]]:
    """Requests with another one inside, which must never be answered for itself."""
    inner = b"GET /healthz HTTP/1.1\r\nHost: inner\r\n\r\n"
    post = b"POST /v1/quotes HTTP/1.1\r\n" + _HOST + b"Content-Type: application/json\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n"
    whole = b"2\r\n{}\r\n0\r\n\r\n"
    length = b"Content-Length: %d\r\n"
    yield "length and chunks", post + length % 4 + chunked + b"\r\n" + whole + inner
    yield "chunks and length", post + chunked + length % 4 + b"\r\n" + whole + inner
    yield "two lengths", post + length % 2 + length % 40 + b"\r\n{}" + inner
    yield "one length twice", post + length % 2 + length % 2 + b"\r\n{}" + inner
    yield "lengths in a list", post + b"Content-Length: 2, 40\r\n\r\n{}" + inner
    for wrong in (b"-1", b"+2", b"0x2", b"1e1", b"2 2", b"\xd9\xa2", b"9" * 40, b""):
        sent = post + b"Content-Length: " + wrong + b"\r\n\r\n{}" + inner
        yield f"a length of {wrong[:8]!r}", sent
    for coding in (b"xchunked", b"chunked, identity", b"identity, chunked, x", b"\x0bchunked"):
        sent = post + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + whole + inner
        yield f"a coding of {coding!r}", sent
    yield "chunked twice", post + chunked * 2 + b"\r\n" + whole + inner
    yield "a folded coding", post + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + whole + inner
    yield "a blank before the colon", post + b"Transfer-Encoding : chunked\r\n\r\n" + whole + inner
    for size in (b"zz", b"-2", b"0x2", b"2" + b"0" * 40, b"2 ;", b"2\n", b" 2", b""):
        sent = post + chunked + b"\r\n" + size + b"\r\n{}\r\n0\r\n\r\n" + inner
        yield f"a chunk of {size[:8]!r}", sent
    yield "a chunk longer than it says", post + chunked + b"\r\n1\r\n{}\r\n0\r\n\r\n" + inner
    yield "chunks that end by LF", post + chunked + b"\r\n2\n{}\n0\n\n" + inner
    yield "lines that end by LF", post.replace(b"\r\n", b"\n") + b"Content-Length: 2\n\n{}" + inner
    yield "lines that end by CR", post.replace(b"\r\n", b"\r") + b"Content-Length: 2\r\r{}" + inner
    get = b"GET /v1/nowhere HTTP/1.1\r\n" + _HOST
    yield "a folded header", get + b"A: b\r\n c: d\r\n\r\n"
    yield "a blank before a header", get.replace(b"\r\nHost", b"\r\n Host") + b"\r\n"
    yield "NUL in a name", get + b"A\x00: b\r\n\r\n"
    yield "NUL in a value", get + b"A: b\x00c\r\n\r\n"
    yield "CR in a value", get + b"A: b\rc: d\r\n\r\n"
    yield "a header without a colon", get + b"AAAA\r\n\r\n"
    yield "a header without a name", get + b": a\r\n\r\n"
    yield "no host", b"GET /v1/nowhere HTTP/1.1\r\n\r\n"
    yield "two hosts", get + b"Host: other\r\n\r\n"
    yield "another version", b"GET /v1/city HTTP/9.9\r\n" + _HOST + b"\r\n"
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield "TLS", bytes.fromhex("16030100c8010000c40303") + b"\x00" * 64 + b"\r\n\r\n"
    yield "no version", b"GET /v1/city\r\n\r\n"
    yield "noise", bytes(range(256)) * 4 + b"\r\n\r\n"


def every(operations: Iterable[Operation]) -> Iterator[Hostile]:
    """The whole set; see `operations`."""
    for operation in operations:
        yield from parameters(operation)
        yield from bodies(operation)
    yield from wire()
