"""Operators: what each runs, told to operations and to itself."""

import httpx
import pytest

from parking_api.models import Page
from parking_api.operators.models import OperatorAnswer
from tests.parking_api.builders import Builder
from tests.parking_api.feeding import People, pages
from tests.parking_api.people.keys import body, keyed
from tests.parking_api.serving import is_problem

A = {
    "operator_id": "op-a",
    "name": {"zh": "甲", "en": "A"},
    "lots": 2,
    "spaces": 40,
    "gateways": 2,
    "gateways_with_credentials": 1,
}


@pytest.fixture
async def _running(built: Builder) -> None:
    """op-a runs two lots over two gateways, one of them with a password; op-b nothing yet."""
    await built.connection.execute("INSERT INTO gateway VALUES ('gw-a2', 'op-a', false, 'hash')")
    await built.lot("one")
    await built.lot("two", capacity=30, gateway_id="gw-a2")


@pytest.mark.usefixtures("_running")
async def test_operations_see_all(api: httpx.AsyncClient, people: People) -> None:
    told = body(await api.get("/v1/operators", headers=people.operations))
    Page[OperatorAnswer].model_validate(told)
    first, second = told["items"]
    assert first == A
    assert (second["operator_id"], second["lots"], second["spaces"]) == ("op-b", 0, 0)

    one = body(await api.get("/v1/operators/op-b", headers=people.operations))
    assert OperatorAnswer.model_validate(one).gateways == 1
    assert one == second


@pytest.mark.usefixtures("_running")
async def test_an_operator_sees_itself_alone(api: httpx.AsyncClient, people: People) -> None:
    listed = body(await api.get("/v1/operators", headers=people.operator))
    assert listed == {"items": [A], "next": None}
    assert body(await api.get("/v1/operators/op-a", headers=people.operator)) == A
    for other in ("op-b", "never-heard-of"):
        answer = await api.get(f"/v1/operators/{other}", headers=people.operator)
        assert is_problem(answer, 403)


async def test_pages(api: httpx.AsyncClient, built: Builder, people: People) -> None:
    await built.connection.execute("INSERT INTO operator VALUES ('op-c', '丙', 'C')")

    found = await pages(api, "/v1/operators?limit=2", people.operations)

    ids = [[operator["operator_id"] for operator in page] for page in found]
    assert ids == [["op-a", "op-b"], ["op-c"]]


async def test_nobody_else_sees_any(api: httpx.AsyncClient, database_url: str) -> None:
    bureau = await keyed(database_url, "wang", "bureau_drafter", "bureau_approver")
    for path in ("/v1/operators", "/v1/operators/op-a"):
        assert is_problem(await api.get(path), 401)
        assert is_problem(await api.get(path, headers=bureau), 403)


async def test_what_is_no_question(api: httpx.AsyncClient, people: People) -> None:
    lists = ("?limit=0", "?limit=1001", "?cursor=%00", "?name=A", "?limit=1&limit=2")
    for path in (*lists, "/a%00b", "/OP-A", "/op-a?limit=1"):
        answer = await api.get(f"/v1/operators{path}", headers=people.operations)
        assert is_problem(answer, 422), path
    assert is_problem(await api.get("/v1/operators/op-z", headers=people.operations), 404)


async def test_openapi_says_who_may(api: httpx.AsyncClient) -> None:
    document = body(await api.get("/openapi.json"))
    paths = ("/v1/operators", "/v1/feeds", "/v1/dead-letters")
    routes = [
        route["get"]
        for path, route in document["paths"].items()
        if path.startswith(paths) and "get" in route
    ]
    assert len(routes) == 6
    for route in routes:
        assert route["tags"] == ["operators"]
        assert route["security"] == [{"keyOrToken": []}]
        assert {"200", "401", "403", "422", "503"} <= set(route["responses"])
