"""What was issued, held against a real broker: it lets in and lets through what it should."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from queue import Queue

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from deploy import broker as mosquitto
from deploy.accounts import server_account
from deploy.ports import any_free
from ingest_mqtt.wire import ROOT
from parking_api.operators.command import reload_broker
from parking_api.operators.credentials import Places, issue
from sql.engine import Db
from tests.parking_api.import_files import PLATFORM
from tests.running import RunningBroker, running_broker

# Reason code of MQTT 5.
NOT_AUTHORISED = 135
# The broker took it, and nobody was there to hear it.
ACCEPTED = 16


def passwords(places: Places) -> dict[str, str]:
    """The issued passwords by gateway."""
    document = json.loads(places.file.read_text())
    return {entry["username"]: entry["password"] for entry in document["gateways"]}


class Session:
    """An MQTT 5 session of one user: what the broker answered, what it delivered."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self.codes: Queue[int] = Queue()
        self.heard: Queue[str] = Queue()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=MQTTv5)
        self.client.username_pw_set(user, password)
        self.client.on_connect = lambda *answer: self.codes.put(answer[3].value)
        self.client.on_publish = lambda *answer: self.codes.put(answer[3].value)
        self.client.on_subscribe = lambda *answer: self.codes.put(answer[3][0].value)
        self.client.on_message = lambda *delivered: self.heard.put(delivered[2].topic)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.connected = self.codes.get(timeout=5.0)

    def publish(self, topic: str) -> int:
        """Publish at QoS 1; return the reason code of the PUBACK."""
        self.client.publish(topic, "x", qos=1)
        return self.codes.get(timeout=5.0)

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)
        assert self.codes.get(timeout=5.0) == 1

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
async def broker(small_city: Db, places: Places) -> AsyncIterator[RunningBroker]:
    """A broker with the users and rights that were issued for the small city."""
    await issue(small_city, places, PLATFORM)
    account = server_account(mosquitto.SYSTEM_USER)
    with running_broker(places.broker_directory, account, any_free()) as running:
        yield running


@pytest.fixture
def log_in(broker: RunningBroker, places: Places) -> Iterator[Callable[..., Session]]:
    """Open sessions, with the issued password unless another is given."""
    known = passwords(places) | PLATFORM
    opened = []

    def open_session(user: str, password: str | None = None) -> Session:
        session = Session(broker.port, user, password or known[user])
        opened.append(session)
        return session

    yield open_session
    for session in opened:
        session.close()


def test_the_broker_accepts_the_passwords_and_no_others(log_in: Callable[..., Session]) -> None:
    users = ("gw-a1", "gw-a2", "gw-b1", "platform-ingest", "platform-api", "platform-push")

    assert [log_in(user).connected for user in users] == [0] * 6
    assert log_in("gw-a1", "wrong").connected == NOT_AUTHORISED
    assert log_in("nobody", "wrong").connected == NOT_AUTHORISED


WRITES = [
    ("gw-a1", "feeds/gw-a1/370202-0001/spaces", ACCEPTED),
    ("gw-a1", "feeds/gw-a1/370202-0001/status", ACCEPTED),
    ("gw-a1", "feeds/gw-a1/370202-0002/count", ACCEPTED),  # its operator's, another gateway's
    # Another operator's, and one that nobody knows: the platform says so in its ack.
    ("gw-a1", "feeds/gw-a1/370203-0001/spaces", ACCEPTED),
    ("gw-a1", "feeds/gw-a1/nowhere/snapshot", ACCEPTED),
    ("gw-a1", "feeds/gw-a1/370202-0001/plates", NOT_AUTHORISED),
    ("gw-a1", "heartbeat/ingest", NOT_AUTHORISED),
    ("gw-a1", "feeds/gw-a2/370202-0002/count", NOT_AUTHORISED),
    ("gw-a1", "feeds/gw-a1/370202-0001/spaces/more", NOT_AUTHORISED),
    ("gw-a1", "feeds/gw-a1/370202-0001", NOT_AUTHORISED),
    ("gw-a1", "acks/gw-a1/370202-0001", NOT_AUTHORISED),
    ("gw-a1", "state/370202-0001", NOT_AUTHORISED),
    ("platform-ingest", "acks/gw-a1/370202-0001", ACCEPTED),
    ("platform-ingest", "state/370202-0001", ACCEPTED),
    # It clears what was published with the retain flag.
    ("platform-ingest", "feeds/gw-a1/370202-0001/spaces", ACCEPTED),
    ("platform-ingest", "heartbeat/ingest", ACCEPTED),
    ("platform-api", "state/370202-0001", NOT_AUTHORISED),
    ("platform-api", "acks/gw-a1/370202-0001", NOT_AUTHORISED),
    ("platform-api", "push/gw-a1/370202-0001/spaces", NOT_AUTHORISED),
    # It hands on what any gateway has posted, and does nothing else in a gateway's name.
    ("platform-push", "push/gw-a1/370202-0001/spaces", ACCEPTED),
    ("platform-push", "push/gw-b1/370203-0001/snapshot", ACCEPTED),
    ("platform-push", "push/gw-a1/370202-0001/status", NOT_AUTHORISED),
    ("platform-push", "push/gw-a1/370202-0001", NOT_AUTHORISED),
    ("platform-push", "feeds/gw-a1/370202-0001/spaces", NOT_AUTHORISED),
    ("platform-push", "acks/gw-a1/370202-0001", NOT_AUTHORISED),
    ("platform-push", "push-acks/1", NOT_AUTHORISED),
    ("platform-push", "state/370202-0001", NOT_AUTHORISED),
    ("gw-a1", "push/gw-a1/370202-0001/spaces", NOT_AUTHORISED),
    ("gw-a1", "push-acks/1", NOT_AUTHORISED),
    ("platform-ingest", "push-acks/2", ACCEPTED),
    # It clears these too.
    ("platform-ingest", "push/gw-a1/370202-0001/spaces", ACCEPTED),
]


def test_everyone_writes_what_is_theirs_and_nothing_else(log_in: Callable[..., Session]) -> None:
    sessions = {user: log_in(user) for user in {user for user, _, _ in WRITES}}

    answers = [
        (user, topic, sessions[user].publish(f"{ROOT}/{topic}")) for user, topic, _ in WRITES
    ]

    assert answers == WRITES


def test_everyone_hears_what_is_theirs_and_nothing_else(log_in: Callable[..., Session]) -> None:
    gateway, other = log_in("gw-a1"), log_in("gw-b1")
    ingest, api = log_in("platform-ingest"), log_in("platform-api")
    push, push_2 = log_in("platform-push"), log_in("platform-push-2", PLATFORM["platform-push"])
    for session in (gateway, other, ingest, api, push, push_2):
        session.subscribe(f"{ROOT}/#")

    ingest.publish(f"{ROOT}/acks/gw-b1/370203-0001")
    ingest.publish(f"{ROOT}/acks/gw-a1/370202-0001")
    gateway.publish(f"{ROOT}/feeds/gw-a1/370202-0001/spaces")
    push.publish(f"{ROOT}/push/gw-a1/370202-0001/spaces")
    for number in (1, 2):
        ingest.publish(f"{ROOT}/push-acks/{number}")
    # Delivered to all but these two, and in order: what was theirs before it has arrived by then.
    ingest.publish(f"{ROOT}/state/370202-0001")

    def heard(session: Session, last: str = "state") -> list[str]:
        topics: list[str] = []
        while not topics or last not in topics[-1]:
            topics.append(session.heard.get(timeout=5.0).removeprefix(f"{ROOT}/"))
        return topics

    assert heard(gateway) == ["acks/gw-a1/370202-0001", "state/370202-0001"]
    assert heard(other) == ["acks/gw-b1/370203-0001", "state/370202-0001"]
    pushed = "push/gw-a1/370202-0001/spaces"
    assert heard(ingest) == ["feeds/gw-a1/370202-0001/spaces", pushed, "state/370202-0001"]
    assert heard(api) == ["state/370202-0001"]
    assert heard(push, "push-acks") == ["push-acks/1"]
    assert heard(push_2, "push-acks") == ["push-acks/2"]


async def test_a_running_broker_learns_of_new_gateways(
    small_city: Db, places: Places, broker: RunningBroker, tmp_path: Path
) -> None:
    run_file = tmp_path / "run.json"
    run_file.write_text(json.dumps({"processes": {"broker": broker.process.pid}}))
    await small_city.execute("INSERT INTO gateway VALUES ('gw-new', 'op-b')")
    await issue(small_city, places, PLATFORM)

    reload_broker(run_file)

    password = passwords(places)["gw-new"]
    deadline, code = time.monotonic() + 5.0, NOT_AUTHORISED
    while code and time.monotonic() < deadline:
        session = Session(broker.port, "gw-new", password)
        code = session.connected
        session.close()
    assert code == 0
