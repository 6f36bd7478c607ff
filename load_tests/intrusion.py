"""Reports of a gateway for other operators' lots, under its own name, with no rights at the broker.

    python -m load_tests.intrusion [--times 10000] [--lots 60]

Whose lot it is that a gateway reports for, the ingester decides. In a city of its own this switches
the broker's list of rights off, so that nothing but the ingester stands between a gateway and
others' lots; the simulator pauses, so that nobody else changes them.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition
from typing import Any, Final

import asyncpg
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTProtocolVersion

from load_tests import rig
from load_tests.catalogue import Lot, read_catalogue
from load_tests.forgeries import ROOT, VERSIONS, Door, await_that, client, connect, end
from load_tests.mutations import valid
from load_tests.target import Target

NO_RIGHTS: Final = "pattern readwrite #\n"
FOREIGN: Final = "rejected foreign_lot"
_WINDOW: Final = 500
_WITHIN_S: Final = 60.0
_SETTLED_S: Final = 2.0


@dataclass
class Intrusion:
    """What came of it.

    Attributes:
        sent: Reports.
        acks: How often each result was acked; with the reason of refusals.
        heard: States of lots that the gateway has heard, which its rights would keep from it.
    """

    sent: int = 0
    acks: Counter[str] = field(default_factory=Counter)
    heard: int = 0


def lift_rights(broker: Path) -> None:
    """Let everybody who has a password publish and hear everything.

    Args:
        broker: The directory of a running broker.
    """
    (broker / "acl").write_text(NO_RIGHTS)
    os.kill(int((broker / "broker.pid").read_text()), signal.SIGHUP)


class Intruder:
    """A gateway that reports for lots of others."""

    def __init__(self, door: Door, gateway: str, lots: Sequence[Lot], rng: random.Random) -> None:
        self.found = Intrusion()
        self._door, self._gateway, self._lots, self._rng = door, gateway, lots, rng
        self._epoch = int(time.time())
        self._changed = Condition()

    def report(self, number: int) -> Intrusion:
        """Send so many reports, by both protocol versions in turn, and wait for all acks.

        Raises:
            NotInTimeError: The rights are not lifted, or acks do not come.
        """
        for place, version in enumerate(VERSIONS):
            part = number * (place + 1) // len(VERSIONS) - number * place // len(VERSIONS)
            self._report_by(version, [self._rng.choice(self._lots) for _ in range(part)])
        return self.found

    def report_own(self, lot: Lot) -> Intrusion:
        """Send one report for a lot of its own, which is applied: the others were as good."""
        self._report_by(VERSIONS[0], [lot])
        return self.found

    def _report_by(self, version: MQTTProtocolVersion, lots: Sequence[Lot]) -> None:
        one = client(self._door, self._gateway, version)
        one.on_message = self._hear
        connect(one, self._door)
        heard = self.found.heard
        one.subscribe([(f"{ROOT}/state/#", 0), (f"{ROOT}/acks/{self._gateway}/#", 1)])
        await_that(lambda: self.found.heard > heard, "a state, which rights would keep from it")
        for lot in lots:
            self._await(_WINDOW)
            self._send(one, lot)
        self._await(1)
        end(one)

    def _await(self, below: int) -> None:
        with self._changed:
            came = self._changed.wait_for(
                lambda: self.found.sent - self.found.acks.total() < below, _WITHIN_S
            )
        await_that(lambda: came, "acks")

    def _send(self, one: Client, lot: Lot) -> None:
        self.found.sent += 1
        kinds = ("count",) if lot.reporting == "count" else ("spaces", "snapshot")
        sample = valid(
            lot.lot_id,
            self._rng.choice(kinds),
            lot.capacity,
            order=(self._epoch, self.found.sent),
            at=datetime.now(UTC),
            random=self._rng,
        )
        topic = f"{ROOT}/feeds/{self._gateway}/{sample.lot}/{sample.kind}"
        # Not retained: the broker would send the last of each topic again.
        one.publish(topic, sample.payload, self._rng.randrange(3))

    def _hear(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        with self._changed:
            if message.topic.startswith(f"{ROOT}/acks/"):
                ack: dict[str, Any] = json.loads(message.payload)
                self.found.acks[f"{ack['result']} {ack.get('reason', '')}".strip()] += 1
                self._changed.notify_all()
            else:
                self.found.heard += 1


async def states(database_url: str, operator_id: str) -> list[Any]:
    """Read the states of all lots but an operator's own."""
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetch(
            "SELECT s::text FROM lot_state AS s INNER JOIN lot USING (lot_id)"
            " WHERE operator_id <> $1 ORDER BY lot_id",
            operator_id,
        )
    finally:
        await connection.close()


def settled(target: Target, operator_id: str) -> list[Any]:
    """Read the same once they do not change any more: what was on its way has come."""
    while True:
        before = asyncio.run(states(target.database_url, operator_id))
        time.sleep(_SETTLED_S)
        if asyncio.run(states(target.database_url, operator_id)) == before:
            return before


def run(directory: Path, number: int) -> int:
    """Try it in the city in a directory; 1 where a report for another's lot was applied."""
    target = Target.of(directory)
    gateway = next(each for each in target.gateways if not each.simulated)
    lots = read_catalogue(target.http)
    own = next(lot for lot in lots if lot.lot_id in gateway.lots)
    foreign = [lot for lot in lots if lot.operator_id != own.operator_id]
    door = Door(target.mqtt.port, lambda _: gateway.password, target.mqtt.host)
    lift_rights(directory / "broker")
    with rig.simulator_aside(target):
        before = settled(target, own.operator_id)
        rng = random.Random(1)  # noqa: S311 - to repeat it
        intruder = Intruder(door, gateway.username, foreign, rng)
        found = replace(intruder.report(number), acks=Counter(intruder.found.acks))
        are_same = settled(target, own.operator_id) == before
        is_applied = intruder.report_own(own).acks["applied"] == 1
    rig.say(
        f"{found.sent:,} reports for {len(foreign)} lots of others: {dict(found.acks)};"
        f" their states {'are the same' if are_same else 'HAVE CHANGED'};"
        f" one for its own lot was {'applied' if is_applied else 'NOT APPLIED'}"
    )
    return 0 if are_same and is_applied and found.acks == {FOREIGN: number} else 1


def main(argv: list[str] | None = None) -> int:
    """Run against a city of our own; 1 if a report for another's lot was applied."""
    return rig.scenario("load_tests.intrusion", __doc__, run, 10_000, argv)


if __name__ == "__main__":
    sys.exit(main())
