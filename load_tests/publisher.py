"""A lean engine for the ingest benchmark: `python -m load_tests.publisher PLAN DIRECTORY`.

Some thousand messages a second with their acks are more than Locust's events can count beside the
platform on two cores, so here paho publishes alone. Into the directory it writes `samples.npz`
and `outcome.json`, as the swarm does, and at its standard output `ready` when every lot has told
its state: it begins when it then reads a line.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from threading import Event, Lock
from time import perf_counter
from typing import Any, Final

from paho.mqtt.client import MQTTMessage

from load_tests.feeding import GatewayFeed, Message, Settled
from load_tests.kinds import ACK, APPLIED, HELD_BACK
from load_tests.plan import Plan
from load_tests.samples import Recorder
from load_tests.sockets import connected, leave
from load_tests.target import Gateway

_OPENING_WITHIN_S: Final = 120.0
_LAST_ACKS_WITHIN_S: Final = 20.0
_OPENING_IN_FLIGHT: Final = 8
_TICK_S: Final = 0.005


class NotAckedError(Exception):
    """Not every lot's first snapshot was acked in time, so that nothing was measured."""


class Publisher:
    """One gateway's connection; paho's own thread hears the acks."""

    def __init__(self, plan: Plan, gateway: Gateway, recorder: Recorder) -> None:
        random = Random(f"{plan.seed}.{gateway.username}")  # noqa: S311 - load, no secret
        self.feed = GatewayFeed(gateway.username, plan.lots_of(gateway), int(time.time()), random)
        self.counted: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self._recorder, self._lock, self._listening = recorder, Lock(), Event()
        at, login = (plan.mqtt_host, plan.mqtt_port), (gateway.username, gateway.password)
        self._client = connected(at, login, self._hear, self._listening, self._lost)

    def open(self, deadline: float) -> None:
        """Tell every lot's state, and wait for the acks.

        Raises:
            NotAckedError: They do not come before the deadline (`perf_counter`).
        """
        if not self._listening.wait(deadline - perf_counter()):
            raise NotAckedError(self.feed.gateway)
        for message in self.feed.opening(perf_counter):
            self._publish(message)
            self._await(_OPENING_IN_FLIGHT, deadline)
        self._await(1, deadline)

    def change(self, bays: int, due_s: float | None = None) -> None:
        """Let some bays of the next lot change.

        Args:
            bays: How many.
            due_s: From when on its latency counts (`perf_counter`); now if None.
        """
        with self._lock:
            message = self.feed.change(bays, perf_counter() if due_s is None else due_s)
        if message is None:
            self.counted[HELD_BACK] += 1
            return
        self._publish(message)

    def close(self, deadline: float) -> None:
        """Wait for the last acks, and leave; what does not come is a problem."""
        while self.feed.in_flight and perf_counter() < deadline:
            time.sleep(_TICK_S)
        self.problems["no ack came"] += len(self.feed.abandon())
        leave(self._client)

    def _publish(self, message: Message) -> None:
        self.counted["messages sent"] += 1
        self._client.publish(message.topic, message.payload, qos=1)

    def _await(self, below: int, deadline: float) -> None:
        while self.feed.in_flight >= below:
            if perf_counter() > deadline:
                raise NotAckedError(self.feed.gateway)
            time.sleep(0.001)

    def _lost(self) -> None:
        self.problems["connection lost"] += 1

    def _hear(self, message: MQTTMessage) -> None:
        with self._lock:
            settled = self.feed.settle(message.topic, message.payload, perf_counter())
        if settled is not None:
            self._note(settled)

    def _note(self, settled: Settled) -> None:
        if settled.problem is None:
            self.counted[f"{APPLIED}, {settled.sent.kind}"] += settled.sent.observations
            self.counted[f"messages applied, {settled.sent.kind}"] += 1
        else:
            self.problems[settled.problem] += 1
        self._recorder.add(f"{ACK} {settled.sent.kind}", time.time(), settled.latency_s * 1000)


def run(plan: Plan, directory: Path) -> None:
    """Publish at the plan's rate of observations."""
    recorder = Recorder()
    publishers = [Publisher(plan, gateway, recorder) for gateway in plan.gateways]
    deadline = perf_counter() + _OPENING_WITHIN_S
    for publisher in publishers:
        publisher.open(deadline)
    print("ready", flush=True)  # noqa: T201 - the word that the starter waits for
    sys.stdin.readline()
    started_s = time.time()
    _publish_all(plan, publishers)
    ended_s = time.time()
    deadline = perf_counter() + _LAST_ACKS_WITHIN_S
    for publisher in publishers:
        publisher.close(deadline)
    recorder.samples().save(directory / "samples.npz")
    outcome = _outcome(publishers, started_s + plan.warm_up_s, ended_s)
    (directory / "outcome.json").write_text(json.dumps(outcome, indent=1), encoding="utf-8")


def _publish_all(plan: Plan, publishers: list[Publisher]) -> None:
    """Keep to a constant rate, by the clock; each lot in its turn."""
    turn = [one for one in publishers for _ in range(one.feed.sensing_lots)]
    Random(plan.seed).shuffle(turn)  # noqa: S311 - load, no secret
    per_s = plan.mix.observations_per_s / plan.mix.bays_per_message
    started, number = perf_counter(), 0
    while (passed := perf_counter() - started) < plan.warm_up_s + plan.duration_s:
        if number >= passed * per_s:
            time.sleep(_TICK_S)
        else:
            turn[number % len(turn)].change(plan.mix.bays_per_message)
            number += 1


def _outcome(publishers: list[Publisher], started_s: float, ended_s: float) -> dict[str, Any]:
    counted: Counter[str] = sum((one.counted for one in publishers), Counter())
    problems: Counter[str] = sum((one.problems for one in publishers), Counter())
    return {
        "started_s": started_s,
        "ended_s": ended_s,
        "requests": counted["messages sent"],
        "failures": [
            {"name": ACK, "problem": problem, "times": times} for problem, times in problems.items()
        ],
        "counted": dict(counted),
    }


if __name__ == "__main__":
    run(Plan.read(Path(sys.argv[1])), Path(sys.argv[2]))
