"""People, their keys and tokens, over HTTP."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from parking_api.audit.service import verify
from sql.engine import Db
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Clock
from tests.parking_api.people.keys import body, key_id, keyed, shown
from tests.parking_api.serving import is_problem, serving


@pytest.fixture
def clock() -> Clock:
    """The platform's clock, which a test can put on."""
    return Clock(datetime.now(UTC))


@pytest.fixture
async def api(
    database_url: str,
    built: Builder,  # noqa: ARG001
    clock: Clock,
) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(database_url, clock, token_secret="s" * 32) as client:
        yield client


@pytest.fixture
async def operations(database_url: str, built: Builder, clock: Clock) -> dict[str, str]:
    """The headers of somebody of operations."""
    del built
    return await keyed(database_url, "li", "operations", at=clock.now - timedelta(hours=1))


@pytest.fixture
async def operator(database_url: str, built: Builder, clock: Clock) -> dict[str, str]:
    """The headers of an operator."""
    del built
    begun = clock.now - timedelta(hours=1)
    return await keyed(database_url, "zhao", "operator", operator_id="op-a", at=begun)


async def actions(db: Db) -> list[tuple[str, str, str]]:
    rows = await db.fetch("SELECT person_id, action, subject FROM audit_entry ORDER BY entry_id")
    return [tuple(row) for row in rows]


async def test_from_a_further_key_to_its_end(
    api: httpx.AsyncClient, operator: dict[str, str], db: Db
) -> None:
    issued = await api.post("/v1/people/zhao/keys", json={}, headers=operator)
    further = shown(body(issued, 201)["key"])
    assert issued.headers["cache-control"] == "no-store"

    me = body(await api.get("/v1/people/me", headers=further))
    assert (me["person_id"], me["key_id"]) == ("zhao", key_id(further))
    listed = body(await api.get("/v1/people/zhao/keys", headers=further))["items"]
    assert all("key" not in each for each in listed)
    assert listed[0]["last_used_at"] is not None
    path = f"/v1/people/zhao/keys/{key_id(further)}"
    revoked = body(await api.delete(path, params={"reason": "verloren"}, headers=further))
    assert revoked["revoked_at"] is not None

    refused = await api.get("/v1/people/me", headers=further)
    assert is_problem(refused, 401)
    assert refused.headers["www-authenticate"] == 'Bearer realm="onelot", error="invalid_token"'
    assert await actions(db) == [
        ("command", "person.add", "zhao"),
        ("command", "api_key.issue", f"zhao/{key_id(operator)}"),
        ("zhao", "api_key.issue", f"zhao/{key_id(further)}"),
        ("zhao", "api_key.revoke", f"zhao/{key_id(further)}"),
    ]
    reason = await db.fetchval("SELECT reason FROM audit_entry ORDER BY entry_id DESC LIMIT 1")
    assert reason == "verloren"
    assert (await verify(db)).entries == 4


async def test_operations_makes_no_key_for_another(
    api: httpx.AsyncClient, operations: dict[str, str], operator: dict[str, str], db: Db
) -> None:
    before = await actions(db)

    rotate = f"/v1/people/zhao/keys/{key_id(operator)}/rotate"
    for path in ("/v1/people/zhao/keys", "/v1/people/nobody/keys", rotate):
        assert is_problem(await api.post(path, json={}, headers=operations), 403)
    # Nor a person: the route is gone.
    assert (await api.post("/v1/people", json={}, headers=operations)).status_code == 405
    assert await actions(db) == before


async def test_a_role_that_was_taken_away_is_gone_at_once(
    api: httpx.AsyncClient, operations: dict[str, str], database_url: str, db: Db
) -> None:
    other = await keyed(database_url, "sun", "operations")
    token = shown(body(await api.post("/v1/tokens", headers=other), 201)["token"])
    body(await api.get("/v1/people", headers=token))

    path = "/v1/people/sun/roles/operations"
    assert body(await api.delete(path, headers=operations))["roles"] == []

    for shows in (other, token):
        assert is_problem(await api.get("/v1/people", headers=shows), 403)
    assert is_problem(await api.delete(path, headers=operations), 409)
    assert is_problem(await api.delete("/v1/people/no/roles/operations", headers=operations), 404)
    assert is_problem(await api.delete(path, headers=other), 403)
    assert (await actions(db))[-1] == ("li", "person.withdraw_role", "sun")


async def test_an_operator_without_the_role_is_about_no_lots(
    api: httpx.AsyncClient, operations: dict[str, str], operator: dict[str, str]
) -> None:
    taken = await api.delete("/v1/people/zhao/roles/operator", headers=operations)

    assert (body(taken)["roles"], taken.json()["operator_id"]) == ([], None)
    assert is_problem(await api.get("/v1/feeds", headers=operator), 403)


async def test_a_secret_is_kept_nowhere(
    api: httpx.AsyncClient, operations: dict[str, str], db: Db
) -> None:
    body(await api.post("/v1/tokens", headers=operations), 201)
    secret = operations["Authorization"].rpartition(f"{key_id(operations)}_")[2]

    for table in ("api_key", "person", "audit_entry"):
        rows = await db.fetch(f"SELECT row_to_json(t)::text FROM {table} AS t")
        assert secret not in str(rows)
    stored = await db.fetchval("SELECT hash FROM api_key")
    assert stored == hashlib.sha256(secret.encode()).digest()
    entries = await db.fetch("SELECT before::text, after::text FROM audit_entry")
    assert stored.hex() not in str(entries)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic b2s6b2s=",
        "Bearer",
        "Bearer ok_000000000000_" + "A" * 43,
        "Bearer ok_short",
        "Bearer ot_e30.e30",
        "Bearer \xff\xfe",
        "Bearer ot_\xff.x",
    ],
)
async def test_nobody_gets_in_without_a_good_key(api: httpx.AsyncClient, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")} if header else {}
    for method, path, content in (
        ("GET", "/v1/people/me", None),
        ("GET", "/v1/people", None),
        ("POST", "/v1/tokens", None),
        ("GET", "/v1/people/li/keys", None),
        ("POST", "/v1/people/li/keys", {}),
        ("POST", "/v1/people/li/keys/000000000000/rotate", {}),
        ("DELETE", "/v1/people/li/keys/000000000000", None),
    ):
        answer = await api.request(method, path, json=content, headers=headers)  # type: ignore[arg-type]
        assert is_problem(answer, 401), path
        assert answer.headers["www-authenticate"].startswith('Bearer realm="onelot"')


async def test_the_right_key_with_another_secret(
    api: httpx.AsyncClient, operations: dict[str, str]
) -> None:
    key = operations["Authorization"].removeprefix("Bearer ")
    other = key[:-1] + ("A" if key[-1] != "A" else "B")

    assert is_problem(await api.get("/v1/people/me", headers=shown(other)), 401)
    assert is_problem(await api.get("/v1/people/me", headers=shown(key + "A")), 401)
    body(await api.get("/v1/people/me", headers=shown(key)))


async def test_what_a_role_does_not_allow(
    api: httpx.AsyncClient, operations: dict[str, str], operator: dict[str, str]
) -> None:
    others = f"/v1/people/li/keys/{key_id(operations)}"
    for method, path, content in (
        ("GET", "/v1/people", None),
        ("GET", "/v1/people/li/keys", None),
        ("GET", "/v1/people/nobody/keys", None),
        ("POST", "/v1/people/li/keys", {}),
        ("POST", f"{others}/rotate", {}),
        ("DELETE", others, None),
        ("DELETE", "/v1/people/li/roles/operations", None),
    ):
        answer = await api.request(method, path, json=content, headers=operator)
        assert is_problem(answer, 403), path
    # Somebody else's key under one's own name is not found.
    stolen = f"/v1/people/zhao/keys/{key_id(operations)}"
    assert is_problem(await api.delete(stolen, headers=operator), 404)
    body(await api.get("/v1/people/me", headers=operations))


async def test_a_rotated_key_has_its_grace(
    api: httpx.AsyncClient, operator: dict[str, str], clock: Clock
) -> None:
    path = f"/v1/people/zhao/keys/{key_id(operator)}/rotate"
    rotated = body(await api.post(path, json={"grace_minutes": 10}, headers=operator), 201)
    fresh = shown(rotated["key"])

    assert is_problem(await api.post(path, json={}, headers=operator), 409)
    clock.now += timedelta(minutes=9, seconds=59)
    body(await api.get("/v1/people/me", headers=operator))
    clock.now += timedelta(seconds=1)
    assert is_problem(await api.get("/v1/people/me", headers=operator), 401)
    keys = body(await api.get("/v1/people/zhao/keys", headers=fresh))["items"]
    assert [key["key_id"] for key in keys] == [key_id(fresh), key_id(operator)]
    assert keys[1]["replaced_by"] == key_id(fresh)
    assert keys[1]["revoked_at"] is None


async def test_a_key_rotated_without_grace_ends_at_once(
    api: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    path = f"/v1/people/zhao/keys/{key_id(operator)}/rotate"
    fresh = shown(
        body(await api.post(path, json={"grace_minutes": 0}, headers=operator), 201)["key"]
    )

    assert is_problem(await api.get("/v1/people/me", headers=operator), 401)
    body(await api.get("/v1/people/me", headers=fresh))


async def test_of_two_rotations_at_once_one_wins(
    api: httpx.AsyncClient, operator: dict[str, str], db: Db
) -> None:
    path = f"/v1/people/zhao/keys/{key_id(operator)}/rotate"

    answers = await asyncio.gather(
        *(api.post(path, json={}, headers=operator) for _ in range(4)),
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await db.fetchval("SELECT count(*) FROM api_key") == 2
    assert [action for _, action, _ in await actions(db)].count("api_key.rotate") == 1


async def test_a_key_expires(
    api: httpx.AsyncClient, operations: dict[str, str], clock: Clock
) -> None:
    expires_at = clock.now + timedelta(hours=1)
    new = {"expires_at": expires_at.isoformat()}
    key = body(await api.post("/v1/people/li/keys", json=new, headers=operations), 201)["key"]

    body(await api.get("/v1/people/me", headers=shown(key)))
    clock.now = expires_at
    assert is_problem(await api.get("/v1/people/me", headers=shown(key)), 401)
    past = await api.post("/v1/people/li/keys", json=new, headers=operations)
    assert is_problem(past, 422)
    assert "in the future" in past.json()["detail"]


async def test_every_key_ends_by_itself(
    api: httpx.AsyncClient, operations: dict[str, str], clock: Clock, built: Builder
) -> None:
    key = body(await api.post("/v1/people/li/keys", json={}, headers=operations), 201)
    assert datetime.fromisoformat(key["expires_at"]) == clock.now + timedelta(days=365)
    later = {"expires_at": (clock.now + timedelta(days=365, seconds=1)).isoformat()}
    assert is_problem(await api.post("/v1/people/li/keys", json=later, headers=operations), 422)
    path = f"/v1/people/li/keys/{key['key_id']}/rotate"
    clock.now += timedelta(days=300)
    rotated = body(await api.post(path, json={}, headers=operations), 201)
    assert datetime.fromisoformat(rotated["expires_at"]) == clock.now + timedelta(days=365)

    clock.now += timedelta(days=365)
    assert is_problem(await api.get("/v1/people/me", headers=shown(rotated["key"])), 401)
    with pytest.raises(asyncpg.NotNullViolationError):
        await built.connection.execute("UPDATE api_key SET expires_at = null")


async def test_the_lifetime_of_keys_is_a_setting(
    database_url: str, operations: dict[str, str], clock: Clock
) -> None:
    async with serving(database_url, clock, key_lifetime_days=30) as api:
        key = body(await api.post("/v1/people/li/keys", json={}, headers=operations), 201)

    assert datetime.fromisoformat(key["expires_at"]) == clock.now + timedelta(days=30)


async def test_a_token_makes_no_key(
    api: httpx.AsyncClient, operations: dict[str, str], db: Db
) -> None:
    token = shown(body(await api.post("/v1/tokens", headers=operations), 201)["token"])
    before = await actions(db)

    for path in ("/v1/people/li/keys", f"/v1/people/li/keys/{key_id(operations)}/rotate"):
        refused = await api.post(path, json={}, headers=token)
        assert is_problem(refused, 401)
        assert refused.json()["detail"].startswith("This takes an API key itself")
    assert await actions(db) == before
    assert await db.fetchval("SELECT count(*) FROM api_key") == 1


async def test_every_issue_is_in_the_audit_and_in_the_persons_list(
    api: httpx.AsyncClient, operations: dict[str, str], db: Db
) -> None:
    first = body(await api.post("/v1/people/li/keys", json={}, headers=operations), 201)
    path = f"/v1/people/li/keys/{first['key_id']}/rotate"
    second = body(await api.post(path, json={}, headers=operations), 201)

    listed = await api.get("/v1/people/li/keys", headers=operations)
    ids = {each["key_id"] for each in body(listed)["items"]}
    assert ids == {key_id(operations), first["key_id"], second["key_id"]}
    audit = str(await db.fetch("SELECT subject, before::text, after::text FROM audit_entry"))
    hashes = await db.fetch("SELECT encode(hash, 'hex') AS hash FROM api_key")
    for key in (first, second):
        assert key["key_id"] in audit
        assert key["key"].split("_", 2)[2] not in audit + listed.text
    assert not any(row["hash"] in audit + listed.text for row in hashes)


@pytest.mark.parametrize("with_token", [False, True])
async def test_operations_alone_revokes_any_key(
    api: httpx.AsyncClient,
    operations: dict[str, str],
    operator: dict[str, str],
    *,
    with_token: bool,
) -> None:
    made = body(await api.post("/v1/tokens", headers=operations), 201)
    shows = shown(made["token"]) if with_token else operations

    body(await api.delete(f"/v1/people/zhao/keys/{key_id(operator)}", headers=shows))

    assert is_problem(await api.get("/v1/people/me", headers=operator), 401)


async def test_a_token_stands_for_its_key_for_a_quarter_of_an_hour(
    api: httpx.AsyncClient, operator: dict[str, str], clock: Clock
) -> None:
    clock.now = clock.now.replace(microsecond=0)
    made = body(await api.post("/v1/tokens", headers=operator), 201)
    token = shown(made["token"])
    assert datetime.fromisoformat(made["expires_at"]) == clock.now + timedelta(minutes=15)

    me = body(await api.get("/v1/people/me", headers=token))
    assert (me["person_id"], me["key_id"]) == ("zhao", key_id(operator))
    assert is_problem(await api.post("/v1/tokens", headers=token), 401)
    clock.now += timedelta(minutes=14, seconds=59)
    body(await api.get("/v1/people/me", headers=token))
    clock.now += timedelta(seconds=1)
    assert is_problem(await api.get("/v1/people/me", headers=token), 401)


async def test_a_token_ends_with_its_key(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    token = shown(body(await api.post("/v1/tokens", headers=operator), 201)["token"])
    body(await api.get("/v1/people/me", headers=token))

    body(await api.delete(f"/v1/people/zhao/keys/{key_id(operator)}", headers=token))

    assert is_problem(await api.get("/v1/people/me", headers=token), 401)


async def test_another_secret_signs_other_tokens(
    api: httpx.AsyncClient, database_url: str, operator: dict[str, str], clock: Clock
) -> None:
    token = shown(body(await api.post("/v1/tokens", headers=operator), 201)["token"])

    async with serving(database_url, clock, token_secret="t" * 32) as other:
        assert is_problem(await other.get("/v1/people/me", headers=token), 401)
    async with serving(database_url, clock, token_secret="s" * 32) as again:
        body(await again.get("/v1/people/me", headers=token))


async def test_people_come_in_pages(
    api: httpx.AsyncClient, operations: dict[str, str], database_url: str
) -> None:
    for number in range(3):
        await keyed(database_url, f"p-{number}", "bureau_drafter")
    found, path = [], "/v1/people?limit=3"
    while path:
        page = body(await api.get(path, headers=operations))
        found.append([person["person_id"] for person in page["items"]])
        path = page["next"]

    assert found == [["li", "p-0", "p-1"], ["p-2"]]


async def test_logs_and_problems_hold_no_key(
    api: httpx.AsyncClient, operations: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = await api.get("/v1/people/nobody/keys", headers=operations)

    assert is_problem(answer, 404)
    key = operations["Authorization"].removeprefix("Bearer ")
    assert key not in answer.text + caplog.text


async def test_openapi_says_who_may(api: httpx.AsyncClient) -> None:
    document = body(await api.get("/openapi.json"))
    schemes = document["components"]["securitySchemes"]

    assert schemes["keyOrToken"]["scheme"] == "bearer"
    for path, methods in document["paths"].items():
        if path.startswith(("/v1/people", "/v1/tokens")):
            for method, route in methods.items():
                assert route["security"] == [{"keyOrToken": []}], (method, path)
                assert {"401", "403", "422", "503"} <= set(route["responses"]), (method, path)
    new = document["components"]["schemas"]["PersonAnswer"]["properties"]
    assert json.dumps(new["name"]["examples"], ensure_ascii=False) == '["王芳"]'
