"""What the local run counts of itself, for the status line and for the API's `/metrics`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# A seal comes each minute.
_SEALED_WITHIN_S: Final = 180.0


def is_sealed(seals: Path, now_s: float) -> bool:
    """Tell whether the audit was sealed in the last minutes.

    Args:
        seals: The file of seals.
        now_s: Seconds since 1970.
    """
    try:
        return now_s - seals.stat().st_mtime < _SEALED_WITHIN_S
    except OSError:
        return False


@dataclass(frozen=True)
class Figures(Collector):
    """How the programs fare.

    Attributes:
        restarts: How often each program was started again after it had ended by itself.
        down: The programs that are down, and the seconds until each starts again.
        stores_put_aside: How many stores of the broker could not be read, and are kept.
        is_audit_sealed: Whether the audit was sealed in the last minutes.
    """

    restarts: Mapping[str, int]
    down: Mapping[str, float]
    stores_put_aside: int
    is_audit_sealed: bool

    def words(self) -> str:
        """Return them for the status line; empty when there is nothing to say."""
        again = ", ".join(f"{name} {number}" for name, number in self.restarts.items() if number)
        parts = [f"restarts: {again}"] if again else []
        parts += [f"{name} is down, starts in {wait:.0f} s" for name, wait in self.down.items()]
        if self.stores_put_aside:
            parts.append(f"broker stores put aside: {self.stores_put_aside}")
        if not self.is_audit_sealed:
            parts.append("the audit is not sealed: see seal.log")
        return " | ".join(parts)

    def collect(self) -> Iterator[Metric]:
        """Give them as Prometheus has them."""
        restarts = CounterMetricFamily(
            "onelot_run_restarts",
            "Starts of a program after it had ended by itself.",
            labels=("program",),
        )
        up = GaugeMetricFamily("onelot_run_up", "0 while a program is down.", labels=("program",))
        for name, number in self.restarts.items():
            restarts.add_metric((name,), number)
            up.add_metric((name,), name not in self.down)
        yield restarts
        yield up
        yield GaugeMetricFamily(
            "onelot_run_broker_stores_put_aside",
            "Stores of the broker that could not be read, and are kept.",
            value=self.stores_put_aside,
        )
        yield GaugeMetricFamily(
            "onelot_run_audit_sealed",
            "0 while the audit is not sealed: it does not agree with its seals, for instance.",
            value=self.is_audit_sealed,
        )

    def write(self, file: Path) -> None:
        """Write them as Prometheus' text, in one step.

        Raises:
            OSError: The disk is full, for instance.
        """
        write_to_textfile(str(file), self)
