"""The messages of the load's gateways, and their acks; no I/O.

Bays change for real: every bay that a message names differs from its last report, so
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
BUSY: Final = 0.6


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish."""

    topic: str
    payload: bytes


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
    """A lot's numbering, its bays as last reported and as first, and what is in flight."""

    lot: Lot
    epoch: int
    occupied: NDArray[np.bool_]
    free: int
    occupied_first: NDArray[np.bool_]
    free_first: int
    seq: int = 0
    in_flight: dict[int, Sent] = field(default_factory=dict)

    @property
    def has_room(self) -> bool:
        """Whether one more message may go out."""
        return len(self.in_flight) < MOST_IN_FLIGHT


def _lot_feed(lot: Lot, epoch: int, busy: float) -> LotFeed:
    if lot.occupied_bits is None:
        # By the lot's own name, so that each run starts from the same bays.
        random = np.random.default_rng(list(lot.lot_id.encode()))
        occupied = random.random(lot.capacity) < busy
    else:
        bits = np.frombuffer(lot.occupied_bits, dtype=np.uint8)
        occupied = np.unpackbits(bits, count=lot.capacity, bitorder="little").astype(np.bool_)
    counted = int(lot.capacity - occupied.sum())
    free = counted if lot.free_spaces is None else lot.free_spaces
    return LotFeed(lot, epoch, occupied, free, occupied.copy(), free)


class GatewayFeed:
    """One gateway, reporting for lots of its operator.

    Args:
        gateway: Its name, also the attribute.
        lots: What it reports for; at least one.
        epoch: Unix second, above that of any earlier numbering of these lots.
        random: Which bays change.
        busy: Share of bays that are occupied at first.
    """

    def __init__(
        self,
        gateway: str,
        lots: Sequence[Lot],
        epoch: int,
        random: Random,
        *,
        busy: float = BUSY,
    ) -> None:
        self.gateway, self._random = gateway, random
        self._chance = np.random.default_rng(random.getrandbits(64))
        # Two numbers, as one thread sends and another hears.
        self._sent = self._settled = 0
        self._feeds = {lot.lot_id: _lot_feed(lot, epoch, busy) for lot in lots}
        every = self._feeds.values()
        self._bays = [one for one in every if one.lot.reporting == "bays"]
        self._counts = [one for one in every if one.lot.reporting == "count"]
        self._next_bays: Iterator[LotFeed] = cycle(self._bays)
        self._next_count: Iterator[LotFeed] = cycle(self._counts)

    @property
    def lots(self) -> list[str]:
        """The lots that it reports for."""
        return list(self._feeds)

    @property
    def sensing_lots(self) -> int:
        """How many of its lots sense each bay."""
        return len(self._bays)

    @property
    def in_flight(self) -> int:
        """How many messages wait for their acks."""
        return self._sent - self._settled

    def opening(self, clock: Callable[[], float]) -> Iterator[Message]:
        """Report the whole state of each lot, as after a connect.

        Args:
            clock: Seconds; each message is sent at the moment at which it is taken.
        """
        for one in self._bays:
            yield self._snapshot(one, clock())
        for one in self._counts:
            yield self._count(one, clock())

    def put_back(self, clock: Callable[[], float]) -> Iterator[Message]:
        """Report each lot that has changed since the start as it was then.

        Args:
            clock: As in `opening`.
        """
        for one in self._bays:
            if (one.occupied != one.occupied_first).any():
                one.occupied[:] = one.occupied_first
                yield self._snapshot(one, clock())
        for one in self._counts:
            if one.free != one.free_first:
                one.free = one.free_first
                yield self._count(one, clock())

    def drift(self, share: float) -> None:
        """Let a share of each lot's bays change without a report, as while it is cut off."""
        for one in self._bays:
            chosen = self._random.sample(range(one.lot.capacity), int(share * one.lot.capacity))
            one.occupied[chosen] ^= True

    def park(self, lot_id: str, arrivals: int, departures: int, now_s: float) -> Message | None:
        """Let drivers take free bays of a lot and others leave theirs; None where nothing changes.

        Who finds no free bay is lost.
        """
        one = self._feeds[lot_id]
        if not one.has_room:
            return None
        if one.lot.reporting == "count":
            free = min(max(one.free + departures - arrivals, 0), one.lot.capacity)
            changed, one.free = free != one.free, free
            return self._count(one, now_s) if changed else None
        free_bays = np.flatnonzero(~one.occupied).tolist()
        taken_bays = np.flatnonzero(one.occupied).tolist()
        bays = self._random.sample(free_bays, min(arrivals, len(free_bays)))
        bays += self._random.sample(taken_bays, min(departures, len(taken_bays)))
        if not bays:
            return None
        return self._toggle(one, np.array(bays), _observed_at(), now_s)

    def change(self, bays: int, now_s: float) -> Message | None:
        """Let some bays of the next lot change; None where every lot has too much in flight.

        Args:
            bays: How many; fewer in a lot that has fewer.
            now_s: Moment of sending, on the clock that `settle` gets.
        """
        one = self._with_room(self._next_bays, len(self._bays))
        if one is None:
            return None
        return self._toggle(one, self._some(one.lot.capacity, bays), _observed_at(), now_s)

    def toggle(self, lot_id: str, number: int, observed_at: str, now_s: float) -> Message:
        """Let one bay (1 is the first) of one lot change, observed at a chosen moment."""
        return self._toggle(self._feeds[lot_id], np.array([number - 1]), observed_at, now_s)

    def is_occupied(self, lot_id: str, number: int) -> bool:
        """Return whether a bay was last reported occupied."""
        return bool(self._feeds[lot_id].occupied[number - 1])

    def free_spaces(self, lot_id: str) -> int:
        """Return how many bays were last reported free."""
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
        self._settled += 1
        problem = None if ack.result == "applied" else f"ack says {ack.result}: {ack.reason}"
        return Settled(sent, now_s - sent.sent_s, problem)

    def abandon(self) -> list[Sent]:
        """Stop waiting for acks; return the messages that have none."""
        left = [sent for one in self._feeds.values() for sent in one.in_flight.values()]
        for one in self._feeds.values():
            one.in_flight.clear()
        self._settled = self._sent
        return left

    @staticmethod
    def _with_room(turn: Iterator[LotFeed], lots: int) -> LotFeed | None:
        return next((one for one in (next(turn) for _ in range(lots)) if one.has_room), None)

    def _some(self, capacity: int, bays: int) -> NDArray[np.intp]:
        """Choose so many bays, or all where there are fewer."""
        if bays == 1:
            return np.array([self._random.randrange(capacity)])
        return self._chance.permutation(capacity)[:bays]

    def _toggle(
        self, one: LotFeed, bays: NDArray[np.intp], observed_at: str, now_s: float
    ) -> Message:
        were_occupied = one.occupied[bays]
        one.occupied[bays] = ~were_occupied
        numbers = bays + 1
        occupied, free = numbers[~were_occupied].tolist(), numbers[were_occupied].tolist()
        return self._number(one, feeds.spaces_report(observed_at, occupied, free), len(bays), now_s)

    def _snapshot(self, one: LotFeed, now_s: float) -> Message:
        report = feeds.snapshot_report(_observed_at(), one.occupied)
        return self._number(one, report, len(one.occupied), now_s)

    def _count(self, one: LotFeed, now_s: float) -> Message:
        return self._number(one, feeds.count_report(_observed_at(), one.free, None), 1, now_s)

    def _number(
        self, one: LotFeed, report: feeds.Report, observations: int, now_s: float
    ) -> Message:
        one.seq += 1
        one.in_flight[one.seq] = Sent(report.kind, observations, now_s)
        self._sent += 1
        topic = feeds.feed_topic(self.gateway, one.lot.lot_id, report.kind)
        return Message(topic, report.encode(one.epoch, one.seq))


def _observed_at() -> str:
    return feeds.rfc3339(datetime.now(UTC))
