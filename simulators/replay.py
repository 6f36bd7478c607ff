"""Sends recorded occupancy as `count` feeds, with its recorded times or with those of today."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import structlog

from simulators.feeds import Ack, Report, count_report, rfc3339
from simulators.gateway import Gateway
from simulators.outbox import Outbox
from simulators.recording import RecordedCount, Recording
from simulators.registry import Broker, Credentials
from simulators.stopping import end_tasks, finish, unless

CONNECT_TIMEOUT_S = 30.0
LOG_INTERVAL_S = 60.0
# Rows read between two looks at the network, when nothing else makes the replay wait.
ROWS_A_TURN = 500

log = structlog.get_logger(__name__)


class ReplayError(Exception):
    """The replay cannot go on."""


@dataclass(slots=True)
class Summary:
    """The counts of a replay. `unacked` is the number of messages that got no ack."""

    sent: int = 0
    acks: Counter[str] = field(default_factory=Counter)
    unknown_lots: Counter[str] = field(default_factory=Counter)
    unacked: int = 0
    complete: bool = False

    def lines(self, recording: Recording) -> list[str]:
        """Return the summary for people, one figure a line."""
        faults = {name: recording.faults[name] for name in FAULTS}
        unknown = {"unknown_lots": self.unknown_lots.total(), "gaps": recording.gaps()}
        figures = {"rows": recording.rows, "sent": self.sent, **faults, **unknown}
        acks = {f"acks {result}": self.acks[result] for result in sorted(self.acks)}
        figures |= acks | {"unacked": self.unacked}
        lines = [f"{name:<20}{number:>10}" for name, number in figures.items()]
        if self.unknown_lots:
            lines.append(f"not in the credentials: {', '.join(sorted(self.unknown_lots))}")
        return lines


FAULTS = (
    "missing",
    "minus_one",
    "over_capacity",
    "unparseable",
    "out_of_order",
    "missing_capacity",
)


class Replay:
    """Sends recorded counts through the gateways of their lots, each connected when first needed.

    Args:
        broker: where the gateways connect.
        credentials: gateways, with the lots that each reports for.
        speed: recorded time over real time; 0 is as fast as the acks allow.
        lot_prefix: the lot id is this prefix and the recorded lot's name.
        live: whether the counts are sent as observed now, when they are due, and not at their
            recorded times; the first is due at once. `speed` is above 0 then.
        clock: steady seconds.
        new_epoch: returns the Unix second, which is the epoch of a new numbering.
        now: the wall clock, aware.
    """

    def __init__(
        self,
        broker: Broker,
        credentials: Sequence[Credentials],
        *,
        speed: float,
        lot_prefix: str,
        live: bool = False,
        clock: Callable[[], float] = time.monotonic,
        new_epoch: Callable[[], int] = lambda: int(time.time()),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if live and speed == 0:
            raise ValueError("a live replay has a speed")
        self._broker = broker
        self._live = live
        self._now = now
        self._speed = speed
        self._prefix = lot_prefix
        self._clock = clock
        self._rng = random.Random(new_epoch())
        self._credentials = {lot: entry for entry in credentials for lot in entry.lots}
        self._latest: dict[str, Report] = {}
        # One in flight: if it were deferred, the next count could be applied before it, and the
        # history would miss it.
        self._outboxes = {
            lot: Outbox(
                new_epoch, partial(self._latest.get, lot), self._rng, window=1, merging=False
            )
            for lot in self._credentials
        }
        self._gateways: dict[str, Gateway] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._acked = asyncio.Event()
        self._began: tuple[float, datetime] | None = None
        self._next_log_s = clock() + LOG_INTERVAL_S
        self.summary = Summary()

    async def run(self, recording: Recording, stop: asyncio.Event) -> Summary:
        """Send all of a recording and wait for its acks, or until `stop` is set.

        Raises:
            RecordingError: the recording cannot be read on.
            ReplayError: a gateway could not connect.
        """
        leave = asyncio.Event()
        try:
            await self._send_all(recording, stop, leave)
            while self._pending() and not stop.is_set():
                await self._next_ack(stop)
            self.summary.complete = not stop.is_set()
        finally:
            self.summary.unacked = self._pending()
            leave.set()
            await finish(self._tasks)
        return self.summary

    async def _send_all(
        self, recording: Recording, stop: asyncio.Event, leave: asyncio.Event
    ) -> None:
        for row, count in enumerate(recording):
            if row % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
            if stop.is_set():
                return
            if count is None:
                continue
            lot_id = self._prefix + count.lot
            if lot_id in self._credentials:
                await self._send_one(lot_id, count, stop, leave)
            else:
                self.summary.unknown_lots[lot_id] += 1

    async def _send_one(
        self, lot_id: str, count: RecordedCount, stop: asyncio.Event, leave: asyncio.Event
    ) -> None:
        """Send a count when its time has come and its outbox has room, unless stopped before."""
        gateway = await self._gateway(lot_id, stop, leave)
        await self._wait_for_time(count, stop)
        observed_at = count.observed_at
        if self._live:
            observed_at = self._now().astimezone(observed_at.tzinfo)
        while not self._outboxes[lot_id].has_room and not stop.is_set():
            await self._next_ack(stop)
        if not stop.is_set():
            report = count_report(rfc3339(observed_at), count.free, count.capacity)
            self._latest[lot_id] = report
            gateway.add(lot_id, report)
            self.summary.sent += 1
            self._log_progress(count)

    async def _wait_for_time(self, count: RecordedCount, stop: asyncio.Event) -> None:
        """Wait until the count is due; the first is due at once."""
        if self._began is None:
            self._began = (self._clock(), count.observed_at)
        if self._speed > 0:
            recorded_s = count.observed_at.timestamp() - self._began[1].timestamp()
            wait_s = self._began[0] + recorded_s / self._speed - self._clock()
            if wait_s > 0:
                await unless(stop, wait_s)

    async def _gateway(self, lot_id: str, stop: asyncio.Event, leave: asyncio.Event) -> Gateway:
        """Return the gateway of a lot, connected."""
        entry = self._credentials[lot_id]
        if entry.username not in self._gateways:
            outboxes = {lot: self._outboxes[lot] for lot in entry.lots}
            gateway = Gateway(
                self._broker, entry, outboxes, rng=self._rng, clock=self._clock, on_ack=self._on_ack
            )
            self._gateways[entry.username] = gateway
            self._tasks.append(asyncio.create_task(gateway.run(leave)))
            await self._connected(gateway, entry.username, stop)
        return self._gateways[entry.username]

    async def _connected(self, gateway: Gateway, name: str, stop: asyncio.Event) -> None:
        waiting = {asyncio.create_task(event.wait()) for event in (gateway.connected, stop)}
        done, late = await asyncio.wait(
            waiting, timeout=CONNECT_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        await end_tasks(late)
        if not done:
            raise ReplayError(f"gateway {name} cannot connect: {gateway.last_error}")

    def _on_ack(self, _lot_id: str, ack: Ack) -> None:
        self.summary.acks[ack.result] += 1
        self._acked.set()

    async def _next_ack(self, stop: asyncio.Event) -> None:
        """Wait for an ack, but half a second at most, so that `stop` is noticed."""
        self._acked.clear()
        if not stop.is_set():
            await unless(self._acked, 0.5)

    def _pending(self) -> int:
        return sum(len(outbox) for outbox in self._outboxes.values())

    def _log_progress(self, count: RecordedCount) -> None:
        if self._clock() >= self._next_log_s:
            self._next_log_s = self._clock() + LOG_INTERVAL_S
            log.info(
                "replaying",
                at=rfc3339(count.observed_at),
                sent=self.summary.sent,
                unacked=self._pending(),
            )
