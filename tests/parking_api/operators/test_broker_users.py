"""Passwords of gateways issued, rotated and revoked by people, and what the broker makes of it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import asyncpg
import httpx
import psutil
import pytest

from deploy import broker as mosquitto
from deploy import postgres
from deploy.accounts import server_account
from deploy.ports import any_free
from ingest_mqtt.wire import ROOT
from parking_api.operators.broker_files import is_password
from parking_api.operators.credentials import Places, issue
from tests.parking_api.builders import Builder
from tests.parking_api.feeding import People
from tests.parking_api.import_files import PLATFORM
from tests.parking_api.people.keys import body, keyed
from tests.parking_api.serving import is_problem
from tests.polling import until
from tests.running import RunningBroker, running_broker
from tests.servers import as_role

PATH = "/v1/operators/{}/gateways/{}/credentials"
A = PATH.format("op-a", "gw-a")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    directory = tmp_path / "broker"
    directory.mkdir()
    return Places(tmp_path / "credentials.json", directory)


@asynccontextmanager
async def kept(url: str, directory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program that keeps the broker's users, as `make demo` runs it."""
    environment = {**os.environ, "DATABASE_URL": as_role(url, postgres.LOGINS)}
    command = ("-m", "parking_api", "credentials", "--follow", "--broker-dir", str(directory))
    status = ("--status", "logins.status")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, *status, env=environment
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.fixture
async def running(built: Builder, places: Places) -> AsyncIterator[RunningBroker]:
    """A broker whose users are those of the database."""
    await issue(built.connection, places, PLATFORM)
    account = server_account(mosquitto.SYSTEM_USER)
    with running_broker(places.broker_directory, account, any_free()) as broker:
        yield broker


def gateway(broker: RunningBroker, password: str, user: str = "gw-a") -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host, broker.port, username=user, password=password, identifier=user,
        protocol=aiomqtt.ProtocolVersion.V5, timeout=5,
    )  # fmt: skip


async def logs_in(broker: RunningBroker, password: str, user: str = "gw-a") -> bool:
    try:
        async with gateway(broker, password, user):
            return True
    except aiomqtt.MqttError:
        return False


@asynccontextmanager
async def ended(broker: RunningBroker, password: str) -> AsyncIterator[None]:
    """What the block does must end the connection that was made with the password before it."""
    is_over = False
    try:
        async with gateway(broker, password) as live:
            yield
            async for _ in live.messages:
                pass
    except aiomqtt.MqttError:
        is_over = True
    assert is_over


async def issued(api: httpx.AsyncClient, headers: dict[str, str], path: str = A) -> str:
    answer = await api.post(path, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return str(answer.json()["password"])


async def test_a_password_is_issued_rotated_and_revoked_while_the_broker_runs(
    api: httpx.AsyncClient,
    database_url: str,
    people: People,
    places: Places,
    running: RunningBroker,
) -> None:
    """Connections on the password before end; others stay, and so does the platform."""
    async with kept(database_url, places.broker_directory) as process:
        first = await issued(api, people.operator)
        await until(lambda: logs_in(running, first), "the first password")
        other = await issued(api, people.operations, PATH.format("op-b", "gw-s"))
        await until(lambda: logs_in(running, other, "gw-s"), "another's password")
        async with gateway(running, other, "gw-s") as bystander:
            async with ended(running, first):
                second = await issued(api, people.operator)
            assert not await logs_in(running, first)
            await until(lambda: logs_in(running, second), "the second password")
            async with ended(running, second):
                assert (await api.delete(A, headers=people.operator)).status_code == 200
            assert not await logs_in(running, second)
            await bystander.publish(f"{ROOT}/feeds/gw-s/lot/spaces", b"x", qos=1)
        assert await logs_in(running, PLATFORM["platform-ingest"], "platform-ingest")
        if os.geteuid() == 0:
            assert psutil.Process(process.pid).uids() == (running.account.uid,) * 3
        assert (places.broker_directory / "logins.status").exists()
    assert "gw-a" not in (places.broker_directory / "passwd").read_text()
    assert "gw-a" not in (places.broker_directory / "acl").read_text()
    for name in ("passwd", "acl"):
        assert (places.broker_directory / name).stat().st_mode & 0o777 == 0o600


async def test_revoked_passwords_end_after_the_database_was_away_too(
    api: httpx.AsyncClient,
    database_url: str,
    people: People,
    places: Places,
    running: RunningBroker,
) -> None:
    async with kept(database_url, places.broker_directory):
        first = await issued(api, people.operator)
        await until(lambda: logs_in(running, first), "the first password")
        own = await asyncpg.connect(as_role(database_url, postgres.LOGINS))
        await own.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND pid <> pg_backend_pid()"
        )
        await own.close()
        second = await issued(api, people.operator)
        await until(lambda: logs_in(running, second), "the second password")
        assert not await logs_in(running, first)


async def test_a_broker_that_starts_later_or_anew_has_the_users_of_the_database(
    api: httpx.AsyncClient, built: Builder, database_url: str, people: People, places: Places
) -> None:
    await issue(built.connection, places, PLATFORM)
    account, port = server_account(mosquitto.SYSTEM_USER), any_free()
    with running_broker(places.broker_directory, account, port):
        pass
    async with kept(database_url, places.broker_directory):
        for _ in range(2):
            password = await issued(api, people.operator)
            with running_broker(places.broker_directory, account, port) as broker:
                await until(lambda: logs_in(broker, password), "the password")  # noqa: B023


async def test_the_command_leaves_alone_what_people_did(
    api: httpx.AsyncClient, built: Builder, people: People, places: Places
) -> None:
    """Neither does it give a revoked gateway a new password, nor change what a person issued."""
    await issue(built.connection, places, PLATFORM)
    password = await issued(api, people.operator)
    await api.delete(PATH.format("op-b", "gw-s"), headers=people.operations)
    assert (await issue(built.connection, places, PLATFORM)).new == 0
    stored = dict(await built.connection.fetch("SELECT gateway_id, password_hash FROM gateway"))
    assert is_password(password, stored["gw-a"])
    assert stored["gw-s"] is None
    assert password not in places.file.read_text()
    assert f"gw-a:{stored['gw-a']}\n" in (places.broker_directory / "passwd").read_text()
    assert "gw-s:" not in (places.broker_directory / "passwd").read_text()


async def test_only_operations_and_the_operator_may_and_only_by_a_key(
    api: httpx.AsyncClient, people: People, database_url: str
) -> None:
    drafter = await keyed(database_url, "drafter", "bureau_drafter")
    for method in ("POST", "DELETE"):
        for path, headers, status in (
            (A, {}, 401),
            (A, drafter, 403),
            (PATH.format("op-b", "gw-s"), people.operator, 403),
            # Another operator's gateway under its own name.
            (PATH.format("op-a", "gw-s"), people.operator, 404),
            (PATH.format("op-a", "gw-none"), people.operator, 404),
            (PATH.format("op-b", "gw-a"), people.operations, 404),
        ):
            assert is_problem(await api.request(method, path, headers=headers), status), path
    token = body(await api.post("/v1/tokens", headers=people.operator), 201)["token"]
    answer = await api.post(A, headers={"Authorization": f"Bearer {token}"})
    assert is_problem(answer, 401)
    assert "key" in answer.json()["detail"]


async def test_each_step_is_in_the_audit_without_the_password(
    api: httpx.AsyncClient, built: Builder, people: People
) -> None:
    password = await issued(api, people.operator)
    await api.delete(A, headers=people.operations)
    # A second time it is done already.
    assert (await api.delete(A, headers=people.operations)).status_code == 200
    rows = await built.connection.fetch(
        "SELECT action, before::text, after::text FROM audit_entry WHERE subject = 'gateway/gw-a'"
        " ORDER BY entry_id"
    )
    assert [row["action"] for row in rows] == ["gateway.issue_password", "gateway.revoke_password"]
    assert password not in str(rows)


@pytest.mark.usefixtures("built")
async def test_its_role_reads_hashes_and_nothing_else(database_url: str) -> None:
    db = await asyncpg.connect(as_role(database_url, postgres.LOGINS))
    try:
        assert await db.fetch("SELECT gateway_id, password_hash FROM gateway")
        for deed in (
            "SELECT * FROM person",
            "SELECT operator_id FROM gateway",
            "SELECT 1 FROM lot",
            "UPDATE gateway SET password_hash = null",
            "CREATE TABLE mine (n int)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(deed)
    finally:
        await db.close()
