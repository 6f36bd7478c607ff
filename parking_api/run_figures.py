"""Metrics of the supervisor that runs the programs, read from a file for `/metrics`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

# No metric of the API itself has this prefix.
PREFIX: Final = "onelot_run_"
MAX_BYTES: Final = 65_536


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
            families = self._read()
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

    def _read(self) -> list[Metric]:
        with self._file.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError
        families = text_string_to_metric_families(content.decode())
        found = {family.name: family for family in families if family.name.startswith(PREFIX)}
        return list(found.values())
