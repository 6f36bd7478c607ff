"""Enrolments: nobody is known, and nobody gets a role or a key, by one person's doing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from parking_api.audit.service import verify
from parking_api.enrolments import codes
from sql.engine import Db
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Clock, problem
from tests.parking_api.people.keys import body, key_id, keyed, shown
from tests.parking_api.serving import is_problem, serving

NEW = {"person_id": "wang", "name": "王芳", "roles": ["bureau_drafter"]}
WHY = {"reason": "测试"}
WRONG = "AAAA-AAAA-AAAA-AAAA"


@dataclass
class Office:
    """Two of operations, an approver and an operator, and the API that they use."""

    api: httpx.AsyncClient
    clock: Clock
    database_url: str
    li: dict[str, str]
    sun: dict[str, str]
    approver: dict[str, str]
    operator: dict[str, str]
    none: dict[str, str] = field(default_factory=dict)

    async def start(self, who: dict[str, str] | None = None, **fields: Any) -> str:
        """Start an enrolment; its path."""
        new = NEW | fields
        answer = await self.api.post("/v1/enrolments", json=new, headers=who or self.li)
        return f"/v1/enrolments/{body(answer, 201)['enrolment_id']}"

    async def confirm(self, path: str, who: dict[str, str]) -> httpx.Response:
        return await self.api.post(f"{path}/confirm", json=WHY, headers=who)

    async def code(self, path: str, who: dict[str, str] | None = None) -> str:
        """Confirm an enrolment; its code."""
        return str(body(await self.confirm(path, who or self.sun))["code"])

    async def complete(
        self, path: str, code: str, who: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.api.post(f"{path}/complete", json={"code": code}, headers=who)

    async def withdraw_role(self, person_id: str, role: str, by: dict[str, str]) -> None:
        body(await self.api.delete(f"/v1/people/{person_id}/roles/{role}", headers=by))


@pytest.fixture
async def office(database_url: str, built: Builder) -> AsyncIterator[Office]:
    del built
    clock = Clock(datetime.now(UTC).replace(microsecond=0))
    begun = clock.now - timedelta(hours=1)
    async with serving(database_url, clock, token_secret="s" * 32) as api:
        yield Office(
            api,
            clock,
            database_url,
            await keyed(database_url, "li", "operations", at=begun),
            await keyed(database_url, "sun", "operations", at=begun),
            await keyed(database_url, "min", "bureau_approver", at=begun),
            await keyed(database_url, "zhao", "operator", operator_id="op-a", at=begun),
        )


async def there(db: Db) -> tuple[int, int]:
    """How many people and keys there are."""
    row = await db.fetchrow("SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM api_key)")
    assert row is not None
    return tuple(row)


@pytest.mark.parametrize("confirming", ["sun", "approver"])
async def test_three_people_make_a_person(office: Office, db: Db, confirming: str) -> None:
    path = await office.start()
    confirmed = await office.confirm(path, getattr(office, confirming))
    code = body(confirmed)["code"]
    assert confirmed.headers["cache-control"] == "no-store"
    assert confirmed.json()["state"] == "confirmed"

    completed = await office.complete(path, code)

    assert completed.headers["cache-control"] == "no-store"
    key = body(completed)["key"]
    assert datetime.fromisoformat(key["expires_at"]) == office.clock.now + timedelta(days=365)
    me = body(await office.api.get("/v1/people/me", headers=shown(key["key"])))
    assert (me["person_id"], me["name"], me["roles"]) == ("wang", "王芳", ["bureau_drafter"])
    told = await db.fetch("SELECT person_id, action FROM audit_entry ORDER BY entry_id")
    by = {"sun": "sun", "approver": "min"}[confirming]
    assert [tuple(row) for row in told[-5:]] == [
        ("li", "enrolment.start"),
        (by, "enrolment.confirm"),
        ("wang", "person.add"),
        ("wang", "api_key.issue"),
        ("wang", "enrolment.complete"),
    ]
    await verify(db)
    found = await db.fetch("SELECT row_to_json(a)::text FROM audit_entry AS a")
    secret = key["key"].split("_", 2)[2]
    stored = codes.hashed(path.rpartition("/")[2], code).hex()
    assert not any(each in str(found) for each in (code, stored, secret))


async def test_the_code_is_stored_as_a_hash_and_only_while_it_is_good(
    office: Office, db: Db
) -> None:
    path = await office.start()
    code = await office.code(path)

    rows = str(await db.fetch("SELECT row_to_json(e)::text FROM enrolment AS e"))
    assert code not in rows
    assert code.replace("-", "") not in rows
    assert await db.fetchval("SELECT length(code_hash) FROM enrolment") == 32
    listed = await office.api.get("/v1/enrolments", headers=office.approver)
    assert "code_hash" not in listed.text
    body(await office.complete(path, code))
    assert await db.fetchval("SELECT code_hash FROM enrolment") is None


async def test_one_of_operations_makes_nobody_alone(office: Office, db: Db, built: Builder) -> None:
    before = await there(db)
    path = await office.start()
    problem(await office.confirm(path, office.li), 403, "same-person")
    # The same person under another key.
    second = await office.api.post("/v1/people/li/keys", json={}, headers=office.li)
    problem(await office.confirm(path, shown(body(second, 201)["key"])), 403, "same-person")
    # By what was never confirmed.
    for code in (WRONG, "", " ", "-"):
        answer = await office.complete(path, code)
        assert answer.status_code in {403, 422}
    assert await there(db) == (before[0], before[1] + 1)
    # Not past the API either.
    with pytest.raises(asyncpg.CheckViolationError):
        await built.connection.execute("UPDATE enrolment SET confirmed_by = started_by")
    with pytest.raises(asyncpg.CheckViolationError):
        await built.connection.execute("UPDATE enrolment SET confirmed_by = person_id")
    with pytest.raises(asyncpg.CheckViolationError):
        await built.connection.execute("UPDATE enrolment SET state = 'completed'")


async def test_nobody_gives_themselves_a_role(office: Office) -> None:
    own = {"person_id": "li", "roles": ["bureau_approver"]}
    problem(
        await office.api.post("/v1/enrolments", json=own, headers=office.li), 403, "same-person"
    )
    # Nor confirms what they are to get.
    path = await office.start(person_id="sun", name=None, roles=["bureau_approver"])
    problem(await office.confirm(path, office.sun), 403, "same-person")


async def test_who_may_start_confirm_and_look(office: Office, database_url: str) -> None:
    drafter = await keyed(database_url, "chen", "bureau_drafter")
    path = await office.start()
    for who in (office.approver, office.operator, drafter):
        assert is_problem(await office.api.post("/v1/enrolments", json=NEW, headers=who), 403)
        withdrawn = await office.api.post(f"{path}/withdraw", json=WHY, headers=who)
        assert is_problem(withdrawn, 403)
    for who in (office.operator, drafter):
        assert is_problem(await office.confirm(path, who), 403)
        assert is_problem(await office.api.get("/v1/enrolments", headers=who), 403)
    assert is_problem(await office.api.get("/v1/enrolments"), 401)
    assert is_problem(await office.confirm(path, {}), 401)


async def test_a_token_neither_starts_nor_confirms(office: Office) -> None:
    path = await office.start()
    made = await office.api.post("/v1/tokens", headers=office.sun)
    token = shown(body(made, 201)["token"])

    assert is_problem(await office.confirm(path, token), 401)
    assert is_problem(await office.api.post("/v1/enrolments", json=NEW, headers=token), 401)


async def test_a_code_has_five_tries(office: Office, db: Db) -> None:
    path = await office.start()
    code = await office.code(path)
    for _ in range(4):
        problem(await office.complete(path, WRONG), 403, "code-refused")
    # The fifth may be the right one; here it is not.
    problem(await office.complete(path, WRONG), 403, "code-refused")

    problem(await office.complete(path, code), 403, "code-refused")

    assert await db.fetchval("SELECT count(*) FROM person WHERE person_id = 'wang'") == 0
    # A second confirmation makes another code.
    body(await office.complete(path, await office.code(path)))


async def test_many_tries_at_once_are_five(
    office: Office, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await office.start()
    code = await office.code(path)
    compared: list[str] = []
    matches = codes.matches

    def counted(enrolment_id: str, given: str, stored: bytes) -> bool:
        compared.append(given)
        return matches(enrolment_id, given, stored)

    monkeypatch.setattr(codes, "matches", counted)
    answers = await asyncio.gather(*(office.complete(path, WRONG) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {403}
    assert len(compared) == 5
    problem(await office.complete(path, code), 403, "code-refused")
    assert len(compared) == 5
    assert await db.fetchval("SELECT tries FROM enrolment") == 5


async def test_of_many_who_complete_at_once_one_gets_a_key(office: Office, db: Db) -> None:
    before = await there(db)
    path = await office.start()
    code = await office.code(path)

    answers = await asyncio.gather(*(office.complete(path, code) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403, 403]
    assert await there(db) == (before[0] + 1, before[1] + 1)
    problem(await office.complete(path, code), 403, "code-refused")


async def test_of_two_who_confirm_at_once_one_code_is_good(office: Office) -> None:
    path = await office.start()

    codes_shown = await asyncio.gather(
        office.code(path, office.sun), office.code(path, office.approver)
    )

    answers = [(await office.complete(path, code)).status_code for code in codes_shown]
    assert sorted(answers) == [200, 403]


async def test_a_code_is_good_for_a_quarter_of_an_hour(office: Office) -> None:
    path = await office.start()
    code = await office.code(path)
    office.clock.now += timedelta(minutes=15)
    problem(await office.complete(path, code), 403, "code-refused")
    fresh = await office.code(path)
    problem(await office.complete(path, code), 403, "code-refused")
    office.clock.now += timedelta(minutes=14, seconds=59)

    body(await office.complete(path, fresh.lower().replace("-", " ")))


async def test_a_code_is_good_for_its_own_enrolment(office: Office) -> None:
    first, second = await office.start(), await office.start(person_id="chen")
    code = await office.code(first)
    await office.code(second)

    problem(await office.complete(second, code), 403, "code-refused")
    problem(await office.complete("/v1/enrolments/000000000000", code), 403, "code-refused")
    body(await office.complete(first, code))


async def test_a_withdrawn_enrolment_is_over(office: Office) -> None:
    path = await office.start()
    code = await office.code(path)
    withdrawn = await office.api.post(f"{path}/withdraw", json=WHY, headers=office.sun)
    assert body(withdrawn)["state"] == "withdrawn"

    problem(await office.complete(path, code), 403, "code-refused")
    problem(await office.confirm(path, office.sun), 409, "enrolment-state")
    again = await office.api.post(f"{path}/withdraw", json=WHY, headers=office.sun)
    problem(again, 409, "enrolment-state")


@pytest.mark.parametrize("gone", ["role", "keys"])
@pytest.mark.parametrize("when", ["before it is confirmed", "before it is completed"])
async def test_a_starter_who_is_no_more_in_office_counts_as_nobody(
    office: Office, db: Db, gone: str, when: str
) -> None:
    path = await office.start()
    code = await office.code(path) if when == "before it is completed" else ""
    if gone == "role":
        await office.withdraw_role("li", "operations", office.sun)
    else:
        key = f"/v1/people/li/keys/{key_id(office.li)}"
        body(await office.api.delete(key, headers=office.sun))

    if when == "before it is confirmed":
        problem(await office.confirm(path, office.approver), 409, "not-standing")
    else:
        problem(await office.complete(path, code), 409, "not-standing")
    assert await db.fetchval("SELECT count(*) FROM person WHERE person_id = 'wang'") == 0


async def test_a_confirmer_who_is_no_more_in_office_counts_as_nobody(office: Office) -> None:
    path = await office.start()
    code = await office.code(path, office.approver)
    await office.withdraw_role("min", "bureau_approver", office.li)

    problem(await office.complete(path, code), 409, "not-standing")

    body(await office.complete(path, await office.code(path, office.sun)))


async def test_a_bureau_role_takes_two_persons_and_ones_own_key(office: Office) -> None:
    path = await office.start(person_id="zhao", name=None, roles=["bureau_approver"])
    code = await office.code(path)
    made = await office.api.post("/v1/tokens", headers=office.operator)
    token = shown(body(made, 201)["token"])
    # Who was shown the code cannot use it, and nor can the person by a token.
    for who in (None, office.sun, token):
        problem(await office.complete(path, code, who), 403, "own-key-needed")

    completed = body(await office.complete(path, code, office.operator))

    assert completed["key"] is None
    assert completed["person"]["roles"] == ["bureau_approver", "operator"]
    assert completed["person"]["operator_id"] == "op-a"
    me = body(await office.api.get("/v1/people/me", headers=office.operator))
    assert me["roles"] == ["bureau_approver", "operator"]


async def test_who_has_lost_every_key_gets_a_new_one(office: Office, db: Db) -> None:
    path = await office.start(person_id="zhao", name=None, roles=[])
    code = await office.code(path)

    key = body(await office.complete(path, code))["key"]["key"]

    me = body(await office.api.get("/v1/people/me", headers=shown(key)))
    assert (me["person_id"], me["roles"]) == ("zhao", ["operator"])
    assert (await db.fetchval("SELECT kind FROM enrolment")) == "key"


async def test_a_new_key_ends_all_others_of_the_person(office: Office) -> None:
    """Who confirms it holds the code: if they use it themselves, the person's own key is gone."""
    code = await office.code(path := await office.start(person_id="zhao", name=None, roles=[]))
    assert (await office.api.get("/v1/people/me", headers=office.operator)).status_code == 200

    body(await office.complete(path, code))

    assert is_problem(await office.api.get("/v1/people/me", headers=office.operator), 401)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"person_id": "min"}, 409),
        ({"person_id": "min", "name": None, "roles": ["bureau_approver"]}, 409),
        ({"name": None}, 404),
        ({"roles": []}, 404),
        ({"roles": ["operator"], "operator_id": "nobody"}, 422),
        ({"roles": ["operator"]}, 422),
        ({"operator_id": "op-a"}, 422),
        ({"roles": ["king"]}, 422),
        ({"person_id": "Wang"}, 422),
        ({"person_id": "command"}, 422),
        ({"name": "a\0b"}, 422),
        ({"name": " "}, 422),
        ({"name": "x" * 101}, 422),
        ({"key": "mine"}, 422),
    ],
)
async def test_an_enrolment_that_is_none(
    office: Office, db: Db, change: dict[str, Any], status: int
) -> None:
    answer = await office.api.post("/v1/enrolments", json=NEW | change, headers=office.li)

    assert answer.status_code == status, answer.text
    assert await db.fetchval("SELECT count(*) FROM enrolment") == 0


async def test_of_two_enrolments_of_one_person_one_is_completed(office: Office) -> None:
    paths = [await office.start(), await office.start(office.sun)]
    shown_codes = [await office.code(path, office.approver) for path in paths]

    body(await office.complete(paths[0], shown_codes[0]))

    assert is_problem(await office.complete(paths[1], shown_codes[1]), 409)


async def test_enrolments_come_in_pages(office: Office) -> None:
    ids = {(await office.start(person_id=f"p-{n}")).rpartition("/")[2] for n in range(3)}
    found, path = [], "/v1/enrolments?limit=2"
    while path:
        answer = body(await office.api.get(path, headers=office.approver))
        found += [each["enrolment_id"] for each in answer["items"]]
        path = answer["next"]

    assert found == sorted(ids)
