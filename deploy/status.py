"""The demo's status line.

From what the programs tell: the ingester's counters, `/v1/city`, the simulator's status file.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

_T = TypeVar("_T")

_OBSERVATIONS: Final = "ingest_observations_total"
_TIMEOUT_S: Final = 2.0
# /readyz itself waits for a database that hangs.
_READY_TIMEOUT_S: Final = 4.0
# The simulator writes every 2 s; what is older than this is an earlier one's.
_STATUS_OLD: Final = timedelta(seconds=20)


class City(msgspec.Struct, frozen=True):
    """The totals of `/v1/city`; `as_of` is the newest commit that they reflect."""

    lots: int
    free_spaces: int
    live: int
    stale: int
    unknown: int
    as_of: datetime | None = None


class Lack(msgspec.Struct, frozen=True):
    """Why the platform is not ready, as `/readyz` says.

    Attributes:
        missing: The parts that are missing: `database`, `broker`, `ingester`, `city`.
        detail: The same in sentences.
    """

    missing: tuple[str, ...]
    detail: str

    def words(self) -> str:
        """Return it as a sentence."""
        return f"not ready: {self.detail}"


@dataclass(frozen=True)
class Reading:
    """What was counted at one moment.

    Attributes:
        read_at: The moment.
        observations: Bay and count observations committed since the ingester started.
    """

    read_at: datetime
    observations: float


def _read(
    url: str, parse: Callable[[httpx.Response], _T | None], timeout_s: float = _TIMEOUT_S
) -> _T | None:
    """Ask `url`, and parse the answer; None where there is none, or none that can be parsed."""
    try:
        return parse(httpx.get(url, timeout=timeout_s, trust_env=False))
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        # For a moment another program may answer: on a port that was just stepped over.
        return None


def read_city(http: str) -> City | None:
    """Ask the API for the city's totals; None when it does not answer."""
    return _read(
        f"{http}/v1/city",
        lambda answer: msgspec.json.decode(answer.raise_for_status().content, type=City),
    )


def read_lack(http: str) -> Lack | None:
    """Ask the API what is missing; None when nothing is, or it does not answer."""
    return _read(
        f"{http}/readyz",
        lambda answer: (
            None if answer.is_success else msgspec.json.decode(answer.content, type=Lack)
        ),
        _READY_TIMEOUT_S,
    )


def read_simulated(file: Path, now: datetime) -> datetime | None:
    """Return the time in the simulation; None when the simulator does not say it any more."""
    try:
        status = json.loads(file.read_text())
        is_new = now - datetime.fromisoformat(status["written_at"]) < _STATUS_OLD
        return datetime.fromisoformat(status["simulated_at"]) if is_new else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def read_counter(metrics: str, now: datetime) -> Reading | None:
    """Ask the ingester for its counter; None when it does not answer."""
    return _read(
        metrics, lambda answer: Reading(now, parse_counter(answer.raise_for_status().text))
    )


def parse_counter(text: str) -> float:
    """Sum the observations, whatever their labels, in Prometheus' text format."""
    return sum(
        float(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == _OBSERVATIONS
    )


def rate(before: Reading | None, after: Reading | None) -> float | None:
    """Return observations/s between two readings; None across a restart of the ingester."""
    if before is None or after is None or after.observations < before.observations:
        return None
    passed_s = (after.read_at - before.read_at).total_seconds()
    return (after.observations - before.observations) / passed_s if passed_s > 0 else None


def line(
    city: City | None,
    reading: Reading | None,
    per_second: float | None,
    simulated_at: datetime | None,
    now: datetime,
) -> str:
    """Write the status line; it names what does not answer.

    Args:
        city: The city's totals, None when the API does not answer.
        reading: The ingester's counter, None when it does not answer.
        per_second: Observations/s since the reading before, None when there is none to compare.
        simulated_at: The time in the simulation, None when the simulator does not say it.
        now: For the age of the newest commit.
    """
    speed = "- obs/s" if per_second is None else f"{per_second:,.0f} obs/s"
    if reading is None:
        speed = "the ingester does not answer"
    clock = "no simulator" if simulated_at is None else f"simulated {simulated_at:%a %H:%M}"
    if city is None:
        return f"{speed} | the API does not answer | {clock}"
    age = "none" if city.as_of is None else f"{(now - city.as_of).total_seconds():.1f} s ago"
    return (
        f"{speed} | newest commit {age} | {city.free_spaces:,} spaces free"
        f" | lots: {city.live:,} live, {city.stale:,} stale, {city.unknown:,} unknown | {clock}"
    )


def headed(lack: Lack | None, falls: str, line: str) -> str:
    """Put what is wrong at the head of a status line: a terminal cuts it at its end."""
    return " | ".join(part for part in (lack.words() if lack else "", falls, line) if part)
