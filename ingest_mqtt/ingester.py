"""The pipeline: receive, decide, commit, and only then acknowledge and publish.

Messages come into an inbox; one task takes them in batches, has each batch committed in one
transaction, and after that acks and publishes. While the database is away nothing is refused:
messages wait, unacked, and the broker holds back more once too many are in flight.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable
from datetime import datetime
from time import monotonic

import structlog

from ingest_mqtt import breaker, masking, publish
from ingest_mqtt.counters import Counters
from ingest_mqtt.effects import Ack, Outcome, Received
from ingest_mqtt.inbox import Inbox
from ingest_mqtt.link import Link
from ingest_mqtt.messages import MAX_PAYLOAD_BYTES
from ingest_mqtt.rates import Deferred, Dropped, Limiter
from ingest_mqtt.wire import HEARTBEAT, MAX_RETRY_S, ROOT, is_push, state_topic
from ingest_mqtt.writer import Writer

log = structlog.get_logger()

IDLE_S = 5.0
HEARTBEAT_S = 5.0
AFTER_FAULT_S = 1.0
PUBLISH_CHUNK = 200


class Ingester:
    """The pipeline between the broker and the writer.

    Args:
        writer: Commits batches.
        counters: What is counted.
        clock: The platform's clock, aware.
        batch_messages: Most messages in a transaction.
        receive_maximum: Most messages that the broker sends unconfirmed.
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
        receive_maximum: int,
        linger_s: float,
        limiter: Limiter,
    ) -> None:
        self._writer, self._counters, self._clock = writer, counters, clock
        self._receive_maximum, self._linger_s = receive_maximum, linger_s
        self._limiter = limiter
        self._inbox = Inbox(batch_messages)
        self._arrived = asyncio.Event()
        self._published_opening = 0
        writer.known.woken = self._arrived.set
        self._reconnected = False
        self._beat_waits = False

    @property
    def waiting(self) -> int:
        """Reports that have come in and are not yet committed."""
        return self._inbox.reports

    @property
    def is_full(self) -> bool:
        """Whether so much waits that no more should be read."""
        return self._inbox.is_full

    def receive(self, message: Received) -> bool:
        """Take in a message of the broker; called in the event loop.

        Returns:
            False where it was dropped: the broker may forget it at once.
        """
        if message.topic == HEARTBEAT:
            return self._receive_heartbeat(message)
        if is_push(message.topic):
            # Nobody could be answered: its correlation data are not the API's.
            self._counters.pushed["unanswerable"] += 1
            return False
        verdict = self._judge(message)
        if isinstance(verdict, Dropped):
            if message.reply is None:
                self._counters.drop(message)
                return False
            # Not read either, but somebody waits for the answer.
            verdict = Deferred(None, None, MAX_RETRY_S)
            message = dataclasses.replace(message, payload=b"")
        size = len(message.payload)
        if verdict or size > MAX_PAYLOAD_BYTES:
            # Of what is too large no more is kept than shows it.
            payload = message.payload[: MAX_PAYLOAD_BYTES + 1]
            message = dataclasses.replace(message, payload=payload, size=size, deferred=verdict)
        if self._put(message):
            self._counters.received += message.is_report
        else:
            self._counters.drop(message)
        return True

    def _receive_heartbeat(self, message: Received) -> bool:
        if self._beat_waits:
            return False
        self._beat_waits = True
        return self._put(dataclasses.replace(message, payload=b""))

    def _judge(self, message: Received) -> Deferred | Dropped | None:
        topic, payload = message.topic, message.payload
        try:
            return self._limiter.judge(self._writer.known.registry, topic, payload, monotonic())
        except Exception:
            # Not judged is not over the rate; what is wrong with the message shows later.
            log.exception("a message could not be judged")
            return None

    def _put(self, message: Received) -> bool:
        self._arrived.set()
        return self._inbox.put(message)

    def connected(self, connection: int, session_present: bool) -> None:  # noqa: FBT001
        """Publish every lot's state again; called after each connect.

        Args:
            connection: The new connection's number.
            session_present: Whether the broker kept our session: it then delivers again what was
                not confirmed over the earlier connection.
        """
        if session_present or len(self._inbox) > self._receive_maximum:
            self._counters.results["redelivered"] += self._inbox.forget_earlier(connection)
        self._reconnected = True
        self._arrived.set()

    async def beat(self, link: Link) -> None:
        """Send a heartbeat through the broker at intervals, until cancelled.

        It comes back as a message and is committed like one: its time in the database shows
        that messages get through.
        """
        while True:
            if link.is_connected:
                link.publish(HEARTBEAT, b"")
            await asyncio.sleep(HEARTBEAT_S)

    async def run(self, link: Link) -> None:
        """Process batches until cancelled; a fault of ours costs one batch's turn, not the process.

        Args:
            link: Where acks and states are published.
        """
        while True:
            await self._wait()
            await link.room()
            try:
                await self._turn(link)
            except Exception:
                log.exception("a turn of the ingester failed")
                await asyncio.sleep(AFTER_FAULT_S)

    async def _turn(self, link: Link) -> None:
        await self._writer.tend()
        for outcome in await self._writer.take_again():
            self._counters.observations += outcome.observations
            for lot_id in outcome.states:
                self._publish_state(link, lot_id)
        batch = self._inbox.take()
        try:
            written = await self._writer.write(batch)
        except Exception:
            self._inbox.put_back(batch)
            raise
        if self._reconnected or self._writer.openings != self._published_opening:
            self._reconnected = False
            self._published_opening = self._writer.openings
            await self._publish_all(link)
        # Others, such as an import, have changed these.
        for lot_id in self._writer.known.take_changed():
            self._publish_state(link, lot_id)
        self._finish(batch[: len(batch) - len(written.left)], written.outcomes, link)
        link.read_on()
        if written.stopped:
            await self._pause(written.left, written.stopped)

    async def _pause(self, left: list[Received], stopped: str) -> None:
        """Leave all messages unacknowledged for a time; see `ingest_mqtt.breaker`."""
        self._inbox.put_back(left)
        await asyncio.sleep(breaker.RETRY_S[stopped])
        if stopped == "clock":
            self._inbox.restamp(self._clock())

    async def _wait(self) -> None:
        """Wait for a message, a reconnect or the next check; then linger for more messages."""
        if not self._inbox:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await self._arrived.wait()
        self._arrived.clear()
        if not self._inbox.has_batch:
            await asyncio.sleep(self._linger_s)

    def _finish(self, messages: list[Received], outcomes: list[Outcome], link: Link) -> None:
        """Count, acknowledge and publish what was committed, in one step: counters add up."""
        for outcome in outcomes:
            self._counters.add(outcome)
            if outcome.has_heartbeat:
                self._beat_waits = False
        self._inbox.done(messages)
        for outcome in outcomes:
            for ack in outcome.acks:
                self._publish_ack(link, ack)
            for lot_id in outcome.states:
                self._publish_state(link, lot_id)
        for message in messages:
            link.confirm(message)

    def _publish_ack(self, link: Link, ack: Ack) -> None:
        try:
            payload = publish.ack_payload(ack, self._clock())
            if ack.reply is None:
                link.publish(ack.topic.ack_topic, payload)
            else:
                self._counters.pushed[ack.result] += 1
                link.publish(ack.reply.topic, payload, correlation=ack.reply.correlation)
        except Exception:
            shown, _, _ = masking.mask_topic(
                f"{ROOT}/feeds/{ack.topic.gateway_id}", self._writer.known.registry
            )
            log.exception("an ack could not be made", topic=shown)

    def _publish_state(self, link: Link, lot_id: str) -> None:
        """Publish a lot's state, retained; clear the broker's copy where the lot has no state."""
        committed = self._writer.known.committed.get(lot_id)
        try:
            payload = publish.state_payload(lot_id, committed) if committed else b""
            link.publish(state_topic(lot_id), payload, retain=True)
        except Exception:
            log.exception("a state could not be made", lot=lot_id)

    async def _publish_all(self, link: Link) -> None:
        lot_ids = self._writer.known.registry.lots.keys() | self._writer.known.take_changed()
        for index, lot_id in enumerate(lot_ids):
            self._publish_state(link, lot_id)
            if index % PUBLISH_CHUNK == 0:
                await asyncio.sleep(0)
                await link.room()
