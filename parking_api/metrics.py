"""The API's metrics for Prometheus."""

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from parking_api.run_figures import RunFigures

# Seconds; fine around the 30 ms that a nearest answer may take.
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The API's metrics, in a registry of its own.

    Labels are bounded: a request that met no route counts as `unmatched`, an odd method as `other`.
    """

    def __init__(self, run_figures: Path | None = None) -> None:
        self.registry = CollectorRegistry()
        if run_figures is not None:
            RunFigures(run_figures, self.registry)
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
        self._pool = self._gauge("onelot_api_pool_connections", "Database connections.", "state")
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

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(name, documentation, labels, registry=self.registry)

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            method: HTTP method.
            route: The route's template, never the path.
            status: HTTP status of the answer.
            seconds: From its arrival to the end of the answer.
        """
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def note_refused(self, status: int) -> None:
        """Count a request refused for its head, for its time, or because no connection was free."""
        self._refused.labels(str(int(status))).inc()

    def note_pool(self, size: int, idle: int) -> None:
        """Set the number of database connections, and how many of them are idle."""
        self._pool.labels("used").set(size - idle)
        self._pool.labels("idle").set(idle)

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

    def note_database_away(self) -> None:
        """Set the database to away; the city's figures stay as last read."""
        self._database_up.set(0)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self.registry)
