"""`python -m parking_api people`: from the first person of operations to the demo's people."""

import asyncio
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from parking_api.__main__ import main
from parking_api.audit.service import verify
from parking_api.command_line import connected
from tests.parking_api.builders import Builder
from tests.parking_api.people.keys import body, key_id, shown
from tests.parking_api.serving import is_problem

Run = Callable[..., Any]


@pytest.fixture
def run(database_url: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; its status, and what it said."""

    async def running(*words: str) -> tuple[int, str]:
        command = ["people", "--database-url", database_url, *words]
        status = await asyncio.to_thread(main, command)
        said = capsys.readouterr()
        return status, (said.err if status else said.out).strip()

    return running


async def test_the_first_of_operations(run: Run, api: httpx.AsyncClient, database_url: str) -> None:
    words = ("add", "li", "--name", "李雷", "--role", "operations", "--role", "bureau_drafter")
    status, added = await run(*words)
    assert (status, json.loads(added)["roles"]) == (0, ["bureau_drafter", "operations"])
    _, key = await run("issue", "li")
    body(await api.get("/v1/people", headers=shown(key)))

    _, fresh = await run("rotate", key_id(shown(key)), "--grace-minutes", "0")
    assert is_problem(await api.get("/v1/people", headers=shown(key)), 401)
    body(await api.get("/v1/people", headers=shown(fresh)))
    listed = json.loads((await run("list"))[1])
    assert listed["key_ids"] == [key_id(shown(fresh))]
    assert (await run("revoke", key_id(shown(fresh))))[0] == 0

    assert is_problem(await api.get("/v1/people", headers=shown(fresh)), 401)
    async with connected(database_url, "test") as db:
        assert (await verify(db)).entries == 4
        assert await db.fetchval("SELECT DISTINCT person_id FROM audit_entry") == "command"


async def test_what_cannot_be_done_is_said_in_a_line(run: Run, built: Builder) -> None:
    del built
    assert await run("issue", "nobody") == (1, "There is no such person.")
    assert await run("revoke", "000000000000") == (1, "That person has no such key.")
    words = ("add", "a", "--name", "A", "--role", "operator", "--operator", "op-none")
    assert await run(*words) == (1, "There is no such operator.")
    with pytest.raises(SystemExit) as wrong:
        await run("add", "a", "--name", "A", "--role", "operator")
    assert wrong.value.code == 2


def people(file: Path) -> dict[str, dict[str, str]]:
    return {entry["role"]: entry for entry in json.loads(file.read_text())["people"]}


async def test_the_demo_has_one_of_each_role(
    run: Run, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"gateways": [{"username": "gw-a", "password": "p"}]}))
    assert await run("demo", "--file", str(file)) == (0, f"4 new keys: {file}")
    first = file.read_text()

    assert json.loads(first)["gateways"] == [{"username": "gw-a", "password": "p"}]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    made = people(file)
    assert set(made) == {"operator", "bureau_drafter", "bureau_approver", "operations"}
    assert made["operator"]["operator_id"] == "op-a"
    for role, entry in made.items():
        me = body(await api.get("/v1/people/me", headers=shown(entry["key"])))
        assert (me["roles"], me["person_id"]) == ([role], entry["person_id"])
    assert await run("demo", "--file", str(file)) == (0, f"0 new keys: {file}")
    assert file.read_text() == first


async def test_the_demo_replaces_what_was_lost(
    run: Run, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "credentials.json"
    await run("demo", "--file", str(file))
    before = people(file)
    await run("revoke", key_id(shown(before["operations"]["key"])))
    document = json.loads(file.read_text())
    document["people"] = [one for one in document["people"] if one["role"] != "operator"]
    document["people"].append({"person_id": "mine", "role": "operations", "key": "kept"})
    file.write_text(json.dumps(document))

    assert (await run("demo", "--file", str(file)))[1].startswith("2 new keys")

    after = json.loads(file.read_text())["people"]
    assert after[-1]["person_id"] == "mine"
    keys = {one["person_id"]: one["key"] for one in after}
    assert keys["demo-drafter"] == before["bureau_drafter"]["key"]
    for person in ("demo-operations", "demo-operator"):
        assert keys[person] not in {one["key"] for one in before.values()}
        body(await api.get("/v1/people/me", headers=shown(keys[person])))


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"people": [{}]}', '{"people": [{"person_id": 1}]}']
)
async def test_a_file_that_is_none_is_left_alone(
    run: Run, built: Builder, tmp_path: Path, content: str, database_url: str
) -> None:
    del built
    file = tmp_path / "credentials.json"
    file.write_text(content)

    status, said = await run("demo", "--file", str(file))

    assert status == 1
    assert "move it away" in said
    assert file.read_text() == content
    async with connected(database_url, "test") as db:
        assert await db.fetchval("SELECT count(*) FROM person") == 0


async def test_without_a_city_there_is_no_operator(run: Run, tmp_path: Path) -> None:
    status, said = await run("demo", "--file", str(tmp_path / "credentials.json"))

    assert (status, said) == (1, "There is no operator yet: import a city first.")
