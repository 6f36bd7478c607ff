"""How fresh answers are: from the sending of a marked change to the answer that shows it.

The mark is the moment of observation, to the millisecond, which no two changes share: an answer
that carries it and yet another state of the bay is wrong, and one that carries another shows an
earlier change. Every other change is awaited at `/v1/nearest`,
the others at `/v1/lots/{lot_id}/spaces`.
"""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

from load_tests.bodies import Body
from load_tests.catalogue import Lot
from load_tests.feeding import Message
from load_tests.kinds import ACK, FRESH, LOT_SPACES, NEAREST
from load_tests.plan import Plan
from load_tests.publisher import Publisher
from load_tests.samples import Recorder
from simulators.feeds import rfc3339

_SHOWN_WITHIN_S: Final = 10.0
_ACKED_WITHIN_S: Final = 10.0
_POLL_EVERY_S: Final = 0.005
# Random pauses between changes, so that they do not keep step with the platform's batches.
_LONGEST_PAUSE_S: Final = 0.1


class WrongChangeError(Exception):
    """An answer carries the mark of a change and not the change."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A change as an answer should show it."""

    lot: Lot
    number: int
    state: str
    free_spaces: int
    observed_at: datetime

    def shown_by_spaces(self, body: Body) -> bool:
        """Return whether an answer of `/v1/lots/{lot_id}/spaces` shows the change.

        Raises:
            WrongChangeError: It carries the mark but not the change.
        """
        if not _carries(body, self.observed_at):
            return False
        if body["items"][self.number - 1]["state"] != self.state:
            raise WrongChangeError("the mark is there and the bay has another state")
        return True

    def shown_by_nearest(self, body: Body) -> bool:
        """Return whether an answer of `/v1/nearest` shows the change.

        Raises:
            WrongChangeError: It carries the mark but not the change.
        """
        for lot in body["lots"]:
            if lot["lot_id"] == self.lot.lot_id and _carries(lot, self.observed_at):
                if lot["free_spaces"] != self.free_spaces:
                    raise WrongChangeError("the mark is there and the free spaces are others")
                return True
        return False


def _carries(body: Body, mark: datetime) -> bool:
    text = body["observed_at"]
    return text is not None and datetime.fromisoformat(text) == mark


class Probe:
    """Sends marked changes as one gateway, and watches for them over HTTP.

    Args:
        plan: Where the API and the broker are, and the seed of bays and pauses. It has one gateway,
            which nobody else plays meanwhile, with one lot that senses its bays and is open.

    Attributes:
        recorder: Gets the time until each change was shown, and until each ack.
        publisher: The gateway; it counts the problems of changes too.
        changes: How many were shown.
        polls: How often it was asked whether one is shown.
    """

    def __init__(self, plan: Plan) -> None:
        (gateway,) = plan.gateways
        (self._lot,) = plan.lots_of(gateway)
        self._random = Random(plan.seed)  # noqa: S311 - load, no secret
        self._last_mark = datetime.now(UTC)
        self.changes = self.polls = 0
        self.recorder = Recorder()
        self.publisher = Publisher(plan, gateway, self.recorder, f"{ACK} marked")
        address = urlsplit(plan.http)
        self._http = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5.0)

    def run(self, changes: int, deadline_s: float) -> None:
        """Report the lot's state, then send changes, each when the one before is shown.

        Args:
            changes: How many.
            deadline_s: On the clock `perf_counter`: then it ends with fewer.

        Raises:
            NotAckedError: The lot's state is not acked.
        """
        try:
            self.publisher.open(perf_counter() + _ACKED_WITHIN_S)
            for change in range(changes):
                if perf_counter() > deadline_s:
                    self.publisher.problems["too slow for the wanted number of changes"] += 1
                    return
                time.sleep(self._random.uniform(0.0, _LONGEST_PAUSE_S))
                self._change(by_nearest=bool(change % 2))
        finally:
            self.publisher.close(perf_counter() + _ACKED_WITHIN_S)
            self._http.close()

    def _change(self, *, by_nearest: bool) -> None:
        mark, message, sent_s = self._next()
        self.publisher.publish(message)
        lot = self._lot
        if by_nearest:
            path = f"/v1/nearest?lon={lot.longitude}&lat={lot.latitude}&limit=5&min_free=0"
            kind, shows = f"{FRESH} {NEAREST}", mark.shown_by_nearest
        else:
            path = f"/v1/lots/{lot.lot_id}/spaces"
            kind, shows = f"{FRESH} {LOT_SPACES}", mark.shown_by_spaces
        try:
            shown_s = self._await(path, shows, sent_s + _SHOWN_WITHIN_S)
        except (WrongChangeError, OSError, http.client.HTTPException, LookupError) as error:
            self.publisher.problems[f"{kind}: {error}"] += 1
            return
        self.changes += 1
        self.recorder.add(kind, time.time(), (shown_s - sent_s) * 1000)

    def _next(self) -> tuple[Mark, Message, float]:
        feed, lot_id = self.publisher.feed, self._lot.lot_id
        number, now = self._random.randint(1, self._lot.capacity), datetime.now(UTC)
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last_mark = max(at, self._last_mark + timedelta(milliseconds=1))
        sent_s = perf_counter()
        message = feed.toggle(lot_id, number, rfc3339(self._last_mark), sent_s)
        state = "occupied" if feed.is_occupied(lot_id, number) else "free"
        free = feed.free_spaces(lot_id)
        return Mark(self._lot, number, state, free, self._last_mark), message, sent_s

    def _await(self, path: str, shows: Callable[[Body], bool], deadline_s: float) -> float:
        """Ask, one question at a time, until the answer shows the change.

        Returns:
            When that answer was there, on the clock `perf_counter`.

        Raises:
            WrongChangeError: No answer shows it in time, or one shows it wrongly.
        """
        while perf_counter() < deadline_s:
            self._http.request("GET", path)
            text = self._http.getresponse().read()
            now_s = perf_counter()
            self.polls += 1
            if shows(json.loads(text)):
                return now_s
            time.sleep(_POLL_EVERY_S)
        raise WrongChangeError("a change is not shown in time")
