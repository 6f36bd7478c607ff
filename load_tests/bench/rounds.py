"""Measures contenders in turns, so that what disturbs the machine disturbs them all."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from load_tests.bench.asking import Asked, BenchError, ask
from load_tests.bench.results import Figure, Goal, figure
from load_tests.bench.servers import Contender
from load_tests.machine import Usage

_WARM_UP_S: Final = 1.0
# A smaller share of a core is not told.
_LEAST: Final = 0.02


@dataclass(frozen=True)
class Run:
    """One contender in one round.

    Attributes:
        contender: Its name.
        number: Of the round.
        asked: What wrk saw.
        cores: Processors used meanwhile by each program; `load` is wrk.
    """

    contender: str
    number: int
    asked: Asked
    cores: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        measured = asdict(self.asked) | {"per_s": self.asked.per_s}
        return {
            "contender": self.contender,
            "round": self.number,
            **measured,
            "cores": dict(self.cores),
        }


@dataclass(frozen=True)
class Rounds:
    """How long, and how often.

    Attributes:
        number: Rounds.
        seconds: Of each contender in each.
        programs: Process ids of the city's programs by name, whose use of processors is told.
    """

    number: int
    seconds: float
    programs: Mapping[str, int]

    def measure(self, contenders: Sequence[Contender], paths: Path) -> "Duel":
        """Measure each contender in each round; each round begins with another.

        Raises:
            BenchError: A contender gave a wrong answer.
        """
        runs: list[Run] = []
        # Runs so short are a trial: nobody reads their figures.
        for contender in contenders if self.seconds > _WARM_UP_S else ():
            ask(contender.url, paths, _WARM_UP_S)
        for number in range(self.number):
            first = number % len(contenders)
            turn = (*contenders[first:], *contenders[:first])
            runs += [self._run(contender, number, paths) for contender in turn]
        return Duel(runs)

    def _run(self, contender: Contender, number: int, paths: Path) -> Run:
        programs = {**self.programs, contender.name: contender.pid}
        before = Usage.now(programs)
        asked = ask(contender.url, paths, self.seconds)
        cores = Usage.now(programs).cores_since(before)
        if asked.wrong or not asked.requests:
            raise BenchError(f"{contender.name}: {asked.wrong} of {asked.requests} are wrong")
        return Run(contender.name, number, asked, cores)


@dataclass(frozen=True)
class Duel:
    """The runs of some contenders."""

    runs: Sequence[Run]

    def of(self, name: str) -> list[Run]:
        """Return a contender's runs, by round."""
        return sorted((run for run in self.runs if run.contender == name), key=lambda r: r.number)

    def speed(self, key: str, name: str, what: str) -> Figure:
        """Return a contender's answers a second.

        Args:
            key: What programs call the figure.
            name: The contender's.
            what: What people read.
        """
        runs = self.of(name)
        programs = [name, *(each for each in runs[0].cores if each != name)]
        cores = {each: median(run.cores.get(each, 0.0) for run in runs) for each in programs}
        used = ", ".join(
            f"{'wrk' if each == 'load' else 'itself' if each == name else each} {share:.2f}"
            for each, share in cores.items()
            if share >= _LEAST
        )
        size = median(run.asked.answer_bytes for run in runs)
        p99_ms = median(run.asked.p99_ms for run in runs)
        core_s = median(run.asked.per_s / max(run.cores.get(name, 0.0), _LEAST) for run in runs)
        note = (
            f"{core_s:,.0f} a second of its own core; {size:,.0f} bytes an answer; "
            f"p99 {p99_ms:.1f} ms; cores: {used}"
        )
        return figure(key, what, [run.asked.per_s for run in runs], unit="requests/s", note=note)

    def ratio(self, key: str, ours: str, peer: str, what: str, goal: Goal | None) -> Figure:
        """Return how many times as fast one contender is as another, round by round.

        Args:
            key: What programs call the figure.
            ours: The one's name.
            peer: The other's.
            what: What people read.
            goal: What is to be reached.
        """
        pairs = zip(self.of(ours), self.of(peer), strict=True)
        return figure(
            key, what, [one.asked.per_s / two.asked.per_s for one, two in pairs], goal=goal
        )
