"""Locust's load shapes: how many drivers there are at each moment; each asks at the same rate."""

from time import perf_counter
from typing import Final

from locust import LoadTestShape

from load_tests.kinds import NEAREST
from load_tests.samples import percentiles
from load_tests.search import MOST_P99_MS, Search
from load_tests.world import World

_RAMP_DRIVER_PER_S: Final = 10.0
# Of a step: until the new drivers are there, and what is then measured.
_SETTLE_S: Final = 1.5
_MEASURE_S: Final = 4.5
# Arrivals are a Poisson process: in so short a time their number varies.
_REACHED: Final = 0.85
# With more users than this in a second, the start of users is itself a load.
_SPAWN_PER_S: Final = 200.0


class Curve(LoadTestShape):
    """Follows the plan: a constant rate, or one for each second.

    Attributes:
        driver_per_s: How often each driver asks.
        is_over: Never: the plan's time ends it.
    """

    is_over = False

    def __init__(self, world: World, others: int) -> None:
        """Take the plan's rates; `others` are users who are no drivers."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._world, self._others = world, others
        plan = world.plan
        self._totals = [sum(row) for row in plan.visits] or [plan.mix.nearest_per_s]
        peak = max(self._totals)
        self.driver_per_s = peak / drivers_for(peak)

    def tick(self) -> tuple[int, float]:
        """Return how many users there should be now."""
        plan = self._world.plan
        per_s = self._totals[plan.second(self._world.passed_s, plan.visits) if plan.visits else 0]
        drivers = max(round(per_s / self.driver_per_s), 1) if per_s else 0
        return drivers + self._others, _SPAWN_PER_S


class Ramp(LoadTestShape):
    """Searches for the highest rate at which p99 is under 50 ms and no answer is wrong.

    Attributes:
        driver_per_s: How often each driver asks.
        is_over: Whether the search has ended.
        steps: What each step measured, in words.
        nearest_per_s: `/v1/nearest` answered per second in the highest step that was held.
        errors: Of all steps; those of steps that were held are none.
    """

    driver_per_s = _RAMP_DRIVER_PER_S

    def __init__(self, world: World, others: int) -> None:
        """Begin at the plan's rate; `others` are users who are no drivers."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._world, self._others = world, others
        self._search = Search(world.plan.ramp_from_per_s)
        self._begun_s: float | None = None
        self._latencies_ms: list[float] = []
        self._nearest = self._failed = self.errors = 0
        self.nearest_per_s = 0.0
        self.steps: list[str] = []

    @property
    def is_over(self) -> bool:
        """Whether the search has ended."""
        return self._search.is_over

    def take(self, name: str, latency_ms: float, *, failed: bool) -> None:
        """Take in an answer, whose latency began when the question was due."""
        if self._begun_s is not None and perf_counter() > self._begun_s + _SETTLE_S:
            self._latencies_ms.append(latency_ms)
            self._nearest += name == NEAREST
            self._failed += failed

    def tick(self) -> tuple[int, float]:
        """Return how many users there should be now; judge the step when its time is over."""
        now_s = perf_counter()
        if self._begun_s is None and self._world.passed_s >= self._world.plan.warm_up_s:
            self._begun_s = now_s
        elif self._begun_s is not None and now_s >= self._begun_s + _SETTLE_S + _MEASURE_S:
            self._judge(now_s - self._begun_s - _SETTLE_S)
            self._begun_s, self._latencies_ms, self._nearest, self._failed = now_s, [], 0, 0
        return max(round(self._search.per_s / self.driver_per_s), 1) + self._others, _SPAWN_PER_S

    def _judge(self, length_s: float) -> None:
        p50, _, p99 = percentiles(self._latencies_ms or [float("inf")])
        nearest_per_s = self._nearest / length_s
        reached = nearest_per_s >= _REACHED * self._search.per_s
        held = reached and p99 < MOST_P99_MS and not self._failed
        verdict = "held" if held else "not held"
        self.steps.append(
            f"{self._search.per_s:,.0f} drivers' questions/s wanted: {nearest_per_s:,.0f} answered,"
            f" p50 {p50:.1f} ms, p99 {p99:.1f} ms, {self._failed} errors: {verdict}"
        )
        self.errors += self._failed
        if held:
            self.nearest_per_s = nearest_per_s
        self._search.note(held=held)


def drivers_for(per_s: float) -> int:
    """Return how many drivers make a rate: about one arrival a second each, 100 at the most.

    Each waits for an answer: so many that nobody's waiting holds back the total rate.
    """
    return min(max(round(per_s), 1), 100)
