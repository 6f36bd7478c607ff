"""The platform seen from beside: its counters, its rows, and who uses the processors."""

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic, time
from typing import Final, Self

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from load_tests.machine import busy_s, with_children
from load_tests.target import Target
from sql.engine import connected

_TIMEOUT_S: Final = 5.0
_LOOK_EVERY_S: Final = 1.0
_EVENTS: Final = """
SELECT count(*) FROM space_event WHERE received_at >= $1 AND received_at < $2
"""


@dataclass(frozen=True)
class Counters:
    """The ingester's counters at one moment (monotonic seconds)."""

    at_s: float
    observations: float
    messages: Mapping[str, float]
    commits: float

    def since(self, before: "Counters") -> "Ingested":
        """Return what was done since an earlier reading."""
        passed_s = self.at_s - before.at_s
        messages = {
            result: int(number - before.messages.get(result, 0.0))
            for result, number in self.messages.items()
        }
        return Ingested(
            passed_s=passed_s,
            observations=int(self.observations - before.observations),
            observations_per_s=(self.observations - before.observations) / passed_s,
            messages=messages,
            commits=int(self.commits - before.commits),
        )


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


def read_counters(url: str) -> Counters:
    """Read the ingester's counters.

    Raises:
        httpx.HTTPError: It does not answer.
    """
    before_s = monotonic()
    found = scrape(url)
    at_s = (before_s + monotonic()) / 2
    prefix = "ingest_messages_total "
    messages = {name.removeprefix(prefix): found[name] for name in found if prefix in name}
    return Counters(
        at_s, found["ingest_observations_total"], messages, found["ingest_commits_total"]
    )


async def count_events(database_url: str, start_s: float, end_s: float) -> int:
    """Count the stored changes of bays that were received in a stretch of time (Unix seconds)."""
    stretch = (datetime.fromtimestamp(at_s, UTC) for at_s in (start_s, end_s))
    async with connected(database_url, "load_tests") as db:
        return int(await db.fetchval(_EVENTS, *stretch))


@dataclass(frozen=True)
class Reading:
    """The platform at one moment (Unix seconds): processor seconds used, by program."""

    at_s: float
    counters: Counters | None
    used_s: Mapping[str, float]


class Watch:
    """Looks at the platform every second, in a thread of its own.

    Among the programs, `load` is this process with those that it starts, and `others` is whatever
    else keeps the machine busy: figures are the platform's own only where that is little.
    """

    def __init__(self, target: Target) -> None:
        self._pids = dict(target.processes)
        self._metrics = target.metrics
        self._readings: list[Reading] = []
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
        counters = [one.counters for one in self._within(start_s, end_s) if one.counters]
        return counters[-1].since(counters[0]) if len(counters) > 1 else None

    def cores(self, start_s: float, end_s: float) -> dict[str, float]:
        """Return how many cores each program used in a stretch, on the average."""
        inside = self._within(start_s, end_s)
        if len(inside) < 2:  # noqa: PLR2004 - a difference needs two
            return {}
        first, last = inside[0], inside[-1]
        passed_s = last.at_s - first.at_s
        return {
            # A little below 0 where the kernel rounds differently for the machine and for one.
            name: max(0.0, round((used_s - first.used_s[name]) / passed_s, 2))
            for name, used_s in last.used_s.items()
            if name in first.used_s
        }

    def _within(self, start_s: float, end_s: float) -> list[Reading]:
        return [one for one in self._readings if start_s <= one.at_s <= end_s]

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_S):
            self._readings.append(Reading(time(), self._counters(), self._used_s()))

    def _used_s(self) -> dict[str, float]:
        families = {name: with_children(pid) for name, pid in self._pids.items()}
        # A city of our own is of the family: it is still no load.
        load = with_children(os.getpid()).difference(*families.values())
        families = {name: one for name, one in families.items() if one} | {"load": load}
        used_s = {name: _used_s(one) for name, one in families.items()}
        used_s["others"] = busy_s() - sum(used_s.values())
        return used_s

    def _counters(self) -> Counters | None:
        try:
            return read_counters(self._metrics)
        except httpx.HTTPError:
            return None


def _used_s(processes: Iterable[psutil.Process]) -> float:
    """Sum up the processor seconds of processes, and of those of their children that ended."""
    total_s = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total_s += times.user + times.system + times.children_user + times.children_system
    return total_s


def load_average() -> float:
    """Return how many processes wanted to run, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)
