"""What the load's gateways say, and what they make of the acks; no I/O.

Bays change for real: every bay that a message names differs from what was said of it before, so
that each observation is a change to be stored.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from load_tests.catalogue import Lot
from simulators import feeds

# The bound of docs/contract/feeds.md, promise 3: messages of a lot that wait for their acks.
MOST_IN_FLIGHT: Final = 16
_BUSY: Final = 0.6


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish."""

    topic: str
    payload: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that waits for its ack: its kind, its bays, and when it left (seconds)."""

    kind: str
    observations: int
    sent_s: float


@dataclass(frozen=True, slots=True)
class Settled:
    """A message and its ack: how long that took, and what was wrong with it, if anything."""

    sent: Sent
    latency_s: float
    problem: str | None


@dataclass(slots=True)
class LotFeed:
    """A lot's numbering, its bays as last told, and what is in flight."""

    lot: Lot
    epoch: int
    occupied: NDArray[np.bool_]
    free: int
    seq: int = 0
    in_flight: dict[int, Sent] = field(default_factory=dict)

    @property
    def has_room(self) -> bool:
        """Whether one more message may go out."""
        return len(self.in_flight) < MOST_IN_FLIGHT


def _lot_feed(lot: Lot, epoch: int) -> LotFeed:
    # By the lot's own name, so that each run starts from the same bays.
    random = np.random.default_rng(list(lot.lot_id.encode()))
    occupied = random.random(lot.capacity) < _BUSY
    return LotFeed(lot, epoch, occupied, int(lot.capacity - occupied.sum()))


class GatewayFeed:
    """One gateway, reporting for lots of its operator.

    Args:
        gateway: Its name, also the attribute.
        lots: What it reports for; at least one.
        epoch: Unix second, above that of any earlier numbering of these lots.
        random: Which bays change.
    """

    def __init__(self, gateway: str, lots: Sequence[Lot], epoch: int, random: Random) -> None:
        self.gateway, self._random = gateway, random
        self._feeds = {lot.lot_id: _lot_feed(lot, epoch) for lot in lots}
        every = self._feeds.values()
        self._bays = [one for one in every if one.lot.reporting == "bays"]
        self._counts = [one for one in every if one.lot.reporting == "count"]
        self._next_bays: Iterator[LotFeed] = cycle(self._bays)
        self._next_count: Iterator[LotFeed] = cycle(self._counts)

    @property
    def sensing_lots(self) -> int:
        """How many of its lots sense each bay."""
        return len(self._bays)

    @property
    def in_flight(self) -> int:
        """How many messages wait for their acks."""
        return sum(len(one.in_flight) for one in self._feeds.values())

    def opening(self, clock: Callable[[], float]) -> Iterator[Message]:
        """Tell the whole state of each lot, as after a connect.

        Args:
            clock: Seconds; each message is sent at the moment at which it is taken.
        """
        for one in self._bays:
            report = feeds.snapshot_report(_observed_at(), one.occupied)
            yield self._say(one, report, len(one.occupied), clock())
        for one in self._counts:
            yield self._count(one, clock())

    def change(self, bays: int, now_s: float) -> Message | None:
        """Let some bays of the next lot change; None where every lot has too much in flight.

        Args:
            bays: How many; fewer in a lot that has fewer.
            now_s: Moment of sending, on the clock that `settle` is told of.
        """
        one = self._with_room(self._next_bays, len(self._bays))
        if one is None:
            return None
        chosen = self._random.sample(range(one.lot.capacity), min(bays, one.lot.capacity))
        return self._toggle(one, chosen, _observed_at(), now_s)

    def toggle(self, lot_id: str, number: int, observed_at: str, now_s: float) -> Message:
        """Let one bay (1 is the first) of one lot change, observed at a chosen moment."""
        return self._toggle(self._feeds[lot_id], [number - 1], observed_at, now_s)

    def is_occupied(self, lot_id: str, number: int) -> bool:
        """Return what was last said of a bay."""
        return bool(self._feeds[lot_id].occupied[number - 1])

    def free_spaces(self, lot_id: str) -> int:
        """Return how many bays were last said to be free."""
        occupied = self._feeds[lot_id].occupied
        return int(len(occupied) - occupied.sum())

    def count(self, now_s: float) -> Message | None:
        """Let the next lot that counts at its gates report; None where there is none."""
        one = self._with_room(self._next_count, len(self._counts))
        if one is None:
            return None
        one.free = min(max(one.free + self._random.choice((-1, 1)), 0), one.lot.capacity)
        return self._count(one, now_s)

    def settle(self, topic: str, payload: bytes | bytearray, now_s: float) -> Settled | None:
        """Take in an ack; None where it answers nothing that is in flight."""
        one = self._feeds.get(feeds.lot_of_ack(topic))
        ack = feeds.parse_ack(bytes(payload))
        number = None if ack is None else ack.number
        if one is None or ack is None or number is None or number[0] != one.epoch:
            return None
        sent = one.in_flight.pop(number[1], None)
        if sent is None:
            return None
        problem = None if ack.result == "applied" else f"ack says {ack.result}: {ack.reason}"
        return Settled(sent, now_s - sent.sent_s, problem)

    def abandon(self) -> list[Sent]:
        """Return up waiting, and tell for what."""
        left = [sent for one in self._feeds.values() for sent in one.in_flight.values()]
        for one in self._feeds.values():
            one.in_flight.clear()
        return left

    @staticmethod
    def _with_room(turn: Iterator[LotFeed], lots: int) -> LotFeed | None:
        return next((one for one in (next(turn) for _ in range(lots)) if one.has_room), None)

    def _toggle(self, one: LotFeed, bays: Sequence[int], observed_at: str, now_s: float) -> Message:
        occupied = [bay + 1 for bay in bays if not one.occupied[bay]]
        free = [bay + 1 for bay in bays if one.occupied[bay]]
        one.occupied[list(bays)] ^= True
        return self._say(one, feeds.spaces_report(observed_at, occupied, free), len(bays), now_s)

    def _count(self, one: LotFeed, now_s: float) -> Message:
        return self._say(one, feeds.count_report(_observed_at(), one.free, None), 1, now_s)

    def _say(self, one: LotFeed, report: feeds.Report, observations: int, now_s: float) -> Message:
        one.seq += 1
        one.in_flight[one.seq] = Sent(report.kind, observations, now_s)
        topic = feeds.feed_topic(self.gateway, one.lot.lot_id, report.kind)
        return Message(topic, report.encode(one.epoch, one.seq), report.kind)


def _observed_at() -> str:
    return feeds.rfc3339(datetime.now(UTC))
