"""One hostile gateway, as a process: `python -m load_tests.fuzz_sender PLAN DIRECTORY`.

It says that it is ready. Then it reads at its standard input how many messages to send next, a line
each, and answers each line, once all acks have come or are too late, with one line of JSON: how the
messages ended so far.
"""

import json
import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Condition, Event
from typing import Final

from paho.mqtt.client import MQTTMessage

from load_tests.fuzz_checks import Checked, ack_problem, expects_ack
from load_tests.mutations import kind_for, mutate, valid
from load_tests.plan import Plan
from load_tests.sockets import connected, leave

_LISTENING_WITHIN_S: Final = 20.0
_RETAINED_SHARE: Final = 0.02
_VALID_SHARE: Final = 0.05
_NICENESS: Final = 5
# Most messages that wait for their acks, and how long the last may take.
_WINDOW: Final = 500
_ACK_WITHIN_S: Final = 60.0
_MOST_AHEAD_S: Final = 80_000


class Sender:
    """The connection of a plan's only gateway; paho's own thread hears the acks.

    It sends as many messages a second as its plan has observations; fewer where acks come more
    slowly. The plan's seed, with a message's number, gives all of its content.

    Attributes:
        sent: Messages published.
        mutations: How often each mutation was used.
        checked: How they ended, and what was wrong.
    """

    def __init__(self, plan: Plan) -> None:
        self.sent = 0
        self.mutations: Counter[str] = Counter()
        self.checked = Checked()
        (gateway,) = plan.gateways
        self._plan, self._epoch = plan, int(time.time())
        self._username, self._lots = gateway.username, plan.lots_of(gateway)
        # By ack topic: acks that are still to come.
        self._open: Counter[str] = Counter()
        self._waiting = 0
        self._heard, self._listening = Condition(), Event()
        self._client = connected(plan.mqtt, gateway, self._hear, self._listening, self._lost)

    def send(self, number: int) -> None:
        """Send so many messages, and wait for their acks; what does not come is a problem."""
        if not self._listening.wait(_LISTENING_WITHIN_S):
            self.checked.note("the broker did not let us listen", self._username)
            return
        started = time.perf_counter()
        for index in range(number):
            pause_s = started + index / self._plan.mix.observations_per_s - time.perf_counter()
            if pause_s > 0:
                time.sleep(pause_s)
            if not self._await(_WINDOW):
                break
            self._send_one()
        self._await(1)
        self._note_open()

    def close(self) -> None:
        """Leave."""
        leave(self._client)

    def _note_open(self) -> None:
        with self._heard:
            for topic, missing in self._open.items():
                if missing:
                    how = "did not come" if missing > 0 else "too many"
                    self.checked.note(f"{abs(missing)} acks {how}", topic[:200])
            self._open.clear()
            self._waiting = 0

    def _await(self, below: int) -> bool:
        """Wait until fewer messages than this wait for their acks; False where they never do."""
        with self._heard:
            return self._heard.wait_for(lambda: self._waiting < below, _ACK_WITHIN_S)

    def _send_one(self) -> None:
        self.sent += 1
        random = Random(f"{self._plan.seed}.{self.sent}")  # noqa: S311 - load, no secret
        topic, payload = self._make(random)
        if expects_ack(topic, payload):
            _, _, _, gateway, lot, _ = topic.split("/")
            with self._heard:
                self._open[f"onelot/v1/acks/{gateway}/{lot}"] += 1
                self._waiting += 1
        # An empty message that is retained would only clear what is retained.
        retain = bool(payload) and random.random() < _RETAINED_SHARE
        self._client.publish(topic, payload, qos=random.choice((0, 1, 1, 2)), retain=retain)

    def _make(self, random: Random) -> tuple[str, bytes]:
        lot = random.choice(self._lots)
        sample = valid(
            lot.lot_id,
            kind_for(lot.reporting, random),
            lot.capacity,
            order=(self._epoch, self.sent),
            at=datetime.now(UTC),
            random=random,
        )
        name = "valid"
        if random.random() >= _VALID_SHARE:
            name, sample = mutate(sample, random)
        self.mutations.update(name.split("+"))
        return f"onelot/v1/feeds/{self._username}/{sample.lot}/{sample.kind}", sample.payload

    def _lost(self) -> None:
        self.checked.note("the connection was lost", self._username)

    def _hear(self, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        ack = json.loads(payload)
        with self._heard:
            self.checked.results[ack.get("reason") or ack["result"]] += 1
            if ack["result"] == "superseded":
                # A broken number of ours has been taken: from here on we number above it.
                ahead = int(time.time()) + _MOST_AHEAD_S
                self._epoch = min(max(self._epoch, ack["last"]["epoch"] + 1), ahead)
            if problem := ack_problem(payload):
                self.checked.note(problem, f"{message.topic[:100]} {payload!r}")
            self._open[message.topic] -= 1
            self._waiting -= 1
            self._heard.notify_all()


def main(plan: Plan) -> None:
    """Send what is asked for, line by line."""
    # What makes load gives way to what is measured.
    os.nice(_NICENESS)
    sender = Sender(plan)
    print("ready", flush=True)  # noqa: T201 - the word that the starter waits for
    for line in sys.stdin:
        sender.send(int(line))
        answer = {
            "sent": sender.sent,
            "mutations": sender.mutations,
            "results": sender.checked.results,
            "problems": sender.checked.problems,
        }
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer to each line
    sender.close()


if __name__ == "__main__":
    main(Plan.read(Path(sys.argv[1])))
