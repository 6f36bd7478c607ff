"""How fresh answers are: from the sending of a marked change to the answer that shows it.

The mark is the moment of observation, to the millisecond, which no two changes share: an answer
that carries it and yet another state of the bay is wrong, and one that carries another shows an
earlier change. Every other change is awaited at `/v1/nearest`,
the others at `/v1/lots/{lot_id}/spaces`.
"""

import http.client
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlsplit

from paho.mqtt.client import MQTTMessage

from load_tests.bodies import Body
from load_tests.catalogue import Lot
from load_tests.feeding import GatewayFeed, Message
from load_tests.kinds import ACK, FRESH, LOT_SPACES, NEAREST
from load_tests.samples import Recorder
from load_tests.sockets import connected, leave
from load_tests.target import Gateway, Target, TargetError
from simulators.feeds import rfc3339

_SHOWN_WITHIN_S: Final = 10.0
_ACKED_WITHIN_S: Final = 10.0
_POLL_EVERY_S: Final = 0.005
# Random pauses between changes, so that they do not keep step with the platform's batches.
_LONGEST_PAUSE_S: Final = 0.1

Shows = Callable[[Body], bool]


class WrongChangeError(Exception):
    """An answer carries the mark of a change and not the change."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A change as an answer should show it."""

    lot: Lot
    number: int
    state: str
    free_spaces: int
    observed_at: datetime

    def shown_by_spaces(self, body: Body) -> bool:
        """Return whether an answer of `/v1/lots/{lot_id}/spaces` shows the change.

        Raises:
            WrongChangeError: It carries the mark but not the change.
        """
        if not _carries(body, self.observed_at):
            return False
        if body["items"][self.number - 1]["state"] != self.state:
            raise WrongChangeError("the mark is there and the bay has another state")
        return True

    def shown_by_nearest(self, body: Body) -> bool:
        """Return whether an answer of `/v1/nearest` shows the change.

        Raises:
            WrongChangeError: It carries the mark but not the change.
        """
        for lot in body["lots"]:
            if lot["lot_id"] == self.lot.lot_id and _carries(lot, self.observed_at):
                if lot["free_spaces"] != self.free_spaces:
                    raise WrongChangeError("the mark is there and the free spaces are others")
                return True
        return False


def _carries(body: Body, mark: datetime) -> bool:
    text = body["observed_at"]
    return text is not None and datetime.fromisoformat(text) == mark


@dataclass
class Outcome:
    """What was measured: latencies are in the recorder; problems by name."""

    changes: int = 0
    polls: int = 0
    problems: Counter[str] = field(default_factory=Counter)


class Probe:
    """Sends marked changes as one gateway, and watches for them over HTTP.

    Args:
        target: The city.
        gateway: Reports for `lot`, and nobody else does meanwhile.
        lot: A lot that senses its bays and is open.
        seed: For bays and pauses.
    """

    def __init__(self, target: Target, gateway: Gateway, lot: Lot, seed: int) -> None:
        self._lot, self._random = lot, Random(seed)  # noqa: S311 - load, no secret
        self._feed = GatewayFeed(gateway.username, [lot], int(time.time()), self._random)
        self._listening, self._acked = Event(), Event()
        self._last_mark = datetime.now(UTC)
        self.recorder, self.outcome = Recorder(), Outcome()
        address = urlsplit(target.http)
        self._http = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5.0)
        at, login = (target.mqtt_host, target.mqtt_port), (gateway.username, gateway.password)
        self._mqtt = connected(at, login, self._hear, self._listening)

    def open(self) -> None:
        """Tell the lot's whole state.

        Raises:
            TargetError: It is not acked.
        """
        if not self._listening.wait(_ACKED_WITHIN_S):
            raise TargetError("the broker does not let the marked changes in")
        for message in self._feed.opening(perf_counter):
            self._publish(message)
        if not self._acked.wait(_ACKED_WITHIN_S):
            raise TargetError("the lot of the marked changes gets no acks")

    def run(self, changes: int, deadline_s: float) -> None:
        """Send changes one after another, each when the one before is shown.

        Args:
            changes: How many.
            deadline_s: On the clock `perf_counter`: then it ends with fewer.
        """
        for change in range(changes):
            if perf_counter() > deadline_s:
                self.outcome.problems["too slow for the wanted number of changes"] += 1
                return
            time.sleep(self._random.uniform(0.0, _LONGEST_PAUSE_S))
            self._change(by_nearest=bool(change % 2))

    def close(self) -> None:
        """Leave."""
        leave(self._mqtt)
        self._http.close()

    def _change(self, *, by_nearest: bool) -> None:
        mark, message, sent_s = self._next()
        self._publish(message)
        lot = self._lot
        if by_nearest:
            path = f"/v1/nearest?lon={lot.longitude}&lat={lot.latitude}&limit=5&min_free=0"
            kind, shows = f"{FRESH} {NEAREST}", mark.shown_by_nearest
        else:
            path = f"/v1/lots/{lot.lot_id}/spaces"
            kind, shows = f"{FRESH} {LOT_SPACES}", mark.shown_by_spaces
        try:
            shown_s = self._await(path, shows, sent_s + _SHOWN_WITHIN_S)
        except (WrongChangeError, OSError, http.client.HTTPException, LookupError) as error:
            self.outcome.problems[f"{kind}: {error}"] += 1
            return
        self.outcome.changes += 1
        self.recorder.add(kind, time.time(), (shown_s - sent_s) * 1000)

    def _next(self) -> tuple[Mark, Message, float]:
        lot_id, number = self._lot.lot_id, self._random.randint(1, self._lot.capacity)
        now = datetime.now(UTC)
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last_mark = max(at, self._last_mark + timedelta(milliseconds=1))
        sent_s = perf_counter()
        message = self._feed.toggle(lot_id, number, rfc3339(self._last_mark), sent_s)
        state = "occupied" if self._feed.is_occupied(lot_id, number) else "free"
        free = self._feed.free_spaces(lot_id)
        return Mark(self._lot, number, state, free, self._last_mark), message, sent_s

    def _await(self, path: str, shows: Shows, deadline_s: float) -> float:
        """Ask, one question at a time, until the answer shows the change.

        Returns:
            When that answer was there, on the clock `perf_counter`.

        Raises:
            WrongChangeError: No answer shows it in time, or one shows it wrongly.
        """
        while perf_counter() < deadline_s:
            self._http.request("GET", path)
            text = self._http.getresponse().read()
            now_s = perf_counter()
            self.outcome.polls += 1
            body: Mapping[str, Any] = json.loads(text)
            if shows(body):
                return now_s
            time.sleep(_POLL_EVERY_S)
        raise WrongChangeError("a change is not shown in time")

    def _publish(self, message: Message) -> None:
        self._mqtt.publish(message.topic, message.payload, qos=1)

    def _hear(self, message: MQTTMessage) -> None:
        settled = self._feed.settle(message.topic, message.payload, perf_counter())
        if settled is None:
            return
        self._acked.set()
        self.recorder.add(f"{ACK} marked", time.time(), settled.latency_s * 1000)
        if settled.problem is not None:
            self.outcome.problems[settled.problem] += 1
