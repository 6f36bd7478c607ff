"""One gateway on the network: it connects, sends what its lots' outboxes hold, and reads acks."""

import asyncio
import contextlib
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import aiomqtt
import orjson
import structlog
from aiomqtt.exceptions import MqttConnectError

from simulators.feeds import Ack, Report, ack_filter, feed_topic, lot_of_ack, parse_ack
from simulators.outbox import Message, Outbox
from simulators.registry import Broker, Credentials
from simulators.stopping import end_tasks, unless

RECONNECT_S = 1.0
RECONNECT_MAX_S = 60.0
# After a connection that lasted this long, the wait before the next one is short again.
GOOD_CONNECTION_S = 10.0
FAREWELL_S = 1.0
BROKER_TIMEOUT_S = 10.0
# Small messages leave at once instead of waiting some 40 ms for the one before to be confirmed.
NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

log = structlog.get_logger(__name__)


class Gateway:
    """A gateway that reports for the lots of its outboxes, as docs/contract/feeds.md asks.

    It sends its `status` on the topic of its first lot, since a last will has one topic only.

    Args:
        broker: where to connect.
        credentials: user name (also the client id) and password.
        outboxes: by lot id; at least one.
        rng: for the length of the waits before it connects again.
        clock: steady seconds, the same for all calls to the outboxes.
        on_ack: called with each ack that answers a message, after the outbox has applied it.

    Attributes:
        connected: set while the gateway is connected and subscribed to its acks.
        acks: acks applied, by result.
        sent: messages sent to the broker; one that is sent twice counts twice.
        connections: how often it connected.
        last_error: why it is not connected; None if nothing failed since the last connection.
    """

    def __init__(
        self,
        broker: Broker,
        credentials: Credentials,
        outboxes: Mapping[str, Outbox],
        *,
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
        on_ack: Callable[[str, Ack], None] = lambda _lot_id, _ack: None,
    ) -> None:
        self._broker = broker
        self._credentials = credentials
        self._outboxes = outboxes
        self._rng = rng
        self._clock = clock
        self._on_ack = on_ack
        self._wake = asyncio.Event()
        self._refusals: set[tuple[str, str, str | None]] = set()
        self._status_topic = feed_topic(credentials.username, next(iter(outboxes)), "status")
        self._cut = asyncio.Event()
        self._whole = asyncio.Event()
        self._whole.set()
        self.connected = asyncio.Event()
        self.acks: Counter[str] = Counter()
        self.sent = 0
        self.connections = 0
        self.last_error: str | None = None

    @property
    def unacked(self) -> int:
        """Count the reports that are not acked yet, sent or not."""
        return sum(len(outbox) for outbox in self._outboxes.values())

    def add(self, lot_id: str, report: Report) -> None:
        """Add a report of one of its lots; it is sent as soon as possible."""
        self._outboxes[lot_id].add(report)
        self._wake.set()

    def add_whole_state(self, lot_id: str) -> None:
        """Send the whole state of a lot, unless it waits to be sent already."""
        self._outboxes[lot_id].add_whole_state()
        self._wake.set()

    def cut(self) -> None:
        """Lose the connection, and find none until `mend`; reports wait in the outboxes."""
        self._whole.clear()
        self._cut.set()

    def mend(self) -> None:
        """Let the gateway connect again."""
        self._cut.clear()
        self._whole.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until `stop` is set, then send `offline` and disconnect."""
        wait_s = RECONNECT_S
        while not stop.is_set():
            await _first_of(self._whole.wait(), stop.wait())
            began_s = self._clock()
            try:
                async with self._client() as client:
                    await self._serve(client, stop)
            except aiomqtt.MqttError as error:
                self._note_failure(error)
            except Exception as error:
                # A fault of ours, or of a library when the connection breaks: go on reporting.
                log.exception("gateway failed", gateway=self._credentials.username)
                self.last_error = repr(error)
            finally:
                self.connected.clear()
                for outbox in self._outboxes.values():
                    outbox.disconnected()
            if self._clock() - began_s >= GOOD_CONNECTION_S:
                wait_s = RECONNECT_S
            await unless(stop, wait_s * self._rng.uniform(0.5, 1.5))
            wait_s = min(2 * wait_s, RECONNECT_MAX_S)

    def _note_failure(self, error: aiomqtt.MqttError) -> None:
        reason = str(error)
        if isinstance(error, MqttConnectError) and reason != self.last_error:
            log.warning("gateway refused", gateway=self._credentials.username, error=reason)
        self.last_error = reason

    def _client(self) -> aiomqtt.Client:
        """Make a client for one connection; the outboxes keep what it does not send."""
        client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._credentials.username,
            password=self._credentials.password,
            identifier=self._credentials.username,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            timeout=BROKER_TIMEOUT_S,
            tls_context=self._broker.tls(),
            socket_options=[NO_DELAY],
            will=aiomqtt.Will(self._status_topic, orjson.dumps({"status": "offline"}), qos=1),
        )
        client.pending_calls_threshold = 100_000
        return client

    async def _serve(self, client: aiomqtt.Client, stop: asyncio.Event) -> None:
        await client.subscribe(ack_filter(self._credentials.username), qos=1)
        await self._send_status(client, "online")
        for outbox in self._outboxes.values():
            outbox.reconnected()
        self.connections += 1
        self.last_error = None
        self.connected.set()
        await _first_of(self._send(client), self._receive(client), self._cut.wait(), stop.wait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._send_status(client, "offline")

    async def _send_status(self, client: aiomqtt.Client, status: str) -> None:
        await client.publish(self._status_topic, orjson.dumps({"status": status}), qos=1)

    async def _send(self, client: aiomqtt.Client) -> None:
        """Publish all that is due, again and again."""
        while True:
            self._wake.clear()
            now_s = self._clock()
            due = [
                self._publish(client, lot_id, message)
                for lot_id, outbox in self._outboxes.items()
                for message in outbox.due(now_s)
            ]
            if len(due) == 1:
                await due[0]
            elif due:
                await asyncio.gather(*due)
            await self._sleep_until_due()

    async def _publish(self, client: aiomqtt.Client, lot_id: str, message: Message) -> None:
        topic = feed_topic(self._credentials.username, lot_id, message.kind)
        self.sent += 1
        await client.publish(topic, message.payload, qos=1)

    async def _sleep_until_due(self) -> None:
        times = [outbox.next_due_s() for outbox in self._outboxes.values()]
        next_s = min((time_s for time_s in times if time_s is not None), default=None)
        if next_s is None:
            await self._wake.wait()
            return
        delay_s = max(next_s - self._clock(), 0.0)
        timer = asyncio.get_running_loop().call_later(delay_s, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload
            if isinstance(payload, bytes):
                self._settle(lot_of_ack(str(message.topic)), payload)

    def _settle(self, lot_id: str, payload: bytes) -> None:
        ack = parse_ack(payload)
        outbox = self._outboxes.get(lot_id)
        if ack is None or outbox is None:
            log.warning("ack not understood", gateway=self._credentials.username, lot=lot_id)
            return
        if ack.number is None:
            self._log_refusal(lot_id, ack)  # of an unknown message: its time-out sends it again
        if not outbox.settle(ack, self._clock()):
            return
        self.acks[ack.result] += 1
        self._log_refusal(lot_id, ack)
        if outbox.has_waiting or ack.result == "deferred":
            self._wake.set()
        self._on_ack(lot_id, ack)

    def _log_refusal(self, lot_id: str, ack: Ack) -> None:
        """Log a refused message, but the same refusal of the same lot only once."""
        refusal = (lot_id, ack.result, ack.reason)
        if ack.result in ("rejected", "quarantined") and refusal not in self._refusals:
            self._refusals.add(refusal)
            log.warning(
                "report refused",
                gateway=self._credentials.username,
                lot=lot_id,
                epoch=ack.epoch,
                seq=ack.seq,
                result=ack.result,
                reason=ack.reason,
            )


async def _first_of(*coroutines: Coroutine[Any, Any, object]) -> None:
    """Run all until one ends, cancel the others, and raise the error of the one, if any."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_tasks(tasks)
    for task in done:
        task.result()
