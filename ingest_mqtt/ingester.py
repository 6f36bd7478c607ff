"""The pipeline: receive, decide, commit, and only then tell anyone.

Messages come into an inbox; one task takes them in batches, has each batch committed in one
transaction, and after that acks and publishes. While the database is away nothing is refused:
messages wait, unacked, and the broker holds back more once too many are in flight.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from datetime import datetime
from time import monotonic

from ingest_mqtt.counters import Counters
from ingest_mqtt.effects import Outcome, Received
from ingest_mqtt.link import Link
from ingest_mqtt.messages import state_topic
from ingest_mqtt.publish import ack_payload, state_payload
from ingest_mqtt.rates import Dropped, Limiter
from ingest_mqtt.writer import Writer

IDLE_S = 5.0
PUBLISH_CHUNK = 200


class Ingester:
    """Everything between the broker and the writer.

    Args:
        writer: Commits batches.
        counters: What is counted.
        clock: The platform's clock, aware.
        batch_messages: Most messages in a transaction.
        linger_s: How long a batch waits for more.
        limiter: Judges what each gateway may send.
    """

    def __init__(
        self,
        writer: Writer,
        counters: Counters,
        clock: Callable[[], datetime],
        *,
        batch_messages: int,
        linger_s: float,
        limiter: Limiter,
    ) -> None:
        self._writer, self._counters, self._clock = writer, counters, clock
        self._batch_messages, self._linger_s = batch_messages, linger_s
        self._limiter = limiter
        self._inbox: deque[Received] = deque()
        self._arrived = asyncio.Event()
        self._waiting = 0
        self._published_opening = 0
        self._reconnected = False

    @property
    def waiting(self) -> int:
        """Reports that have come in and are not yet committed."""
        return self._waiting

    def receive(self, topic: str, payload: bytes, mid: int, connection: int) -> bool:
        """Take in a message of the broker; called in the event loop.

        Returns:
            False where it was dropped: the broker may forget it at once.
        """
        verdict = self._limiter.judge(self._writer.registry, topic, payload, monotonic())
        if isinstance(verdict, Dropped):
            self._counters.drop(topic)
            return False
        message = Received(topic, payload, self._clock(), mid, connection, verdict)
        self._inbox.append(message)
        if message.is_report:
            self._waiting += 1
            self._counters.received += 1
        self._arrived.set()
        return True

    def connected(self) -> None:
        """Have every lot's state published again; called after each connect."""
        self._reconnected = True
        self._arrived.set()

    async def run(self, link: Link) -> None:
        """Take batches until cancelled.

        Args:
            link: Where acks and states are published.
        """
        while True:
            await self._wait()
            await self._writer.tend()
            batch = self._take()
            outcomes = await self._writer.write(batch) if batch else []
            if self._reconnected or self._writer.openings != self._published_opening:
                self._reconnected = False
                self._published_opening = self._writer.openings
                await self._publish_all(link)
            self._finish(batch, outcomes, link)

    async def _wait(self) -> None:
        """Wait for a message, a reconnect or the next look around; then linger for more."""
        if not self._inbox:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), timeout=IDLE_S)
        self._arrived.clear()
        if len(self._inbox) < self._batch_messages:
            await asyncio.sleep(self._linger_s)

    def _take(self) -> list[Received]:
        size = min(len(self._inbox), self._batch_messages)
        return [self._inbox.popleft() for _ in range(size)]

    def _finish(self, batch: list[Received], outcomes: list[Outcome], link: Link) -> None:
        """Count and tell what was committed, in one go, so that the counters always add up."""
        for outcome in outcomes:
            self._counters.add(outcome)
            for ack in outcome.acks:
                link.publish(ack.topic.ack_topic, ack_payload(ack, self._clock()))
            for lot_id in outcome.states:
                self._publish_state(link, lot_id)
        self._waiting -= sum(message.is_report for message in batch)
        for message in batch:
            link.confirm(message.mid, message.connection)

    def _publish_state(self, link: Link, lot_id: str) -> None:
        """Retain a lot's state; what the broker still holds of a lot without one is cleared."""
        committed = self._writer.committed.get(lot_id)
        payload = state_payload(lot_id, committed) if committed else b""
        link.publish(state_topic(lot_id), payload, retain=True)

    async def _publish_all(self, link: Link) -> None:
        for index, lot_id in enumerate(self._writer.registry.lots):
            self._publish_state(link, lot_id)
            if index % PUBLISH_CHUNK == 0:
                await asyncio.sleep(0)
