"""The ingester's counters, and the collector through which Prometheus reads them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest_mqtt.effects import Outcome, Received

# `dropped`: far over the rate, or at QoS 0 beyond what may wait; no ack. `redelivered`: forgotten
# at a reconnect, since the broker sends it again.
RESULTS = (
    *("applied", "duplicate", "superseded", "rejected", "deferred", "dropped", "redelivered"),
)
# `unanswerable`: it did not say which process of the API waits; dropped unread.
PUSHED = ("applied", "duplicate", "superseded", "rejected", "deferred", "unanswerable")
REPLAYED = ("applied", "duplicate", "superseded", "rejected")
KEPT = ("first", "repeat", "over_quota")
SNAPSHOT_TIMEOUT_S = 2.0


@dataclass(slots=True)
class Counters:
    """Messages since the start; received = sum of `results` + messages that wait.

    Attributes:
        received: Reports that came in, also again; hints of status are not among them.
        results: Reports by result.
        kept: Rejected reports by what was kept: rejected = first + repeat + over_quota.
        statuses: Well-formed hints that gateways came or went.
        statuses_dropped: Hints so far over their gateway's rate that they were not read.
        replayed: Replayed messages by result; not part of the other counts.
        pushed: Reports that came over HTTP, by result; all but `unanswerable` are in `results` too.
        observations: Bays or counts in applied reports.
        commits: Transactions.
        commit_failures: Transactions that failed and were tried again.
    """

    received: int = 0
    results: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    statuses: int = 0
    statuses_dropped: int = 0
    replayed: Counter[str] = field(default_factory=Counter)
    pushed: Counter[str] = field(default_factory=Counter)
    observations: int = 0
    commits: int = 0
    commit_failures: int = 0

    def drop(self, message: Received) -> None:
        """Count a message that came in and was dropped at once."""
        if message.is_report:
            self.received += 1
            self.results["dropped"] += 1
        else:
            self.statuses_dropped += 1

    def add(self, outcome: Outcome) -> None:
        """Count what a committed batch was made of."""
        self.results.update(outcome.results)
        self.kept.update(outcome.kept)
        self.statuses += outcome.statuses
        self.observations += outcome.observations


class IngestCollector(Collector):
    """Reads the counters in the event loop, between two of its steps, so that they add up.

    Args:
        loop: The ingester's.
        counters: What it counts.
        waiting: Returns how many messages have come in and are not yet committed.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, counters: Counters, waiting: Callable[[], int]
    ) -> None:
        self._loop, self._counters, self._waiting = loop, counters, waiting

    def collect(self) -> Iterable[Metric]:
        """Return all metrics; Prometheus's own thread calls this."""
        return asyncio.run_coroutine_threadsafe(self._snapshot(), self._loop).result(
            SNAPSHOT_TIMEOUT_S
        )

    def describe(self) -> Iterable[Metric]:
        """Return nothing: only `collect` knows the names, which would wait for the loop."""
        return []

    async def _snapshot(self) -> list[Metric]:
        counters = self._counters
        return [
            CounterMetricFamily("ingest_received", "Reports received", counters.received),
            _labelled(
                "ingest_messages",
                "Reports by what became of them",
                "result",
                RESULTS,
                counters.results,
            ),
            _labelled(
                "ingest_dead_letters",
                "Rejected reports: kept for the first time, come again, over the day's quota",
                "kept",
                KEPT,
                counters.kept,
            ),
            GaugeMetricFamily("ingest_waiting", "Reports not yet committed", self._waiting()),
            CounterMetricFamily("ingest_status", "Hints of gateways' status", counters.statuses),
            CounterMetricFamily(
                "ingest_status_dropped", "Hints not even read", counters.statuses_dropped
            ),
            _labelled(
                "ingest_replayed",
                "Messages taken in again by what became of them",
                "result",
                REPLAYED,
                counters.replayed,
            ),
            _labelled(
                "ingest_pushed",
                "Reports that the API handed on, by what became of them",
                "result",
                PUSHED,
                counters.pushed,
            ),
            CounterMetricFamily(
                "ingest_observations", "Bays or counts applied", counters.observations
            ),
            CounterMetricFamily("ingest_commits", "Transactions committed", counters.commits),
            CounterMetricFamily(
                "ingest_commit_failures", "Transactions tried again", counters.commit_failures
            ),
        ]


def _labelled(
    name: str, documentation: str, label: str, values: Sequence[str], counts: Counter[str]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, documentation, labels=[label])
    for value in values:
        family.add_metric([value], counts[value])
    return family


def commit_histogram(registry: CollectorRegistry) -> Histogram:
    """Return a histogram of the duration of a transaction, in seconds."""
    return Histogram(
        "ingest_commit_seconds",
        "One batch's transaction",
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
        registry=registry,
    )
