"""The API in two parts, each by a role of its own: what either answers, and what it needs."""

from collections.abc import AsyncIterator

import httpx
import pytest

from deploy import postgres
from sql.engine import connect
from tests.parking_api.builders import Builder
from tests.parking_api.feeding import People, refuse
from tests.parking_api.people.keys import body
from tests.parking_api.serving import app_of, is_problem, serving
from tests.servers import as_role

AWAY = "postgresql://onelot_office:x@127.0.0.1:1/onelot"
NEAREST = "/v1/nearest?lon=120.3&lat=36.1"
PUBLIC_READS = (NEAREST, "/v1/lots/a", "/v1/zones", "/v1/tariffs", "/v1/mechanisms", "/v1/calendar")


@pytest.fixture
async def public(database_url: str, built: Builder) -> AsyncIterator[httpx.AsyncClient]:
    await built.lot("a")
    await built.report("a", 3)
    async with serving(database_url, part="public") as client:
        yield client


async def test_the_public_part_answers_anyone(public: httpx.AsyncClient) -> None:
    for path in PUBLIC_READS:
        assert (await public.get(path)).status_code == 200, path
    # Nobody is asked for a key in vain, and what nobody may is refused as ever.
    for path in ("/v1/people", "/v1/dead-letters", "/v1/decisions", "/v1/feeds"):
        assert is_problem(await public.get(path), 401)
    assert is_problem(await public.post("/v1/tokens"), 401)
    assert is_problem(await public.patch("/v1/lots/a", json={"retired": True}), 401)


async def test_the_public_part_looks_at_no_key(public: httpx.AsyncClient, people: People) -> None:
    for key in (people.operations, {"Authorization": "bearer no-key-at-all"}):
        for path in ("/v1/people/me", "/v1/feeds", "/v1/tariffs", "/v1/mechanisms"):
            assert is_problem(await public.get(path, headers=key), 421), path
        assert is_problem(await public.post("/v1/tokens", headers=key), 421)
        quote = await public.post("/v1/quotes", headers=key, json=DRAFT_QUOTE)
        assert is_problem(quote, 421)
        # Where it says nothing, it is not looked at either.
        assert (await public.get(NEAREST, headers=key)).status_code == 200
    code = {"code": "23456789"}
    completed = await public.post("/v1/enrolments/e-12345678/complete", json=code)
    assert is_problem(completed, 421)


DRAFT_QUOTE = {
    "document": {},
    "vehicle": "small",
    "entry": "2026-11-22T10:00:00+08:00",
    "exit": "2026-11-22T12:00:00+08:00",
}


async def test_the_office_knows_people_by_its_own_role(
    database_url: str, built: Builder, people: People
) -> None:
    await built.lot("a")
    async with serving(database_url, part="office") as office:
        me = body(await office.get("/v1/people/me", headers=people.operations))
        assert me["person_id"] == "li"
        closed = await office.patch(
            "/v1/lots/a",
            headers=people.operations,
            json={"closed_from": "2026-11-22T10:00:00+08:00", "reason": "flooded"},
        )
        assert closed.status_code == 200, closed.text
        assert body(await office.get("/v1/tariffs", headers=people.operations))["items"] == []


async def test_one_process_asks_for_each_part_by_its_role(
    database_url: str, built: Builder, people: People
) -> None:
    """Without the office's database the public goes on; and the office does not use the other."""
    await built.lot("a")
    async with serving(database_url, office_database_url=AWAY) as client:
        for path in PUBLIC_READS:
            assert (await client.get(path)).status_code == 200, path
        assert is_problem(await client.get("/v1/people", headers=people.operations), 503)
        assert is_problem(await client.get("/v1/tariffs", headers=people.operations), 503)
    async with serving(database_url) as client:
        state = app_of(client).state
        roles = [
            await part.database.pool.fetchval("SELECT current_user")
            for part in (state.resources, state.office)
        ]
    assert roles == [postgres.PUBLIC, postgres.OFFICE]


async def test_rows_of_other_operators_are_not_there(
    database_url: str, built: Builder, people: People
) -> None:
    """Whatever a statement of the office forgets to ask."""
    await built.lot("a")
    await built.connection.execute(
        "INSERT INTO gateway (gateway_id, operator_id) VALUES ('gw-b', 'op-b')"
    )
    for gateway in ("gw-a", "gw-b", "gw-unknown"):
        await refuse(built, gateway=gateway)

    async def seen(operator: str | None) -> tuple[list[str], list[str]]:
        db = await connect(as_role(database_url, postgres.OFFICE), "test")
        try:
            if operator is None:
                await db.execute("RESET ALL; SET onelot.operator = ''")
            else:
                await db.execute("SELECT set_config('onelot.operator', $1, false)", operator)
            gateways = await db.fetch("SELECT gateway_id FROM gateway ORDER BY 1")
            letters = await db.fetch("SELECT gateway_id FROM dead_letter ORDER BY 1")
        finally:
            await db.close()
        return [row[0] for row in gateways], [row[0] for row in letters]

    assert await seen(None) == ([], [])
    own, letters = await seen("op-a")
    assert "gw-a" in own
    assert "gw-b" not in own
    assert letters == ["gw-a"]
    everything, letters = await seen("*")
    assert {"gw-a", "gw-b"} <= set(everything)
    assert letters == ["gw-a", "gw-b", "gw-unknown"]
    async with serving(database_url) as client:
        # The office's pool begins with nobody's, and is given back so.
        office = app_of(client).state.office.database
        shown = body(await client.get("/v1/dead-letters", headers=people.operator))
        assert [each["gateway_id"] for each in shown["items"]] == ["gw-a"]
        async with office.connection() as db:
            assert await db.fetch("SELECT FROM gateway") == []
