"""The private servers: where they listen, who may log in, what the configuration allows."""

import threading

import asyncpg
import paho.mqtt.client as mqtt
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from deploy.checks import wait_until
from tests.running import Cluster
from tests.servers import Broker

LOTS = 1670
WAIT_S = 20.0


def listening(process: psutil.Process) -> set[tuple[str, int]]:
    connections = process.net_connections(kind="inet")
    return {(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN}


def client(broker: Broker, user: str | None, password: str | None = None) -> mqtt.Client:
    made = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, client_id="any")
    if user is not None:
        made.username_pw_set(user, broker.password(user) if password is None else password)
    return made


def connected(broker: Broker, user: str | None, password: str | None = None) -> ReasonCode | None:
    """Log in once; what the broker answered, None when it did not. No user: anonymously."""
    answered: list[ReasonCode] = []
    made = client(broker, user, password)

    def on_connect(_c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        answered.append(reason)
        made.disconnect()

    made.on_connect = on_connect
    made.connect(broker.host, broker.port)
    made.loop_forever()
    return answered[0] if answered else None


def test_broker_listens_on_its_loopback_port_only(broker: Broker) -> None:
    assert broker._server is not None
    process = psutil.Process(broker._server.process.pid)
    assert process.name() == "mosquitto"
    assert listening(process) == {("127.0.0.1", broker.port)}


def test_database_listens_on_its_loopback_port_only(cluster: Cluster) -> None:
    pid = int((cluster.directory / "postmaster.pid").read_text().splitlines()[0])
    process = psutil.Process(pid)
    assert listening(process) == {("127.0.0.1", cluster.port)}
    assert not list(cluster.directory.glob(".s.PGSQL*"))


def test_servers_never_run_as_root_yet_reach_their_data(cluster: Cluster, broker: Broker) -> None:
    """Also below a directory that only its owner may enter, as the test's own ones are."""
    assert broker._server is not None
    postmaster = int((cluster.directory / "postmaster.pid").read_text().splitlines()[0])
    for pid in (postmaster, broker._server.process.pid):
        assert psutil.Process(pid).uids().real != 0
    for directory in (cluster.directory, broker.directory):
        assert any(not parent.stat().st_mode & 0o077 for parent in directory.parents)


def test_broker_lets_in_only_who_knows_a_password(broker: Broker) -> None:
    def accepted(user: str | None, password: str | None = None) -> bool:
        reason = connected(broker, user, password)
        return reason is not None and not reason.is_failure

    assert accepted("platform-ingest")
    assert not accepted("platform-ingest", "wrong")
    assert not accepted("gw-test", "secret-gw-test")
    broker.add_users("gw-test")
    assert accepted("gw-test")
    assert not accepted(None)


@pytest.mark.parametrize("role", ["onelot", "onelot_app"])
async def test_no_role_is_a_superuser_and_each_needs_its_password(
    database_url: str, owner_url: str, role: str
) -> None:
    url = {"onelot": owner_url, "onelot_app": database_url}[role]
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        assert row is not None
        assert await connection.fetchval("SELECT current_user") == role
        assert not any(row.values())
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        assert await connection.fetchval("SHOW timezone") == "UTC"
        assert await connection.fetchval("SHOW data_checksums") == "on"
    finally:
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace(":test-", ":wrong-"))


def test_a_subscriber_gets_the_retained_state_of_every_lot(broker: Broker) -> None:
    publisher = client(broker, "platform-ingest")
    publisher.max_inflight_messages_set(LOTS)
    publisher.connect(broker.host, broker.port)
    publisher.loop_start()
    sent = [
        publisher.publish(f"onelot/v1/state/370202-{number:04d}", b"{}", qos=1, retain=True)
        for number in range(LOTS)
    ]
    for message in sent:
        message.wait_for_publish(WAIT_S)
    topics: set[str] = set()
    whole = threading.Event()
    reader = client(broker, "platform-api")

    def on_message(_c: object, _u: object, message: mqtt.MQTTMessage) -> None:
        topics.add(message.topic)
        if len(topics) == LOTS:
            whole.set()

    reader.on_message = on_message
    reader.connect(broker.host, broker.port)
    reader.subscribe("onelot/v1/state/+", qos=1)
    reader.loop_start()
    whole.wait(WAIT_S)
    for one in (publisher, reader):
        one.disconnect()
        one.loop_stop()
    assert len(topics) == LOTS


def test_what_waits_in_the_broker_is_bounded_in_bytes(broker: Broker) -> None:
    """64 KiB messages while the ingester is away: the queue takes 128 MiB of them, no more."""
    broker.add_users("gw-test")

    def ingester(received: list[int], subscribed: threading.Event) -> mqtt.Client:
        made = client(broker, "platform-ingest")
        made.on_message = lambda _c, _u, message: received.append(len(message.payload))
        made.on_subscribe = lambda *_: subscribed.set()
        week = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        week.SessionExpiryInterval = 604_800
        made.connect(broker.host, broker.port, clean_start=False, properties=week)
        made.loop_start()
        made.subscribe("onelot/v1/feeds/#", qos=1)
        return made

    def end(made: mqtt.Client) -> None:
        made.disconnect()
        made.loop_stop()

    subscribed = threading.Event()
    away = ingester([], subscribed)
    assert subscribed.wait(WAIT_S)
    end(away)
    gateway = client(broker, "gw-test")
    gateway.connect(broker.host, broker.port)
    gateway.loop_start()
    large = bytes(65_536)
    sent = [gateway.publish("onelot/v1/feeds/gw-test/a/spaces", large, 1) for _ in range(2200)]
    for message in sent:
        message.wait_for_publish(WAIT_S)
    end(gateway)
    assert broker._server is not None
    assert psutil.Process(broker._server.process.pid).memory_info().rss < 200 * 1024**2
    received: list[int] = []
    back = ingester(received, threading.Event())
    wait_until(lambda: len(received) == 2048, "the queue", WAIT_S)
    end(back)


def test_retained_messages_survive_a_shutdown(broker: Broker) -> None:
    def write() -> None:
        publisher = client(broker, "platform-ingest")
        publisher.connect(broker.host, broker.port)
        publisher.loop_start()
        publisher.publish("onelot/v1/state/a", b"kept", 1, retain=True).wait_for_publish(WAIT_S)
        publisher.disconnect()
        publisher.loop_stop()

    write()
    broker.stop()
    broker.start()
    received: list[bytes | bytearray] = []
    reader = client(broker, "platform-api")

    def on_message(_c: object, _u: object, message: mqtt.MQTTMessage) -> None:
        received.append(message.payload)
        reader.disconnect()

    reader.on_message = on_message
    reader.connect(broker.host, broker.port)
    reader.subscribe("onelot/v1/state/a", qos=1)
    reader.loop_forever()
    assert received == [b"kept"]


def test_a_client_cannot_take_another_users_session(broker: Broker) -> None:
    broker.add_users("gw-a", "gw-b")
    first = client(broker, "gw-a")
    up = threading.Event()
    lost: list[ReasonCode] = []
    first.on_connect = lambda *_: up.set()
    first.on_disconnect = lambda *details: lost.append(details[3])
    first.connect(broker.host, broker.port)
    first.loop_start()
    assert up.wait(WAIT_S)
    reason = connected(broker, "gw-b")
    assert reason is not None
    assert not reason.is_failure
    assert first.is_connected()
    assert not lost
    first.disconnect()
    first.loop_stop()
