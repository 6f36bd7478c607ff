"""Who asks is settled before the body is read, and a body is read within bounds."""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter, ValidationError
from starlette.types import Message

from parking_api.app import create_app
from parking_api.calendar.models import NewYear
from parking_api.settings import ApiSettings
from parking_api.strict_route import MAX_BODY_BYTES, StrictRoute, admissions_of
from parking_api.tariffs.models import Withdrawal
from parking_api.zones.models import ZoneEnd
from tests.parking_api.builders import square
from tests.parking_api.bureau import Bureau
from tests.parking_api.people.keys import keyed
from tests.parking_api.serving import is_problem

IDS = {"version": "1", "number": "1", "year": "2027", "key_id": "0123456789ab"}
JSON = {"Content-Type": "application/json"}
STRANGER = {"Authorization": "Bearer ok_0123456789ab_" + "A" * 43}
TEN_MB = 10 * 2**20


def routes() -> list[APIRoute]:
    app = create_app(ApiSettings(), "postgresql://nowhere")
    found = [each.original_route for each in iter_route_contexts(app.routes)]
    return [each for each in found if isinstance(each, APIRoute)]


GUARDED = sorted(
    (method, route.path.format(**{name: IDS.get(name, "x") for name in route.param_convertors}))
    for route in routes()
    if admissions_of(route.dependant)
    for method in route.methods or ()
)


def test_every_route_that_reads_a_body_is_strict() -> None:
    assert len(GUARDED) >= 40
    loose = [each for each in routes() if each.body_field and not isinstance(each, StrictRoute)]
    assert loose == []


def kinds_of(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a pydantic core schema that has a type."""
    if isinstance(schema, dict):
        if "type" in schema:
            yield schema
        for part in schema.values():
            yield from kinds_of(part)
    elif isinstance(schema, (list, tuple)):
        for part in schema:
            yield from kinds_of(part)


def test_no_body_takes_one_kind_of_value_for_another() -> None:
    """Consent is `true` and nothing else; nor is "2" a version, or a number a day."""
    models: set[Any] = {
        each.body_field.field_info.annotation for each in routes() if each.body_field
    }
    found = [
        (model, part)
        for model in models
        for part in kinds_of(TypeAdapter[Any](model).core_schema)
        if part["type"] in {"bool", "int", "float", "decimal", "timedelta", "time"}
    ]
    # A branch of JsonValue is taken by the value's own kind.
    tag = "pydantic_internal_union_tag_key"
    loose = [
        (model, part)
        for model, part in found
        if not part.get("strict") and tag not in part.get("metadata", {})
    ]
    assert {part["type"] for _, part in found} >= {"bool", "int"}
    assert loose == []


@pytest.mark.parametrize("given", ["true", "yes", "on", "1", 1, 1.0, "", "false", 0, None, []])
def test_consent_is_said_as_such(given: object) -> None:
    with pytest.raises(ValidationError, match="leaves_unpriced"):
        Withdrawal.model_validate({"reason": "x", "leaves_unpriced": given})
    assert Withdrawal.model_validate({"reason": "x", "leaves_unpriced": True}).leaves_unpriced


@pytest.mark.parametrize("given", [1_767_225_600, "1767225600", 1.5e9, True, "2027-01-01"])
def test_times_and_days_are_no_numbers(given: object) -> None:
    with pytest.raises(ValidationError, match="valid_to"):
        ZoneEnd.model_validate({"reason": "x", "valid_to": given})
    days = {"reason": "x", "holidays": [], "makeup_workdays": [given]}
    if given == "2027-01-01":
        assert NewYear.model_validate(days).makeup_workdays == (date(2027, 1, 1),)
    else:
        with pytest.raises(ValidationError, match="makeup_workdays"):
            NewYear.model_validate(days)


async def events(api: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]) -> Any:
    """What the application does with ten megabytes of body: its status, after how many reads."""
    transport: Any = api._transport
    given = {"content-type": "application/json", "content-length": str(TEN_MB)} | headers
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), text.encode()) for name, text in given.items()],
    }
    reads = 0
    answers = []

    async def receive() -> Message:
        nonlocal reads
        reads += 1
        return {"type": "http.request", "body": b"[" * 65_536, "more_body": True}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answers.append((message["status"], reads, dict(message["headers"])))

    await transport.app(scope, receive, send)
    return answers[0]


async def test_who_asks_is_settled_before_the_body_is_read(bureau: Bureau) -> None:
    for method, path in GUARDED:
        for headers in ({}, STRANGER):
            status, reads, told = await events(bureau.api, method, path, headers)
            assert (status, reads) == (HTTPStatus.UNAUTHORIZED, 0), (method, path)
            assert told[b"content-type"] == b"application/problem+json"
            # Its peer need not send the rest, and gets the answer.
            assert told[b"connection"] == b"close"


async def test_a_role_is_asked_for_before_the_body_is_read(
    bureau: Bureau, database_url: str
) -> None:
    operator = await keyed(database_url, "zhao", "operator", operator_id="op-a")
    found = [(await events(bureau.api, *each, operator))[:2] for each in GUARDED]

    # The others are about oneself, or for operators too; none reads a body of ten megabytes.
    assert found.count((HTTPStatus.FORBIDDEN, 0)) >= 30
    assert {reads for _, reads in found} == {0}
    bodies = {"/v1/enrolments", "/v1/tariffs", "/v1/zones", "/v1/mechanisms"}
    refused = [
        each for each, seen in zip(GUARDED, found, strict=True) if seen == (HTTPStatus.FORBIDDEN, 0)
    ]
    assert {("POST", path) for path in bodies} <= set(refused)


class Endless:
    """A body without Content-Length that has ten megabytes."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(TEN_MB // 65_536):
            yield b"[" * 65_536


@pytest.mark.parametrize("path", ["/v1/quotes", "/v1/tariffs", "/v1/zones"])
async def test_a_body_is_bounded_while_it_arrives(bureau: Bureau, path: str) -> None:
    answer = await bureau.api.post(path, content=Endless(), headers=JSON | bureau.drafter)

    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answer.headers["content-type"] == "application/problem+json"
    assert "at most" in answer.json()["detail"]


async def test_a_body_that_says_it_is_too_large_is_not_waited_for(bureau: Bureau) -> None:
    headers = JSON | bureau.drafter | {"Content-Length": str(MAX_BODY_BYTES + 1)}

    answer = await bureau.api.post("/v1/tariffs", content=b"{}", headers=headers)

    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


async def test_the_largest_body_is_read(bureau: Bureau) -> None:
    body = b'{"lot_id": "nowhere"'.ljust(MAX_BODY_BYTES - 1) + b"}"
    answer = await bureau.api.post("/v1/quotes", content=body, headers=JSON)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    answer = await bureau.api.post("/v1/quotes", content=body + b" ", headers=JSON)
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


async def test_a_zone_of_many_corners_is_read(bureau: Bureau) -> None:
    ring = square(120.3, 36.0)["coordinates"][0]
    west, south = ring[0]
    many = [[west + 0.1 * step / 20_000, south] for step in range(20_000)]
    geometry = {"type": "Polygon", "coordinates": [[*many, *ring[1:]]]}
    zone: dict[str, Any] = {
        "zone_id": "z-many",
        "name": {"zh": "多角", "en": "Many corners"},
        "zone_class": 1,
        "valid_from": "2027-01-01T00:00:00+08:00",
        "geometry": geometry,
        "reason": "Corners.",
    }

    answer = await bureau.api.post("/v1/zones", json=zone, headers=bureau.drafter)

    assert answer.status_code == HTTPStatus.CREATED, answer.text


async def test_an_encoded_body_is_refused(bureau: Bureau) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}

    answer = await bureau.api.post("/v1/quotes", content=b"\x1f\x8b", headers=headers)

    assert answer.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


TWISTED = [
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b"9" * 60_000,
    b'{"lot_id":' + b"1" * 5_000 + b"}",
    b'{"lot_id": "\xff"}',
    b'{"lot_id": NaN}',
    b'{"lot_id": "\\ud800"}',
    b"{" + b",".join(b'"a":1' for _ in range(9_000)) + b"}",
    b"{" + b",".join(b'"a%d":1,"a%d":1' % (i, i) for i in range(3_000)) + b"}",
    b'{"granted":[' + b",".join(b"1" for _ in range(30_000)) + b"]}",
    b"{" + b",".join(b'"a%d":1' % i for i in range(6_000)) + b"}",
    b"",
    b"1",
    '{"lot_id": "a"}'.encode("utf-16"),
    '{"lot_id": "a"}'.encode("utf-32-le"),
    b'\xef\xbb\xbf{"lot_id": "a"}',
]
INTERNAL = ("recursion", "4300", "codec", "utf-8-sig")


async def test_a_twisted_body_is_refused_in_few_words(bureau: Bureau) -> None:
    for body in TWISTED:
        answer = await bureau.api.post("/v1/quotes", content=body, headers=JSON)

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, body[:20]
        assert answer.headers["content-type"] == "application/problem+json"
        assert 1 <= len(answer.json()["errors"]) <= 100
        assert not any(word in answer.text for word in INTERNAL), answer.text[:300]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b'{"lot_id": "a",\n "entry" 1}', "body, line 2, column 10"),
        ('{"lot_id":\n "车场'.encode() + b'\xff"}', "body, line 2, column 5"),
        (b"[" * 5000, "body"),
    ],
)
async def test_what_is_not_json_is_told_where(bureau: Bureau, content: bytes, where: str) -> None:
    answer = await bureau.api.post("/v1/quotes", content=content, headers=JSON)
    assert [fault["parameter"] for fault in answer.json()["errors"]] == [where]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le", "utf-8-sig"])
async def test_a_body_is_utf_8_without_a_mark(bureau: Bureau, encoding: str) -> None:
    content = '{"lot_id": "a"}'.encode(encoding)
    answer = await bureau.api.post("/v1/quotes", content=content, headers=JSON)
    assert answer.json()["detail"] == "The body is not JSON in UTF-8."


async def test_too_many_parameters(bureau: Bureau) -> None:
    query = "&".join(f"p{place}=1" for place in range(65))

    answer = await bureau.api.get(f"/v1/lots?{query}")

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert len(answer.content) < 1000


@pytest.mark.parametrize("said", [None, "application/x-www-form-urlencoded", "text/plain", "json"])
async def test_a_body_that_does_not_say_that_it_is_json(bureau: Bureau, said: str | None) -> None:
    headers = {} if said is None else {"Content-Type": said}
    answer = await bureau.api.post("/v1/quotes", content=b'{"lot_id": "street"}', headers=headers)
    assert is_problem(answer, 415)
    assert "application/json" in answer.json()["detail"]
    for also in (
        "application/json; charset=utf-8",
        "application/merge-patch+json",
        "Application/JSON",
    ):
        headers = {"Content-Type": also}
        answer = await bureau.api.post("/v1/quotes", content=b"{}", headers=headers)
        assert answer.status_code == 422
