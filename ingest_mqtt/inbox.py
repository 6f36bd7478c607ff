"""The inbox: messages that have come in and wait to be committed, bounded in number and bytes.

At QoS 1 no more are read from the broker while the inbox is full (`ingest_mqtt.link`). At QoS 0
nothing holds messages back: those beyond the bounds here are dropped and counted.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from ingest_mqtt.effects import Received
from ingest_mqtt.wire import HEARTBEAT

MOST_QOS_0 = 1000
MOST_QOS_0_BYTES = 6 * 2**20
MOST_QOS_1 = 1000
MOST_QOS_1_BYTES = 16 * 2**20
BATCH_BYTES = 4 * 2**20


class Inbox:
    """A queue of messages; messages that were taken count as waiting until they are done.

    Args:
        batch_messages: Most messages of a batch.

    Attributes:
        reports: Reports that wait, or are being committed.
    """

    def __init__(self, batch_messages: int) -> None:
        self._batch_messages = batch_messages
        self._queue: deque[Received] = deque()
        # Messages and bytes by QoS.
        self._messages = [0, 0]
        self._bytes = [0, 0]
        self.reports = 0

    def __len__(self) -> int:
        """Return the number of messages that could be taken."""
        return len(self._queue)

    @property
    def has_batch(self) -> bool:
        """Whether there are enough messages for a full batch."""
        return len(self._queue) >= self._batch_messages

    @property
    def is_full(self) -> bool:
        """Whether no more should be read for now, of what can be held back."""
        return self._messages[1] >= MOST_QOS_1 or self._bytes[1] >= MOST_QOS_1_BYTES

    def put(self, message: Received) -> bool:
        """Add a message; return False where there is no room for one at QoS 0."""
        if message.qos == 0 and message.topic != HEARTBEAT and not self._has_room(message):
            return False
        self._count(message, 1)
        self._queue.append(message)
        return True

    def _has_room(self, message: Received) -> bool:
        size = self._bytes[0] + len(message.payload)
        return self._messages[0] < MOST_QOS_0 and size <= MOST_QOS_0_BYTES

    def _count(self, message: Received, sign: int) -> None:
        self.reports += sign * message.is_report
        level = min(message.qos, 1)
        self._messages[level] += sign
        self._bytes[level] += sign * len(message.payload)

    def take(self) -> list[Received]:
        """Return the next batch; it counts as waiting until `done` or `put_back`."""
        batch: list[Received] = []
        size = 0
        while self._queue and len(batch) < self._batch_messages and size < BATCH_BYTES:
            batch.append(self._queue.popleft())
            size += len(batch[-1].payload)
        return batch

    def put_back(self, messages: list[Received]) -> None:
        """Put messages that were taken and not committed back to the front."""
        self._queue.extendleft(reversed(messages))

    def done(self, messages: Iterable[Received]) -> None:
        """Forget messages that were taken."""
        for message in messages:
            self._count(message, -1)

    def forget_earlier(self, connection: int) -> int:
        """Forget messages of earlier connections at QoS 1: the broker delivers them again.

        Returns:
            How many reports are gone.
        """
        before = self.reports
        gone = [one for one in self._queue if one.qos > 0 and one.connection < connection]
        self._queue = deque(m for m in self._queue if m.qos == 0 or m.connection >= connection)
        self.done(gone)
        return before - self.reports

    def restamp(self, now: datetime) -> None:
        """Stamp all that waits as received now: the clock was wrong when it came in."""
        self._queue = deque(replace(message, received_at=now) for message in self._queue)
