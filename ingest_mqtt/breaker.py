"""The circuit breaker: decides when the ingester stops taking messages because of its own fault.

A message that cannot be handled is refused alone. But a fault that many share is the platform's:

| reason | within one minute |
|---|---|
| `internal` | messages of more than 3 gateways, of 2 operators at least, fail by a fault of ours |
| `clock` | 3 operators' clocks or more are ahead, and fewer operators' clocks are in time |

Then messages wait, unacknowledged, until the fault is over; refused, they would leave the gateways'
outboxes. One operator alone cannot stop the ingester, whatever it sends and however many gateways
it has. Operators whose clocks are ahead cannot keep it stopped while others are in time.
"""

from collections.abc import Mapping

from ingest_mqtt.effects import Outcome

WINDOW_S = 60.0
# More gateways than this, of this many operators (of the only one, where there is one).
MOST_INTERNAL_GATEWAYS = 3
INTERNAL_OPERATORS = 2
CLOCK_OPERATORS = 3
AHEAD = "observed_ahead"
# Seconds until messages are tried again.
RETRY_S = {"internal": 60.0, "clock": 1.0}


class StoppedError(Exception):
    """No messages are taken for now.

    Attributes:
        reason: `internal` or `clock`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Breaker:
    """Counts who failed within the last minute.

    Attributes:
        stopped: Why no messages are taken; None while they are.
    """

    def __init__(self) -> None:
        self.stopped: str | None = None
        self._internal: dict[str, float] = {}
        self._ahead: dict[str, float] = {}
        # Operators in time since the first of those that are ahead.
        self._in_time: dict[str, float] = {}

    def check(self, outcome: Outcome, operators: Mapping[str, str], now_s: float) -> None:
        """Count a batch's faults before it is committed, and stop where they are too many.

        Args:
            outcome: The batch's.
            operators: Each registered gateway's operator; others do not count.
            now_s: A clock that never steps, in seconds.

        Raises:
            StoppedError: The batch must not be committed.
        """
        failed, ahead = _faults(outcome, operators)
        # Trying again while stopped: no gateway more loses a message to the same fault.
        if self.stopped == "internal" and failed:
            raise StoppedError(self.stopped)
        if self.stopped:
            self._internal.clear()
            self._ahead.clear()
            self._in_time.clear()
        _mark(self._internal, failed, now_s)
        _mark(self._ahead, ahead, now_s)
        _mark(self._in_time, _in_time(outcome, operators) - ahead if self._ahead else set(), now_s)
        verdict = self._verdict(operators)
        if verdict:
            self.stopped = verdict
            raise StoppedError(verdict)

    def _verdict(self, operators: Mapping[str, str]) -> str | None:
        if CLOCK_OPERATORS <= len(self._ahead) > len(self._in_time.keys() - self._ahead.keys()):
            return "clock"
        needed = min(INTERNAL_OPERATORS, len(set(operators.values())))
        theirs = {operators.get(gateway) for gateway in self._internal}
        if len(self._internal) > MOST_INTERNAL_GATEWAYS and len(theirs) >= needed:
            return "internal"
        return None


def _faults(outcome: Outcome, operators: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Return gateways whose messages we failed to handle, and operators whose clocks are ahead."""
    known = [letter for letter in outcome.dead_letters if letter.gateway_id in operators]
    failed = {one.gateway_id for one in known if one.rejection.reason == "internal"}
    ahead = {operators[one.gateway_id] for one in known if one.rejection.reason == AHEAD}
    return failed, ahead


def _in_time(outcome: Outcome, operators: Mapping[str, str]) -> set[str]:
    """Return operators whose messages are recent: they show that our clock is not behind."""
    return {
        operators[ack.topic.gateway_id]
        for ack in outcome.acks
        if ack.result == "applied"
        and ack.age_s is not None
        and ack.age_s <= WINDOW_S
        and ack.topic.gateway_id in operators
    }


def _mark(seen: dict[str, float], names: set[str], now_s: float) -> None:
    for name in [name for name, at in seen.items() if now_s - at > WINDOW_S]:
        del seen[name]
    seen.update(dict.fromkeys(names, now_s))
