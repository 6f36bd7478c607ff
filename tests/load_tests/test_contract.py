"""A running API is held to its own document, and to what no document thinks of."""

import asyncio
import copy
from base64 import b64encode
from collections.abc import Mapping

import asyncpg
import pytest

from load_tests.contract import GATEWAY, NOBODY, Contract, contract_of, hold
from load_tests.hostile import REFUSED, Hostile, every, request
from load_tests.hostile_sender import send, send_all, senders
from load_tests.stages import Session
from tests.parking_api.feeds.posting import set_password
from tests.parking_api.people.keys import keyed
from tests.servers import Broker

NUMBER = 600
GOOD = b"GET /v1/city HTTP/1.1\r\nHost: onelot\r\nConnection: close\r\n\r\n"
Roles = Mapping[str, dict[str, str]]


@pytest.fixture(scope="module")
async def roles(platform: Session, database_url: str, broker: Broker) -> Roles:
    """What everybody sends, by role."""
    connection = await asyncpg.connect(database_url)
    await set_password(connection, broker.password("gw-try"), "gw-try")
    await connection.close()
    del platform
    login = f"gw-try:{broker.password('gw-try')}"
    return {
        NOBODY: {},
        GATEWAY: {"Authorization": f"Basic {b64encode(login.encode()).decode()}"},
        "operator": await keyed(database_url, "zhao", "operator", operator_id="op-a"),
        "drafter": await keyed(database_url, "wang", "bureau_drafter"),
        "approver": await keyed(database_url, "li", "bureau_approver"),
        "operations": await keyed(database_url, "sun", "operations"),
    }


@pytest.fixture
async def contract(session: Session, roles: Roles) -> Contract:
    return await asyncio.to_thread(contract_of, session.target.http, roles["operations"])


async def test_nothing_is_answered_that_is_not_documented(contract: Contract, roles: Roles) -> None:
    found = await asyncio.to_thread(hold, contract, roles, NUMBER)
    assert found.problems == {}
    assert found.cases == dict.fromkeys(roles, NUMBER // len(roles))
    assert found.statuses.keys() >= {200, 401, 403, 404, 422}


async def test_what_is_not_documented_is_found(contract: Contract, roles: Roles) -> None:
    """So that holding the API to its document can fail: of a status, a shape and a media type."""
    document = copy.deepcopy(contract.document)
    paths = document["paths"]
    del paths["/v1/nearest"]["get"]["responses"]["422"]
    document["components"]["schemas"]["CityTotals"]["properties"]["lots"] = {"type": "string"}
    text = paths["/metrics"]["get"]["responses"]["200"]["content"]
    text["image/png"] = text.pop(next(iter(text)))
    document["paths"] = {path: paths[path] for path in ("/v1/nearest", "/v1/city", "/metrics")}
    nobody = {NOBODY: roles[NOBODY]}
    other = Contract(contract.url, document, contract.known)
    found = await asyncio.to_thread(hold, other, nobody, 60)
    assert {operation for operation, _ in found.problems} == {
        "nearestLots",
        "getCity",
        "getMetrics",
    }


async def test_the_hostile_set_is_refused(contract: Contract, roles: Roles) -> None:
    url = contract.url
    asked = await asyncio.to_thread(senders, url, contract.document, roles, "gw-try")
    hostile = list(every(asked))
    outcome = await asyncio.to_thread(send_all, url, hostile)
    assert outcome.wrong == {}
    assert outcome.statuses.keys() >= {400, 404, 405, 414, 415, 422, 431}
    assert len(hostile) > 4000
    assert (await asyncio.to_thread(send, url, GOOD)).status == 200


async def test_what_is_let_in_is_found(contract: Contract) -> None:
    """So that the hostile set can fail: what is let in, and what is answered twice."""
    get = request("GET", "/v1/city")
    two = get.replace(b"Connection: close\r\n", b"") + get
    set_of = [Hostile("good", get, REFUSED), Hostile("two", two, frozenset({200}))]
    outcome = await asyncio.to_thread(send_all, contract.url, set_of)
    assert outcome.wrong.keys() == {"good", "two"}
