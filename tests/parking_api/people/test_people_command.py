"""`python -m parking_api people`: the first people, recovery, and what else the command does."""

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from parking_api.__main__ import main
from parking_api.audit.service import verify
from parking_api.command_line import connected
from sql.engine import Db
from tests.parking_api.builders import Builder
from tests.parking_api.people.keys import body, key_id, keyed, shown
from tests.parking_api.serving import is_problem, samples
from tests.polling import until

Run = Callable[..., Awaitable[tuple[int, str]]]
LI = ("--person", "li", "李雷", "operations")
MIN = ("--person", "min", "韩梅梅", "bureau_approver,bureau_drafter")


@pytest.fixture
def run(owner_url: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command, by default as the database's owner; its status, and what it said."""

    async def running(*words: str, url: str = owner_url) -> tuple[int, str]:
        status = await asyncio.to_thread(main, ["people", "--database-url", url, *words])
        said = capsys.readouterr()
        return status, (said.err if status else said.out).strip()

    return running


async def number_of_people(db: Db) -> int:
    return int(await db.fetchval("SELECT count(*) FROM person"))


async def test_the_first_people_come_by_bootstrap(run: Run, api: httpx.AsyncClient, db: Db) -> None:
    status, printed = await run("bootstrap", *LI, *MIN)

    assert status == 0
    keys = {each["person_id"]: each["key"] for each in map(json.loads, printed.splitlines())}
    roles = {"li": ["operations"], "min": ["bureau_approver", "bureau_drafter"]}
    for person_id, key in keys.items():
        assert body(await api.get("/v1/people/me", headers=shown(key)))["roles"] == roles[person_id]
    assert (await verify(db)).entries == 4
    assert await db.fetchval("SELECT DISTINCT person_id FROM audit_entry") == "command"
    listed = [json.loads(each) for each in (await run("list"))[1].splitlines()]
    assert [each["key_ids"] for each in listed] == [
        [key_id(shown(keys["li"]))],
        [key_id(shown(keys["min"]))],
    ]


async def test_bootstrap_refuses_once_anyone_exists(
    run: Run, built: Builder, database_url: str, db: Db
) -> None:
    del built
    await keyed(database_url, "sun", "operator", operator_id="op-a")

    status, said = await run("bootstrap", *LI, *MIN)

    assert (status, "There are people already" in said) == (1, True)
    assert await run("bootstrap", "--if-nobody", *LI, *MIN) == (0, "There are people already.")
    assert await number_of_people(db) == 1


async def test_of_two_bootstraps_at_once_one_wins(run: Run, built: Builder, db: Db) -> None:
    del built
    both = await asyncio.gather(run("bootstrap", *LI, *MIN), run("bootstrap", *LI, *MIN))

    assert sorted(status for status, _ in both) == [0, 1]
    assert await db.fetchval("SELECT count(*) FROM api_key") == 2


@pytest.mark.parametrize("action", ["bootstrap", "recover"])
async def test_a_programs_password_makes_no_key(
    run: Run, built: Builder, database_url: str, db: Db, action: str
) -> None:
    del built
    if action == "recover":
        await keyed(database_url, "sun", "operations")
    before = await db.fetchval("SELECT count(*) FROM api_key")

    status, said = await run(action, *LI, *MIN, url=database_url)

    assert (status, said) == (
        1,
        "This takes the password of the database's owner, not a program's.",
    )
    assert await db.fetchval("SELECT count(*) FROM api_key") == before


@pytest.mark.parametrize(
    "people",
    [
        (LI,),
        (MIN, ("--person", "sun", "S", "bureau_approver")),
        (("--person", "li", "L", "operations,bureau_approver"),),
        (LI, ("--person", "wang", "W", "bureau_drafter")),
    ],
)
async def test_bootstrap_makes_who_can_enrol_others(
    run: Run, built: Builder, db: Db, people: tuple[tuple[str, ...], ...]
) -> None:
    del built
    status, said = await run("bootstrap", *(word for person in people for word in person))

    assert (status, "Nobody could be enrolled" in said) == (1, True)
    assert await number_of_people(db) == 0


async def test_recovery_is_in_the_audit_and_raises_an_alert(
    run: Run, api: httpx.AsyncClient, database_url: str, db: Db, caplog: pytest.LogCaptureFixture
) -> None:
    lost = await keyed(database_url, "li", "operations")
    name = ("onelot_recoveries", frozenset[tuple[str, str]]())

    async def recoveries(number: int) -> bool:
        return (await samples(api)).get(name) == number

    await until(lambda: recoveries(0))
    status, printed = await run("recover", "--person", "li", "ignored", "bureau_approver")

    assert status == 0
    person = json.loads(printed)
    me = body(await api.get("/v1/people/me", headers=shown(person["key"])))
    assert (me["name"], me["roles"]) == ("li", ["bureau_approver", "operations"])
    body(await api.get("/v1/people/me", headers=lost))
    told = await db.fetch("SELECT action, after::text FROM audit_entry ORDER BY entry_id")
    assert [row["action"] for row in told[-3:]] == [
        "person.grant_roles",
        "api_key.issue",
        "recovery",
    ]
    assert key_id(shown(person["key"])) in told[-1]["after"]
    assert person["key"].split("_", 2)[2] not in str(told)
    assert [(each.levelname, each.name) for each in caplog.records if "recovered" in each.msg] == [
        ("ERROR", "parking_api.people.command")
    ]
    await until(lambda: recoveries(1))


async def test_nobody_is_recovered_where_nobody_was(run: Run, built: Builder) -> None:
    del built
    assert await run("recover", *LI) == (1, "There is nobody yet: use bootstrap.")


async def test_what_cannot_be_done_is_said_in_a_line(run: Run, built: Builder) -> None:
    del built
    assert await run("revoke", "000000000000") == (1, "That person has no such key.")
    for words in (
        ("bootstrap", "--person", "a", "A", "operator"),
        ("bootstrap", "--person", "a", "A", "king"),
        ("bootstrap",),
        ("bootstrap", "--demo"),
        ("recover", *LI, "--demo", "--file", "x.json"),
        ("issue", "li"),
        ("rotate", "000000000000"),
        ("add", "a", "--name", "A", "--role", "operations"),
        ("demo",),
    ):
        with pytest.raises(SystemExit) as wrong:
            await run(*words)
        assert wrong.value.code == 2, words


async def test_a_programs_password_revokes(
    run: Run, api: httpx.AsyncClient, database_url: str
) -> None:
    key = await keyed(database_url, "sun", "operations")

    assert (await run("revoke", key_id(key), url=database_url))[0] == 0

    assert is_problem(await api.get("/v1/people/me", headers=key), 401)


def people(file: Path) -> dict[str, dict[str, str]]:
    return {entry["role"]: entry for entry in json.loads(file.read_text())["people"]}


async def test_the_demo_has_one_of_each_role(
    run: Run, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "credentials.json"
    demo = ("--demo", "--file", str(file))
    file.write_text(json.dumps({"gateways": [{"username": "gw-a", "password": "p"}]}))
    assert await run("bootstrap", "--if-nobody", *demo) == (0, f"4 new keys: {file}")
    assert await run("recover", *demo) == (0, f"0 new keys: {file}")
    first = file.read_text()

    assert json.loads(first)["gateways"] == [{"username": "gw-a", "password": "p"}]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    made = people(file)
    assert list(made) == ["operator", "bureau_drafter", "bureau_approver", "operations"]
    assert made["operator"]["operator_id"] == "op-a"
    for role, entry in made.items():
        me = body(await api.get("/v1/people/me", headers=shown(entry["key"])))
        assert (me["roles"], me["person_id"]) == ([role], entry["person_id"])
    assert (await run("bootstrap", "--if-nobody", *demo))[0] == 0
    assert await run("recover", *demo) == (0, f"0 new keys: {file}")
    assert file.read_text() == first


async def test_the_demo_replaces_what_was_lost(
    run: Run, api: httpx.AsyncClient, tmp_path: Path, db: Db
) -> None:
    file = tmp_path / "credentials.json"
    demo = ("--demo", "--file", str(file))
    await run("bootstrap", *demo)
    before = people(file)
    await run("revoke", key_id(shown(before["operations"]["key"])))
    document = json.loads(file.read_text())
    document["people"] = [one for one in document["people"] if one["role"] != "operator"]
    document["people"].append({"person_id": "mine", "role": "operations", "key": "kept"})
    file.write_text(json.dumps(document))

    assert (await run("recover", *demo))[1].startswith("2 new keys")

    after = json.loads(file.read_text())["people"]
    assert after[-1]["person_id"] == "mine"
    keys = {one["person_id"]: one["key"] for one in after}
    assert keys["demo-drafter"] == before["bureau_drafter"]["key"]
    for person in ("demo-operations", "demo-operator"):
        assert keys[person] not in {one["key"] for one in before.values()}
        body(await api.get("/v1/people/me", headers=shown(keys[person])))
    file.unlink()
    assert (await run("recover", *demo))[1].startswith("4 new keys")
    assert await number_of_people(db) == 4


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"people": [{}]}', '{"people": [{"person_id": 1}]}']
)
async def test_a_file_that_is_none_is_left_alone(
    run: Run, built: Builder, tmp_path: Path, content: str, database_url: str
) -> None:
    del built
    file = tmp_path / "credentials.json"
    file.write_text(content)

    status, said = await run("bootstrap", "--demo", "--file", str(file))

    assert status == 1
    assert "move it away" in said
    assert file.read_text() == content
    async with connected(database_url, "test") as db:
        assert await number_of_people(db) == 0


async def test_without_a_city_there_is_no_operator(run: Run, tmp_path: Path) -> None:
    status, said = await run("bootstrap", "--demo", "--file", str(tmp_path / "credentials.json"))

    assert (status, said) == (1, "There is no operator yet: import a city first.")
