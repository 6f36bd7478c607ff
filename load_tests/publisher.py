"""The operators' gateways as one process: `python -m load_tests.publisher PLAN DIRECTORY`.

A message's latency is from publishing to the platform's ack, which comes after COMMIT; an ack that
says anything but `applied` is a failure, and so is one that does not come. Some thousand messages a
second with their acks are more than Locust's events can count beside the platform on two cores, so
here paho publishes alone. Into the directory it writes `samples.npz` and `outcome.json`, as the
swarm does. It writes `ready` to its standard output when all lots have reported their state and got
their acks; it begins at the next line of its standard input, and ends early at one more. Then it
writes `acked`, and puts back what it has changed: at a line if none has come yet, or at a signal.
"""

import os
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from threading import Event, Lock
from time import perf_counter
from typing import Final

import numpy as np
from paho.mqtt.client import MQTTMessage

from load_tests.feeding import BUSY, GatewayFeed, Message
from load_tests.kinds import ACK, APPLIED, HELD_BACK, RECONNECT, RESYNC
from load_tests.plan import Plan
from load_tests.samples import Recorder, write_outcome
from load_tests.sockets import come_back, connected, leave
from load_tests.target import TargetError
from simulators.registry import Credentials

_OPENING_WITHIN_S: Final = 120.0
_LAST_ACKS_WITHIN_S: Final = 20.0
_PUT_BACK_WITHIN_S: Final = 60.0
_OPENING_IN_FLIGHT: Final = 8
_TICK_S: Final = 0.005
_LOOK_EVERY_S: Final = 0.1
# Of the bays, while a storm's gateways are cut off.
_DRIFT: Final = 0.05


class NotAckedError(TargetError):
    """Not every lot's first snapshot was acked in time, so that nothing was measured."""


class Publisher:
    """One gateway's connection; paho's own thread hears the acks.

    Args:
        plan: Where the broker is, and the lots.
        gateway: One of the plan's.
        recorder: Gets the time until each ack.
        acks: What the recorder's kinds begin with.
        busy: Share of bays that are occupied at first.

    Attributes:
        feed: What the gateway says.
        counted: How often what happened.
        problems: How often what went wrong.
    """

    def __init__(
        self,
        plan: Plan,
        gateway: Credentials,
        recorder: Recorder,
        acks: str = ACK,
        *,
        busy: float = BUSY,
    ) -> None:
        random = Random(f"{plan.seed}.{gateway.username}")  # noqa: S311 - load, no secret
        lots, epoch = plan.lots_of(gateway), int(time.time())
        self.feed = GatewayFeed(gateway.username, lots, epoch, random, busy=busy)
        self.counted: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self._recorder, self._acks = recorder, acks
        self._lock, self._listening = Lock(), Event()
        self._client = connected(plan.mqtt, gateway, self._hear, self._listening, self._lost)

    def open(self, deadline: float) -> None:
        """Report every lot's state, and wait for the acks.

        Raises:
            NotAckedError: They do not come before the deadline (`perf_counter`).
        """
        if not self._listening.wait(deadline - perf_counter()):
            raise NotAckedError(f"no acks for the lots of {self.feed.gateway}")
        self._report(self.feed.opening(perf_counter), deadline)
        self._await(1, deadline)

    def change(self, bays: int, from_s: float) -> None:
        """Let some bays of the next lot change.

        Args:
            bays: How many.
            from_s: When its latency begins (`perf_counter`).
        """
        with self._lock:
            message = self.feed.change(bays, from_s)
        if message is None:
            self.counted[HELD_BACK] += 1
            return
        self.publish(message)

    def count(self) -> None:
        """Report the count of the next lot that counts at its gates, if there is one."""
        with self._lock:
            message = self.feed.count(perf_counter())
        if message is not None:
            self.publish(message)

    def park(self, lot_id: str, arrivals: int, departures: int) -> None:
        """Report drivers who came to a lot, and who left it."""
        with self._lock:
            message = self.feed.park(lot_id, arrivals, departures, perf_counter())
        if message is not None:
            self.publish(message)

    def reconnect(self, deadline: float) -> float:
        """Lose the connection, come back, and report every lot's state.

        Returns:
            When the first message left (`perf_counter`).

        Raises:
            NotAckedError: The broker does not let it in before the deadline (`perf_counter`).
        """
        self._listening.clear()
        come_back(self._client)
        self.feed.drift(_DRIFT)
        if not self._listening.wait(deadline - perf_counter()):
            raise NotAckedError(f"{self.feed.gateway} cannot connect again")
        first_s = perf_counter()
        with self._lock:
            messages = list(self.feed.opening(perf_counter))
        for message in messages:
            self.publish(message)
        return first_s

    def settle(self, deadline: float) -> None:
        """Wait for the acks of all messages; those that do not come are a problem."""
        while self.feed.in_flight and perf_counter() < deadline:
            time.sleep(_TICK_S)
        self.problems["no ack came"] += len(self.feed.abandon())

    def close(self, deadline: float) -> None:
        """Report what has changed as it was, wait for the last acks, and leave."""
        self.settle(deadline)
        try:
            self._report(self.feed.put_back(perf_counter), deadline)
        except NotAckedError as error:
            self.problems[str(error)] += 1
        self.settle(deadline)
        leave(self._client)

    def publish(self, message: Message) -> None:
        """Send a message of its feed."""
        self.counted["messages sent"] += 1
        self._client.publish(message.topic, message.payload, qos=1)

    def _report(self, messages: Iterator[Message], deadline: float) -> None:
        """Send one message after another, few at a time."""
        for message in messages:
            self.publish(message)
            self._await(_OPENING_IN_FLIGHT, deadline)

    def _await(self, below: int, deadline: float) -> None:
        while self.feed.in_flight >= below:
            if perf_counter() > deadline:
                raise NotAckedError(f"no acks for the lots of {self.feed.gateway}")
            time.sleep(0.001)

    def _lost(self) -> None:
        self.problems["connection lost"] += 1

    def _hear(self, message: MQTTMessage) -> None:
        with self._lock:
            settled = self.feed.settle(message.topic, message.payload, perf_counter())
        if settled is None:
            return
        if settled.problem is None:
            self.counted[f"{APPLIED}, {settled.sent.kind}"] += settled.sent.observations
            self.counted[f"messages applied, {settled.sent.kind}"] += 1
        else:
            self.problems[settled.problem] += 1
        kind = f"{self._acks} {settled.sent.kind}"
        self._recorder.add(kind, time.time(), settled.latency_s * 1000)


def run(plan: Plan, directory: Path) -> None:
    """Publish as the plan says, and put back what has changed; a signal ends it early."""
    recorder, orders = Recorder(), Orders()
    publishers = [Publisher(plan, gateway, recorder) for gateway in plan.gateways]
    started_s = ended_s = time.time()
    try:
        deadline = perf_counter() + _OPENING_WITHIN_S
        for publisher in publishers:
            publisher.open(deadline)
        print("ready", flush=True)  # noqa: T201 - the word that the starter waits for
        orders.next_line()
        started_s = time.time()
        _play(plan, publishers, recorder, orders.come_before)
        ended_s = time.time()
        deadline = perf_counter() + _LAST_ACKS_WITHIN_S
        for publisher in publishers:
            publisher.settle(deadline)
        print("acked", flush=True)  # noqa: T201 - likewise
        orders.next_line()
    finally:
        deadline = perf_counter() + _PUT_BACK_WITHIN_S
        for publisher in publishers:
            publisher.close(deadline)
    problems = sum((one.problems for one in publishers), Counter())
    write_outcome(
        directory,
        recorder.samples(),
        (started_s + plan.warm_up_s, ended_s),
        [{"name": ACK, "problem": problem, "times": times} for problem, times in problems.items()],
        sum((one.counted for one in publishers), Counter()),
    )


class Orders:
    """What the starter wants: lines at standard input; a signal ends everything."""

    def __init__(self) -> None:
        self._ended = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)

    def _end(self, *_: object) -> None:
        self._ended = True

    def come_before(self, moment_s: float) -> bool:
        """Wait until a moment (`perf_counter`); return earlier, with True, at a line or signal."""
        while not self._ended and (left_s := moment_s - perf_counter()) > 0:
            if select.select([sys.stdin], [], [], min(left_s, _LOOK_EVERY_S))[0]:
                return True
        return self._ended

    def next_line(self) -> None:
        """Wait for a line, and take it; a signal or the end of the input is as good."""
        while not self.come_before(perf_counter() + _LOOK_EVERY_S):
            pass
        if not self._ended:
            # A line is empty: its end alone. Nothing may stay in a buffer, where nobody sees it.
            os.read(sys.stdin.fileno(), 1)


def _play(
    plan: Plan,
    publishers: list[Publisher],
    recorder: Recorder,
    ended_before: Callable[[float], bool],
) -> None:
    if plan.storm_every_s:
        _storm(plan, publishers, recorder, ended_before)
    elif plan.arrivals:
        _follow_drivers(plan, publishers, ended_before)
    else:
        _publish_all(plan, publishers, ended_before)


def _storm(
    plan: Plan,
    publishers: list[Publisher],
    recorder: Recorder,
    ended_before: Callable[[float], bool],
) -> None:
    """Let all gateways reconnect at once, again and again, and measure until the last ack."""
    first_s = perf_counter() + plan.warm_up_s
    with ThreadPoolExecutor(len(publishers)) as threads:
        for number in count():
            if ended_before(first_s + number * plan.storm_every_s):
                return
            lost_s = perf_counter()
            deadline = lost_s + _OPENING_WITHIN_S
            sent_s = min(threads.map(partial(Publisher.reconnect, deadline=deadline), publishers))
            for publisher in publishers:
                publisher.settle(deadline)
            recorder.add(RESYNC, time.time(), (perf_counter() - sent_s) * 1000)
            recorder.add(RECONNECT, time.time(), (perf_counter() - lost_s) * 1000)


def _follow_drivers(
    plan: Plan, publishers: list[Publisher], ended_before: Callable[[float], bool]
) -> None:
    """Report drivers who come and go at the plan's rates, spread over each second."""
    reporters = {lot: one for one in publishers for lot in one.feed.lots}
    chance, started_s = np.random.default_rng(plan.seed), perf_counter()
    for second in range(int(plan.warm_up_s + plan.duration_s)):
        row = plan.second(second, plan.arrivals)
        came, left = chance.poisson(plan.arrivals[row]), chance.poisson(plan.departures[row])
        changed = chance.permutation(np.flatnonzero(came + left))
        for turn, lot in enumerate(changed):
            if ended_before(started_s + second + turn / len(changed)):
                return
            lot_id = plan.lots[lot].lot_id
            if lot_id in reporters:
                reporters[lot_id].park(lot_id, int(came[lot]), int(left[lot]))
        if ended_before(started_s + second + 1):
            return


def _publish_all(
    plan: Plan, publishers: list[Publisher], ended_before: Callable[[float], bool]
) -> None:
    """Keep to a constant rate, by the clock; each lot in its turn."""
    turn = [one for one in publishers for _ in range(one.feed.sensing_lots)]
    random, mix = Random(plan.seed), plan.mix  # noqa: S311 - load, no secret
    random.shuffle(turn)
    per_s = mix.observations_per_s / mix.bays_per_message / (1 - mix.count_share)
    started, number = perf_counter(), 0
    while not ended_before(0.0):
        passed = perf_counter() - started
        if passed >= plan.warm_up_s + plan.duration_s:
            return
        if number < passed * per_s:
            publisher = turn[number % len(turn)]
            if random.random() < mix.count_share:
                publisher.count()
            else:
                due_s = started + number / per_s if mix.from_due else perf_counter()
                publisher.change(mix.bays_per_message, due_s)
            number += 1
        elif ended_before(perf_counter() + _TICK_S):
            return


if __name__ == "__main__":
    run(Plan.read(Path(sys.argv[1])), Path(sys.argv[2]))
