"""Forged publishes and stolen client ids: what a gateway with a good password tries at the broker.

    python -m load_tests.forgeries [--number 10000] [--thefts 1000]

It starts a broker of its own, with the platform's configuration and rights, listens as everybody
else, and says what was heard of the forgeries. Nothing may be.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Final

from paho.mqtt.client import Client, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from deploy import broker as mosquitto
from deploy.accounts import program, server_account
from deploy.children import stop
from deploy.ports import LOOPBACK, any_free, listens
from parking_api.operators.broker_files import PLATFORM_USERS, acl, mosquitto_hash, new_salt

VERSIONS: Final = (MQTTv311, MQTTv5)
ROOT: Final = "onelot/v1"
ATTACKER: Final = "gw-attacker"
VICTIM: Final = "gw-victim"
LOT: Final = "370202-0001"
MARK: Final = b"forged"
WILL_MARK: Final = b"forged by a last will"
# One in so many is a last will.
WILLS: Final = 20
WITHIN_S: Final = 30.0
# What each of those who listen may hear at all; together it is everything.
LISTENERS: Final = ("platform-ingest", "platform-api", "platform-push", VICTIM)


class NotInTimeError(Exception):
    """Something that must happen did not, in `WITHIN_S`; the message says what."""


@dataclass(frozen=True)
class Door:
    """Where the broker is, and everybody's password."""

    port: int
    password: Callable[[str], str]
    host: str = LOOPBACK


@dataclass(frozen=True)
class Forgery:
    """A publish that the attacker may not make."""

    topic: str
    version: MQTTProtocolVersion
    qos: int
    retain: bool
    is_will: bool


def topics(attacker: str = ATTACKER, victim: str = VICTIM, lot: str = LOT) -> list[str]:
    """Return topics that are not the attacker's, of each kind that there is."""
    kinds = ("spaces", "snapshot", "count", "status")
    return [
        *(f"{ROOT}/feeds/{victim}/{lot}/{kind}" for kind in kinds),
        *(f"{ROOT}/push/{name}/{lot}/spaces" for name in (attacker, victim)),
        *(f"{ROOT}/feeds/{attacker}/{lot}{end}" for end in ("", "/plates", "/spaces/more", "//")),
        *(f"{ROOT}/acks/{name}/{lot}" for name in (attacker, victim)),
        *(f"{ROOT}/push-acks/{number}" for number in (1, 2)),
        *(f"{ROOT}/state/{lot}", f"{ROOT}/state", f"{ROOT}/heartbeat/ingest"),
        *("$SYS/broker/uptime", "$SYS/broker/clients/total", "$share/all/onelot", "/", "x"),
    ]


def forgeries(number: int, rng: random.Random) -> Iterator[Forgery]:
    """Make forgeries, each topic by both versions, at all levels, retained or not."""
    known = topics()
    for count in range(number):
        yield Forgery(
            known[count % len(known)],
            rng.choice(VERSIONS),
            rng.randrange(3),
            rng.choice((False, True)),
            count % WILLS == 0,
        )


def client(door: Door, user: str, version: MQTTProtocolVersion, client_id: str = "") -> Client:
    """Make a client of a user, not connected yet."""
    made = Client(CallbackAPIVersion.VERSION2, client_id=client_id or user, protocol=version)
    made.username_pw_set(user, door.password(user))
    return made


def connect(made: Client, door: Door) -> Client:
    """Connect a client, and keep it in a thread of its own."""
    made.connect(door.host, door.port)
    made.loop_start()
    await_that(made.is_connected, "a connection")
    return made


def end(made: Client) -> None:
    """Disconnect a client, and end its thread."""
    made.disconnect()
    made.loop_stop()


def await_that(condition: Callable[[], object], what: str) -> None:
    """Wait for something.

    Raises:
        NotInTimeError: It does not happen.
    """
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        if time.monotonic() > deadline:
            raise NotInTimeError(what)
        time.sleep(0.005)


@contextmanager
def listening(door: Door) -> Iterator[list[MQTTMessage]]:
    """Listen as everybody but the attacker; yields what is heard."""
    heard: list[MQTTMessage] = []
    everybody = []
    for user in LISTENERS:
        subscribed: list[object] = []
        one = client(door, user, MQTTv5)
        one.on_message = lambda _c, _u, message: heard.append(message)
        one.on_subscribe = lambda *_, said=subscribed: said.append(1)
        connect(one, door)
        one.subscribe([("#", 1), ("$SYS/#", 1)])
        await_that(lambda said=subscribed: said, "a subscription")  # type: ignore[misc]
        everybody.append(one)
    try:
        yield heard
    finally:
        for one in everybody:
            end(one)


def attack(door: Door, tried: Iterator[Forgery]) -> int:
    """Make every forgery, and one publish that is good after them.

    Returns:
        How many forgeries were made.
    """
    made = 0
    senders: dict[MQTTProtocolVersion, Client] = {}
    for forgery in tried:
        made += 1
        if forgery.is_will:
            for sender in senders.values():
                end(sender)
            senders.clear()
            _die(door, forgery)
            continue
        if forgery.version not in senders:
            for sender in senders.values():
                end(sender)
            senders = {forgery.version: connect(client(door, ATTACKER, forgery.version), door)}
        (sender,) = senders.values()
        sent = sender.publish(forgery.topic, MARK, forgery.qos, forgery.retain)
        if forgery.qos:
            sent.wait_for_publish(WITHIN_S)
    for sender in senders.values():
        end(sender)
    last = connect(client(door, ATTACKER, MQTTv5), door)
    last.publish(own_topic(), b"good", 1).wait_for_publish(WITHIN_S)
    end(last)
    return made


def heard_of(door: Door, tried: Iterator[Forgery]) -> tuple[int, list[MQTTMessage]]:
    """Attack, and listen: while it goes on, and anew after it, for what the broker has kept.

    Returns:
        How many forgeries were made, and those that somebody heard.
    """
    made, now = _heard(door, tried)
    _, later = _heard(door, iter(()))
    return made, [one for one in now + later if one.payload in (MARK, WILL_MARK)]


def _heard(door: Door, tried: Iterator[Forgery]) -> tuple[int, list[MQTTMessage]]:
    with listening(door) as heard:
        made = attack(door, tried)
        await_that(lambda: any(one.topic == own_topic() for one in heard), "the good one")
    return made, heard


def own_topic() -> str:
    """Return a topic that is the attacker's own."""
    return f"{ROOT}/feeds/{ATTACKER}/{LOT}/spaces"


def _die(door: Door, forgery: Forgery) -> None:
    """Connect with a will and vanish; who comes next under the name finds it carried out."""
    dying = client(door, ATTACKER, forgery.version)
    dying.will_set(forgery.topic, WILL_MARK, forgery.qos, forgery.retain)
    # Without a thread: a client that has one would say goodbye, or connect again.
    dying.connect(door.host, door.port)
    await_that(lambda: dying.loop(0.01) is None or dying.is_connected(), "a connection")
    sock = dying.socket()
    if sock is not None:
        sock.close()


def steal(door: Door, number: int, rng: random.Random) -> int:
    """Connect under the victim's client id with the attacker's password.

    Returns:
        How often the victim, who is connected all the time, lost its connection.
    """
    lost: list[object] = []
    victim = client(door, VICTIM, MQTTv5)
    victim.on_disconnect = lambda *answer: lost.append(answer)
    connect(victim, door)
    for _ in range(number):
        end(connect(client(door, ATTACKER, rng.choice(VERSIONS), VICTIM), door))
    found = len(lost)
    heard: list[object] = []
    victim.on_publish = lambda *_: heard.append(1)
    victim.publish(f"{ROOT}/feeds/{VICTIM}/{LOT}/spaces", b"good", 1)
    await_that(lambda: heard, "the victim's own report")
    end(victim)
    return found


@contextmanager
def own_broker(directory: Path) -> Iterator[Door]:
    """Run a broker with the platform's users and two gateways."""
    account, port, salt = server_account(mosquitto.SYSTEM_USER), any_free(), new_salt()
    mosquitto.prepare(directory, account, port)
    users = (*PLATFORM_USERS, ATTACKER, VICTIM)
    lines = [f"{user}:{mosquitto_hash(f'secret-{user}', salt)}\n" for user in users]
    (directory / "passwd").write_text("".join(lines))
    (directory / "acl").write_text(acl([ATTACKER, VICTIM]))
    command = account.inside(directory, mosquitto.command(program("mosquitto")), "TERM")
    process = Popen(command, stdout=DEVNULL, stderr=DEVNULL, process_group=0)
    try:
        await_that(lambda: listens(process.pid, port), "the broker")
        yield Door(port, lambda user: f"secret-{user}")
    finally:
        stop(process, signal.SIGTERM)


def main(argv: list[str] | None = None) -> int:
    """Attack; exit status 1 when anything was heard or lost."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.forgeries")
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--thefts", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    rng = random.Random(options.seed)  # noqa: S311 - to repeat it
    with tempfile.TemporaryDirectory() as home, own_broker(Path(home) / "broker") as door:
        made, heard = heard_of(door, forgeries(options.number, rng))
        forged = sorted({one.topic for one in heard})
        lost = steal(door, options.thefts, rng)
    sys.stdout.write(
        f"{made} forged publishes, {len(forged)} topics heard {forged};"
        f" {options.thefts} thefts of a client id, {lost} connections lost\n"
    )
    return 1 if forged or lost else 0


if __name__ == "__main__":
    sys.exit(main())
