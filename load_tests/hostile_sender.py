"""Sends the hostile set, one request a connection, and times the answers."""

import contextlib
import re
import socket
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from load_tests.hostile import REFUSED, Hostile, Operation, operations

WITHIN_S: Final = 10.0
_FURTHER_S: Final = 0.3
_LENGTH: Final = b"content-length:"
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass(frozen=True)
class Told:
    """An answer.

    Attributes:
        status: Of the first answer; None where none came in `WITHIN_S`.
        answers: How many there were.
        took_s: From the last byte sent to the last of the first answer.
    """

    status: int | None
    answers: int
    took_s: float


def senders(
    url: str, document: Mapping[str, Any], roles: Mapping[str, dict[str, str]], gateway: str
) -> list[Operation]:
    """Return every operation with the headers of a role that it lets in.

    Found by asking each with a parameter that none has, which changes nothing.

    Args:
        url: Where the API is.
        document: As it says itself.
        roles: The headers of each role.
        gateway: The one that has a password among them.

    Raises:
        LookupError: An operation lets nobody in.
    """
    known = {"gateway_id": gateway}
    found = {}
    with httpx.Client(base_url=url, timeout=WITHIN_S) as client:
        for operation in operations(document, {}, known):
            target = operation.target()
            mark = "&" if "?" in target else "?"
            for headers in roles.values():
                answer = client.request(
                    operation.method, f"{target}{mark}colour=red", headers=headers
                )
                if answer.status_code not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                    found[operation.name] = headers
                    break
            else:
                raise LookupError(f"{operation.name} lets nobody in")
    return operations(document, found, known)


def send(url: str, sent: bytes) -> Told:
    """Send some bytes over a connection of their own, and read what comes back.

    Args:
        url: Where the API is.
        sent: All that is sent.
    """
    at = urlsplit(url)
    with socket.create_connection((at.hostname or "", at.port or 80), WITHIN_S) as connection:
        # Where it has answered already, it may read no more.
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        began = time.perf_counter()
        first, took_s = b"", WITHIN_S
        with contextlib.suppress(OSError):
            first = _first(connection)
            took_s = time.perf_counter() - began
            if b"connection: close" not in first.lower():
                # A further answer, to what was no request, would come soon.
                connection.settimeout(_FURTHER_S)
            while piece := connection.recv(65_536):
                first += piece
    statuses = _STATUS.findall(first)
    return Told(int(statuses[0]) if statuses else None, len(statuses), took_s)


def _first(connection: socket.socket) -> bytes:
    """Read one answer: its head, and as much more as it says; to the end where it does not."""
    got = b""
    while True:
        head, end, rest = got.partition(b"\r\n\r\n")
        if end:
            lines = head.lower().split(b"\r\n")
            lengths = [line[len(_LENGTH) :] for line in lines if line.startswith(_LENGTH)]
            # The stream has no end, and no length.
            if not lengths or len(rest) >= int(lengths[0]):
                return got
        piece = connection.recv(65_536)
        if not piece:
            return got
        got += piece


@dataclass
class Outcome:
    """What came of the set.

    Attributes:
        statuses: How often each status was answered.
        wrong: Requests that were answered otherwise than they may be, or not, or twice.
        times_s: How long each answer took, by request, of all times that it was sent.
        refusals_s: How long those took that were refusals (4xx).
    """

    statuses: Counter[int | None] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)
    times_s: dict[str, list[float]] = field(default_factory=dict)
    refusals_s: list[float] = field(default_factory=list)

    def slowest(self) -> tuple[str, float]:
        """Return which request was answered last, by its median, in seconds."""
        medians = {name: statistics.median(times) for name, times in self.times_s.items()}
        name = max(medians, key=lambda each: medians[each])
        return name, medians[name]

    def percentile(self, share: float) -> float:
        """Return the time that such a share of all refusals took at most, in seconds."""
        times = sorted(self.refusals_s)
        return times[min(len(times) - 1, int(share * len(times)))]


def send_all(url: str, hostile: Iterable[Hostile], times: int = 1) -> Outcome:
    """Send every request so many times, one after the other."""
    outcome = Outcome()
    for each in hostile:
        for _ in range(times):
            told = send(url, each.sent)
            outcome.statuses[told.status] += 1
            outcome.times_s.setdefault(each.name, []).append(told.took_s)
            if told.status in REFUSED:
                outcome.refusals_s.append(told.took_s)
            if told.status not in each.allowed or told.answers != 1:
                outcome.wrong[each.name] = f"{told.status}, {told.answers} answers"
    return outcome
