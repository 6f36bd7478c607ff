"""Watches the platform from outside: its counters, its rows, and who uses the processors."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic
from typing import Final, Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

from load_tests.catalogue import Lot
from load_tests.machine import Usage
from load_tests.target import Target
from sql.engine import connected

_TIMEOUT_S: Final = 5.0
_LOOK_EVERY_S: Final = 1.0
_STATES: Final = "SELECT lot_id, free_spaces, occupied_bits FROM lot_state"
_EVENTS: Final = """
SELECT count(*) FROM space_event WHERE received_at >= $1 AND received_at < $2
"""


@dataclass(frozen=True)
class Ingested:
    """What the ingester committed in a stretch of time; messages by result."""

    passed_s: float
    observations: int
    observations_per_s: float
    messages: Mapping[str, int]
    commits: int


def scrape(url: str) -> dict[str, float]:
    """Read the ingester's counters and gauges, by name and labels with spaces between.

    Raises:
        httpx.HTTPError: It does not answer.
    """
    text = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False).raise_for_status().text
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
        if metric.name.startswith("ingest_") and metric.type in {"counter", "gauge"}
    }


@dataclass(frozen=True)
class Counters:
    """The ingester's counters and gauges at one moment (monotonic seconds), as `scrape` has them.

    Attributes:
        at_s: The moment.
        values: By name and labels.
    """

    at_s: float
    values: Mapping[str, float]

    @classmethod
    def read(cls, url: str) -> Self:
        """Ask the ingester.

        Raises:
            httpx.HTTPError: It does not answer.
        """
        before_s, values = monotonic(), scrape(url)
        return cls((before_s + monotonic()) / 2, values)

    def since(self, before: "Counters") -> Ingested:
        """Return what was done since an earlier reading."""
        passed_s, prefix = self.at_s - before.at_s, "ingest_messages_total "
        done = {name: value - before.values.get(name, 0.0) for name, value in self.values.items()}
        return Ingested(
            passed_s=passed_s,
            observations=int(done["ingest_observations_total"]),
            observations_per_s=done["ingest_observations_total"] / passed_s,
            messages={
                name.removeprefix(prefix): int(number)
                for name, number in done.items()
                if name.startswith(prefix)
            },
            commits=int(done["ingest_commits_total"]),
        )


async def with_states(lots: Sequence[Lot], database_url: str) -> tuple[Lot, ...]:
    """Return the lots with their committed states, for gateways that go on from them."""
    async with connected(database_url, "load_tests") as db:
        states = {row["lot_id"]: row for row in await db.fetch(_STATES)}
    return tuple(
        replace(lot, free_spaces=state["free_spaces"], occupied_bits=state["occupied_bits"])
        if (state := states.get(lot.lot_id))
        else lot
        for lot in lots
    )


async def count_events(database_url: str, start_s: float, end_s: float) -> int:
    """Count the stored changes of bays that were received in a stretch of time (Unix seconds)."""
    stretch = (datetime.fromtimestamp(at_s, UTC) for at_s in (start_s, end_s))
    async with connected(database_url, "load_tests") as db:
        return int(await db.fetchval(_EVENTS, *stretch))


class Watch:
    """Looks at the platform every second, in a thread of its own."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._readings: list[tuple[Usage, Counters | None]] = []
        self._ended = Event()
        self._thread = Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def ingested(self, start_s: float, end_s: float) -> Ingested | None:
        """Return what was committed in a stretch (Unix seconds, to the second)."""
        counters = [counters for _, counters in self._within(start_s, end_s) if counters]
        return counters[-1].since(counters[0]) if len(counters) > 1 else None

    def cores(self, start_s: float, end_s: float) -> dict[str, float]:
        """Return how many cores each program used in a stretch, on the average."""
        inside = self._within(start_s, end_s)
        # A difference needs two.
        return inside[-1][0].cores_since(inside[0][0]) if len(inside) > 1 else {}

    def _within(self, start_s: float, end_s: float) -> list[tuple[Usage, Counters | None]]:
        return [one for one in self._readings if start_s <= one[0].at_s <= end_s]

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_S):
            usage, counters = Usage.now(self._target.processes), None
            with contextlib.suppress(httpx.HTTPError):
                counters = Counters.read(self._target.metrics)
            self._readings.append((usage, counters))


def load_average() -> float:
    """Return how many processes wanted to run, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)
