"""The API's metrics for Prometheus, with the supervisor's, which are read from a file.

Where several processes serve, each writes its figures into files of a directory that they share
(`PROMETHEUS_MULTIPROC_DIR`, which `serve` sets), and whichever is asked adds them up.
"""

import asyncio
import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

# Seconds; fine around the 30 ms that a nearest answer may take.
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# No metric of the API itself has this prefix.
PREFIX: Final = "onelot_run_"
MAX_BYTES: Final = 65_536
# How late the figures of the hot routes may be.
ADD_EVERY_S: Final = 1.0


def read_run_figures(file: Path) -> list[Metric]:
    """Read the metrics whose names begin with `PREFIX` from a file in Prometheus's text format.

    Raises:
        OSError: It cannot be read.
        ValueError: It is too long, or not in that format; so are KeyError and IndexError.
    """
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError
    families = text_string_to_metric_families(content.decode())
    found = {family.name: family for family in families if family.name.startswith(PREFIX)}
    return list(found.values())


class RunFigures(Collector):
    """Reads metrics whose names begin with `PREFIX` from a file in Prometheus's text format.

    Where the file is missing, too long or not in that format, only its own metrics are missing, and
    `onelot_api_run_figures_readable` is 0.
    """

    def __init__(self, file: Path, registry: CollectorRegistry) -> None:
        self._file = file
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Read the file and yield its metrics."""
        try:
            families = read_run_figures(self._file)
        except (OSError, ValueError, KeyError, IndexError):
            families = None
        yield GaugeMetricFamily(
            "onelot_api_run_figures_readable",
            "1 if the figures of what runs the programs can be read.",
            value=float(families is not None),
        )
        yield from families or ()

    def describe(self) -> Iterator[Metric]:
        """Return nothing: the file does not exist before everything runs."""
        return iter(())


class Tally:
    """Counts requests that are always answered alike, and adds them to the figures each second.

    The figures stand in files, where to count one request costs several microseconds.
    """

    def __init__(self, count: Counter, latency: Histogram) -> None:
        self._count, self._latency = count, latency
        self._is_due = False
        self._start()

    def _start(self) -> None:
        # By bucket; the last is for what took longer than all of them.
        self._requests = [0] * (len(LATENCY_BUCKETS_S) + 1)
        self._seconds = 0.0

    def note(self, seconds: float) -> None:
        """Count a request that took so long; called in the loop."""
        self._requests[bisect_left(LATENCY_BUCKETS_S, seconds)] += 1
        self._seconds += seconds
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(ADD_EVERY_S, self.add)

    def add(self) -> None:
        """Add what was counted to the figures."""
        self._is_due = False
        requests, seconds = self._requests, self._seconds
        self._start()
        self._count.inc(sum(requests))
        # A histogram has no public way to take several at once.
        self._latency._sum.inc(seconds)  # noqa: SLF001
        buckets = self._latency._buckets  # noqa: SLF001
        for bucket, number in zip(buckets, requests, strict=True):
            if number:
                bucket.inc(number)


class Metrics:
    """The API's metrics, in a registry of its own.

    Labels are bounded: a request that met no route counts as `unmatched`, an odd method as `other`.
    """

    def __init__(self, run_figures: Path | None = None) -> None:
        self.registry = CollectorRegistry()
        self._run_figures = run_figures
        self._tallies: list[Tally] = []
        self._requests = Counter(
            "onelot_api_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "onelot_api_request_seconds",
            "Time to answer.",
            ("route",),
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self._refused = Counter(
            "onelot_api_refused_requests",
            "Requests that the server refused before any route saw them.",
            ("status",),
            registry=self.registry,
        )
        self._pool = self._gauge(
            "onelot_api_pool_connections", "Database connections.", "state", over_all="livesum"
        )
        self._database_up = self._gauge("onelot_api_database_up", "1 if the database answers.")
        self._lots = self._gauge("onelot_city_lots", "Lots by the state of their data.", "state")
        self._spaces = self._gauge(
            "onelot_city_spaces", "Spaces in service, of all lots, whatever is known of them."
        )
        self._free = self._gauge(
            "onelot_city_free_spaces", "Spaces known to be free, of live and stale lots."
        )
        self._unknown = self._gauge(
            "onelot_city_unknown_spaces", "Spaces of live and stale lots of which nothing is known."
        )
        self._occupancy = self._gauge(
            "onelot_city_occupancy_ratio",
            "1 - free / (capacity - unknown) over live and stale lots; NaN where nothing is known.",
        )
        self._age = self._gauge(
            "onelot_city_newest_commit_age_seconds", "Age of the newest commit; NaN before any."
        )

        self._readers = self._gauge(
            "onelot_api_stream_readers", "Readers of /v1/stream.", over_all="livesum"
        )
        self._pushed = Counter(
            "onelot_api_pushed",
            "Messages of gateways handed on to the ingester, by what became of them.",
            ("result",),
            registry=self.registry,
        )
        self._recoveries = self._gauge(
            "onelot_recoveries",
            "How often the database's owner made keys past all enrolments; alert where it rises.",
        )
        self._differences = self._gauge(
            "onelot_city_copy_differences",
            "Lots whose copy in memory was found to differ from the database, since the start.",
            over_all="livesum",
        )

    def _gauge(
        self,
        name: str,
        documentation: str,
        *labels: str,
        over_all: Literal["livesum", "livemostrecent"] = "livemostrecent",
    ) -> Gauge:
        """Make a gauge; `over_all` says what stands for all processes: the sum, or the newest."""
        return Gauge(
            name, documentation, labels, registry=self.registry, multiprocess_mode=over_all
        )

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            method: HTTP method.
            route: The route's template, never the path.
            status: HTTP status of the answer.
            seconds: From its arrival to the end of the answer.
        """
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def tally(self, method: str, route: str, status: int) -> Tally:
        """Return what counts requests that are always answered alike."""
        made = Tally(self._requests.labels(method, route, str(status)), self._latency.labels(route))
        self._tallies.append(made)
        return made

    def add_tallies(self) -> None:
        """Add what is not in the figures yet; a process that ends does so at last."""
        for tally in self._tallies:
            tally.add()

    def note_refused(self, status: int) -> None:
        """Count a request refused for its head, for its time, or because no connection was free."""
        self._refused.labels(str(int(status))).inc()

    def note_process(self, size: int, idle: int, differences: int) -> None:
        """Set the figures of this process.

        Args:
            size: Number of its database connections.
            idle: How many of them are idle.
            differences: How many lots were found to differ from the database.
        """
        self._pool.labels("used").set(size - idle)
        self._pool.labels("idle").set(idle)
        self._differences.set(differences)

    def note_city(
        self,
        *,
        lots: Mapping[str, int],
        capacity: int,
        free_spaces: int,
        unknown_spaces: int,
        occupancy: float | None,
        age_s: float | None,
    ) -> None:
        """Set the figures of the city.

        Args:
            lots: How many lots are `live`, `stale` and `unknown`.
            capacity: Spaces in service.
            free_spaces: Spaces known to be free.
            unknown_spaces: Spaces of which nothing is known.
            occupancy: A ratio; None where nothing is known.
            age_s: Age of the newest commit in seconds; None before any.
        """
        self._database_up.set(1)
        for state, number in lots.items():
            self._lots.labels(state).set(number)
        self._spaces.set(capacity)
        self._free.set(free_spaces)
        self._unknown.set(unknown_spaces)
        self._occupancy.set(float("nan") if occupancy is None else occupancy)
        self._age.set(float("nan") if age_s is None else age_s)

    def note_recoveries(self, number: int) -> None:
        """Set how often people were recovered past all enrolments."""
        self._recoveries.set(number)

    def note_readers(self, number: int) -> None:
        """Set how many read `/v1/stream`."""
        self._readers.set(number)

    def note_pushed(self, result: str) -> None:
        """Count a message that was handed on; its ack's `result`, or `no_ack`."""
        self._pushed.labels(result).inc()

    def note_database_away(self) -> None:
        """Set the database to away; the city's figures stay as last read."""
        self._database_up.set(0)

    def run_samples(self, name: str) -> dict[str, float] | None:
        """Return a figure of what runs the programs, by program; None where it cannot be read."""
        if self._run_figures is None:
            return None
        try:
            families = read_run_figures(self._run_figures)
        except (OSError, ValueError, KeyError, IndexError):
            return None
        samples = (sample for family in families for sample in family.samples)
        return {each.labels["program"]: each.value for each in samples if each.name == name}

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus's text format, over all processes."""
        self.add_tallies()
        shown = CollectorRegistry()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            MultiProcessCollector(shown)  # type: ignore[no-untyped-call]
        else:
            shown.register(self.registry)
        if self._run_figures is not None:
            RunFigures(self._run_figures, shown)
        return generate_latest(shown)
