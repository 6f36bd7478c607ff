"""One lot's numbering and outbox: what to send, what to send again, what an ack does. No I/O.

Reports leave in the order in which they came. Each gets its number when it is first sent, stays
until its ack, and goes again after a reconnect or a time-out. While the gateway is connected and
reports come faster than acks, those that wait are merged: a slow platform is told less, not later.
Seconds on any steady clock come in.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulators.feeds import RETRY_MAX_S, RETRY_MIN_S, Ack, Kind, Report, merge

IN_FLIGHT_MAX = 16
# Reports that wait for a connection; beyond it the whole state stands for them all.
WAITING_MAX = 64
ACK_TIMEOUT_S = 30.0
ACK_TIMEOUT_MAX_S = 600.0
# Waits are lengthened by up to this share, so that lots do not fall into step.
JITTER = 0.25
RENUMBER_S = 1.0
RENUMBER_MAX_S = 600.0
# The platform takes epochs at most a day ahead; an hour of it is left for the difference of clocks.
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
        due_s: when it is to be sent (again).
        wait_s: how long its ack may take before that counts as a time-out.
        awaited: whether its ack is being waited for, so that its falling due is a time-out.
    """

    message: Message
    due_s: float = 0.0
    wait_s: float = ACK_TIMEOUT_S
    awaited: bool = False


class Outbox:
    """The outbox of one lot.

    Args:
        new_epoch: gives the Unix second at which a numbering starts.
        whole_state: reports the whole lot as it is now; None while nothing is known.
        rng: for jitter.
        window: messages that may be in flight, at most IN_FLIGHT_MAX.
        merging: whether one report may stand for several that wait; if not, every report matters
            and the caller bounds them.
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
        self._last_whole = NOTHING
        self._held_until_s = 0.0
        self._renumber_wait_s = RENUMBER_S
        self.epoch = new_epoch()
        self.seq = 0

    def __len__(self) -> int:
        """Count what is not acked yet, sent or not."""
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
        """Whether the caller may add another report, where it bounds them."""
        return len(self) < IN_FLIGHT_MAX

    def add(self, report: Report) -> None:
        """Take a report to be sent after those that wait already."""
        if self._merging and self._connected and self._waiting:
            self._merge_last(report)
            return
        self._waiting.append(report)
        if self._merging and len(self._waiting) > WAITING_MAX:
            self._replace_waiting()

    def _merge_last(self, report: Report) -> None:
        """Let the last that waits tell `report` too."""
        merged = merge(self._waiting[-1], report) or self._whole_state()
        if merged is None:
            self._waiting.append(report)
        else:
            self._waiting[-1] = merged

    def _replace_waiting(self) -> None:
        whole = self._whole_state()
        if whole is not None:
            self._waiting.clear()
            self._waiting.append(whole)

    def add_whole_state(self) -> None:
        """Take the lot's whole state to be sent, unless it is the last to be sent already."""
        if self._waiting and self._waiting[-1].whole:
            return
        whole = self._whole_state()
        if whole is not None:
            self.add(whole)

    def due(self, now_s: float) -> list[Message]:
        """Give the messages to send now, those sent before first; they count as sent."""
        if now_s < self._held_until_s:
            return []
        leaving = [sent for sent in self._sent.values() if sent.due_s <= now_s]
        self._back_off([sent for sent in leaving if sent.awaited])
        while self._waiting and len(self._sent) < self._window:
            leaving.append(self._number(self._waiting.popleft()))
        for sent in leaving:
            sent.awaited = True
            sent.due_s = now_s + sent.wait_s * self._lengthen()
        return [sent.message for sent in leaving]

    def _lengthen(self) -> float:
        return 1.0 + JITTER * self._rng.random()

    def _back_off(self, timed_out: list[_Sent]) -> None:
        """Wait longer for the acks of these, and send the whole state too.

        One that is on its way already with a higher number than all of these does.
        """
        for sent in timed_out:
            sent.wait_s = min(2 * sent.wait_s, ACK_TIMEOUT_MAX_S)
        last = max(((s.message.epoch, s.message.seq) for s in timed_out), default=None)
        if last is not None and not (self._last_whole > last and self._last_whole in self._sent):
            self.add_whole_state()

    def _number(self, report: Report) -> _Sent:
        self.seq += 1
        number = (self.epoch, self.seq)
        # A lot whose acks are late already waits as long for the new one's.
        wait_s = max((sent.wait_s for sent in self._sent.values()), default=ACK_TIMEOUT_S)
        sent = _Sent(Message(report.kind, *number, report.encode(*number)), wait_s=wait_s)
        self._sent[number] = sent
        if report.whole:
            self._last_whole = number
        return sent

    def next_due_s(self) -> float | None:
        """Give the time at which `due` may have something; None if only a call or ack can."""
        times = [sent.due_s for sent in self._sent.values()]
        if self._waiting and len(self._sent) < self._window:
            times.append(0.0)
        return max(min(times), self._held_until_s) if times else None

    def reconnected(self) -> None:
        """Make everything in flight due at once, with the whole state behind what waits."""
        for sent in self._sent.values():
            sent.due_s, sent.wait_s, sent.awaited = 0.0, ACK_TIMEOUT_S, False
        self.add_whole_state()
        self._connected = True

    def disconnected(self) -> None:
        """Keep each report apart from now on: when the platform hears of it is open."""
        self._connected = False

    def settle(self, ack: Ack, now_s: float) -> bool:
        """Do what an ack says; False if it answers nothing in flight."""
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
        """Hold the whole lot: what follows would overtake the deferred message."""
        sent.due_s, sent.wait_s, sent.awaited = until_s, ACK_TIMEOUT_S, False
        self._held_until_s = max(self._held_until_s, until_s)

    def _refused(self, number: tuple[int, int], ack: Ack, kind: Kind) -> None:
        """Drop a refused message; bays that were not believed are told again as a whole state.

        A whole state that is refused is not sent again: it would be refused again.
        """
        if number == self._last_whole:
            self._last_whole = NOTHING  # it heals nothing
        if ack.result == "quarantined" and kind == "spaces":
            self.add_whole_state()

    def _superseded(self, number: tuple[int, int], last: tuple[int, int], now_s: float) -> None:
        """Heal with the whole state above `last`, the platform's last number.

        Unless a whole state from there on is applied or on its way already.
        """
        if self._last_whole > number and self._last_whole >= last:
            return
        if number == (self.epoch, self.seq) or last > (self.epoch, self.seq):
            self._renumber(last, now_s)
        self.add_whole_state()

    def _renumber(self, last: tuple[int, int], now_s: float) -> None:
        """Number above `last` from now on: in a new epoch, or in its own if that is far ahead.

        So it is after the clock was set back over a restart, or while another device reports
        under this one's name; each time doubles the wait.
        """
        self._held_until_s = now_s + self._renumber_wait_s * self._lengthen()
        self._renumber_wait_s = min(2 * self._renumber_wait_s, RENUMBER_MAX_S)
        now_epoch = self._new_epoch()
        epoch = max(now_epoch, self.epoch + 1, last[0] + 1)
        if epoch <= now_epoch + EPOCH_AHEAD_MAX_S:
            self.epoch, self.seq = epoch, 0
        else:
            self.epoch, self.seq = last
