"""The outbox of one lot: it numbers reports, sends them, and sends them again. No I/O.

Reports are sent in the order in which they were added. Each gets its number when it is first sent,
stays in the outbox until its ack comes, and is sent again after a reconnect or a time-out. While
the gateway is connected and reports come faster than acks, those that wait are merged: a slow
platform gets fewer messages, and not older ones. Times are seconds on any steady clock.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulators.feeds import RETRY_MAX_S, RETRY_MIN_S, Ack, Kind, Report, merge

IN_FLIGHT_MAX = 16
# Most reports that wait for a connection; beyond it one of the whole state replaces them all.
WAITING_MAX = 64
ACK_TIMEOUT_S = 30.0
ACK_TIMEOUT_MAX_S = 600.0
# Waits become longer by up to this share, by chance, so that lots do not send all at once.
JITTER = 0.25
RENUMBER_S = 1.0
RENUMBER_MAX_S = 600.0
# The platform accepts epochs at most a day ahead; an hour of it is left for differences of clocks.
EPOCH_AHEAD_MAX_S = 23 * 3_600
NOTHING = (-1, 0)


@dataclass(frozen=True, slots=True)
class Message:
    """A numbered report as it goes on the wire."""

    kind: Kind
    epoch: int
    seq: int
    payload: bytes


@dataclass(slots=True)
class _Sent:
    """A message in flight.

    Attributes:
        due_s: when it is sent (again).
        wait_s: how long its ack may take before that counts as a time-out.
        awaited: whether it has been sent and its ack is missing: then `due_s` is its time-out.
    """

    message: Message
    due_s: float = 0.0
    wait_s: float = ACK_TIMEOUT_S
    awaited: bool = False


class Outbox:
    """The outbox of one lot.

    Args:
        new_epoch: returns the Unix second, which is the epoch of a new numbering.
        whole_state: reports the whole lot as it is now; None while nothing is known.
        rng: for jitter.
        window: messages that may be in flight, at most IN_FLIGHT_MAX.
        merging: whether reports that wait may be merged into one; if not, every report is sent,
            and the caller limits their number.
    """

    def __init__(
        self,
        new_epoch: Callable[[], int],
        whole_state: Callable[[], Report | None],
        rng: random.Random,
        *,
        window: int = IN_FLIGHT_MAX,
        merging: bool = True,
    ) -> None:
        self._new_epoch = new_epoch
        self._whole_state = whole_state
        self._rng = rng
        self._window = window
        self._merging = merging
        self._connected = False
        self._waiting: deque[Report] = deque()
        self._sent: dict[tuple[int, int], _Sent] = {}
        self._last_state = NOTHING
        self._paused_until_s = 0.0
        self._renumber_wait_s = RENUMBER_S
        self.epoch = new_epoch()
        self.seq = 0

    def __len__(self) -> int:
        """Count the reports that are not acked yet, sent or not."""
        return len(self._waiting) + len(self._sent)

    @property
    def in_flight(self) -> int:
        """Count messages that have a number and no ack yet."""
        return len(self._sent)

    @property
    def has_waiting(self) -> bool:
        """Whether a report waits for its number."""
        return bool(self._waiting)

    @property
    def has_room(self) -> bool:
        """Whether the caller may add another report, where it limits their number."""
        return len(self) < IN_FLIGHT_MAX

    def add(self, report: Report) -> None:
        """Add a report, which is sent after those that wait already."""
        if self._merging and self._connected and self._waiting:
            merged = merge(self._waiting[-1], report) or self._whole_state()
            if merged is not None:
                self._waiting[-1] = merged
                return
        self._waiting.append(report)
        if self._merging and len(self._waiting) > WAITING_MAX:
            state = self._whole_state()
            if state is not None:
                self._waiting = deque([state])

    def add_whole_state(self) -> None:
        """Add a report of the lot's whole state, unless the last that waits is such a report."""
        if self._waiting and self._waiting[-1].is_whole_state:
            return
        state = self._whole_state()
        if state is not None:
            self.add(state)

    def due(self, now_s: float) -> list[Message]:
        """Return the messages to send now, and note them as sent; those sent before come first."""
        if now_s < self._paused_until_s:
            return []
        due = [sent for sent in self._sent.values() if sent.due_s <= now_s]
        self._back_off([sent for sent in due if sent.awaited])
        while self._waiting and len(self._sent) < self._window:
            due.append(self._number(self._waiting.popleft()))
        for sent in due:
            sent.awaited = True
            sent.due_s = now_s + sent.wait_s * self._lengthen()
        return [sent.message for sent in due]

    def _lengthen(self) -> float:
        return 1.0 + JITTER * self._rng.random()

    def _back_off(self, timed_out: list[_Sent]) -> None:
        """Wait longer for the acks of these messages, and send the whole state too.

        The whole state is not sent again if it is in flight under a higher number than all of them.
        """
        for sent in timed_out:
            sent.wait_s = min(2 * sent.wait_s, ACK_TIMEOUT_MAX_S)
        last = max(((s.message.epoch, s.message.seq) for s in timed_out), default=None)
        if last is not None and not (self._last_state > last and self._last_state in self._sent):
            self.add_whole_state()

    def _number(self, report: Report) -> _Sent:
        self.seq += 1
        number = (self.epoch, self.seq)
        # Where acks of the lot are late already, the new message waits as long for its own.
        wait_s = max((sent.wait_s for sent in self._sent.values()), default=ACK_TIMEOUT_S)
        sent = _Sent(Message(report.kind, *number, report.encode(*number)), wait_s=wait_s)
        self._sent[number] = sent
        if report.is_whole_state:
            self._last_state = number
        return sent

    def next_due_s(self) -> float | None:
        """Return when `due` may have a message; None if it needs a new report or an ack first."""
        times = [sent.due_s for sent in self._sent.values()]
        if self._waiting and len(self._sent) < self._window:
            times.append(0.0)
        return max(min(times), self._paused_until_s) if times else None

    def reconnected(self) -> None:
        """Make all messages in flight due now, and add the whole state after what waits."""
        for sent in self._sent.values():
            sent.due_s, sent.wait_s, sent.awaited = 0.0, ACK_TIMEOUT_S, False
        self.add_whole_state()
        self._connected = True

    def disconnected(self) -> None:
        """Merge no reports from now on: nobody knows when the platform gets them."""
        self._connected = False

    def settle(self, ack: Ack, now_s: float) -> bool:
        """Apply an ack; return False if it answers no message in flight."""
        number = ack.number
        sent = None if number is None else self._sent.get(number)
        if number is None or sent is None:
            return False
        if ack.result == "deferred":
            self._defer(sent, now_s + min(max(ack.retry_s, RETRY_MIN_S), RETRY_MAX_S))
            return True
        del self._sent[number]
        if ack.result in ("applied", "duplicate"):
            self._renumber_wait_s = RENUMBER_S
        elif ack.result == "superseded":
            last = number if ack.last is None else (ack.last.epoch, ack.last.seq)
            self._superseded(number, last, now_s)
        else:
            self._refused(number, ack, sent.message.kind)
        return True

    def _defer(self, sent: _Sent, until_s: float) -> None:
        """Send nothing for the lot until then: later messages would overtake the deferred one."""
        sent.due_s, sent.wait_s, sent.awaited = until_s, ACK_TIMEOUT_S, False
        self._paused_until_s = max(self._paused_until_s, until_s)

    def _refused(self, number: tuple[int, int], ack: Ack, kind: Kind) -> None:
        """Drop a refused message; send the whole state if changes of bays were quarantined.

        A whole state that is refused is not sent again: it would be refused again.
        """
        if number == self._last_state:
            self._last_state = NOTHING  # it corrects nothing
        if ack.result == "quarantined" and kind == "spaces":
            self.add_whole_state()

    def _superseded(self, number: tuple[int, int], last: tuple[int, int], now_s: float) -> None:
        """Send the whole state under a number above `last`, the platform's last one.

        Not if a whole state with such a number is applied or in flight already.
        """
        if self._last_state > number and self._last_state >= last:
            return
        if number == (self.epoch, self.seq) or last > (self.epoch, self.seq):
            self._renumber(last, now_s)
        self.add_whole_state()

    def _renumber(self, last: tuple[int, int], now_s: float) -> None:
        """Number above `last` from now on: in a new epoch, or in its epoch if that is far ahead.

        This happens when the clock was set back before a restart, or while another device reports
        under this one's name; the wait before it doubles each time.
        """
        self._paused_until_s = now_s + self._renumber_wait_s * self._lengthen()
        self._renumber_wait_s = min(2 * self._renumber_wait_s, RENUMBER_MAX_S)
        now_epoch = self._new_epoch()
        epoch = max(now_epoch, self.epoch + 1, last[0] + 1)
        if epoch <= now_epoch + EPOCH_AHEAD_MAX_S:
            self.epoch, self.seq = epoch, 0
        else:
            self.epoch, self.seq = last
