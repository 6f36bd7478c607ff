"""Asks a server as fast as it answers, by wrk over 16 connections."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, radians, sin
from pathlib import Path
from random import Random
from typing import Final

from load_tests.catalogue import METRES_PER_DEGREE, Lot

CONNECTIONS: Final = 16
# From a lot to the place that is asked for, at most.
NEAR_M: Final = 500.0
_SCRIPT: Final = Path(__file__).with_name("wrk.lua")


class BenchError(Exception):
    """A benchmark cannot be run; the message says why."""


@dataclass(frozen=True)
class Asked:
    """What wrk saw.

    Attributes:
        requests: Answers that came.
        seconds: In so long.
        bytes: Of all answers, with their headers.
        wrong: Answers of another status than 2xx or 3xx, and connections that broke.
        p50_ms: Latency of a closed loop: 16 questions are under way at any time.
        p99_ms: Likewise.
    """

    requests: int
    seconds: float
    bytes: int
    wrong: int
    p50_ms: float
    p99_ms: float

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    @property
    def answer_bytes(self) -> float:
        """The mean length of an answer, with its headers."""
        return self.bytes / max(self.requests, 1)


def program(name: str) -> str:
    """Return the path of a program of the distribution.

    Raises:
        BenchError: It is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise BenchError(f"{name} is not installed: `make bench` does it")
    return found


def places(lots: Sequence[Lot], number: int, seed: int) -> list[tuple[float, float]]:
    """Return places, longitude and latitude in degrees: each within 500 m of a lot, by chance."""
    random = Random(seed)  # noqa: S311 - places, no secrets
    found = []
    for _ in range(number):
        lot, angle = random.choice(lots), random.uniform(0, 2 * pi)
        # The root, so that places spread evenly over the circle.
        reach = NEAR_M * random.random() ** 0.5 / METRES_PER_DEGREE
        lon = lot.longitude + reach * cos(angle) / cos(radians(lot.latitude))
        found.append((round(lon, 6), round(lot.latitude + reach * sin(angle), 6)))
    return found


def ask(url: str, paths: Path, seconds: float) -> Asked:
    """Ask the paths of a file, one a line, in turn and over again.

    Args:
        url: The server's base URL.
        paths: The file.
        seconds: For so long; a whole number is taken, 1 at least.

    Raises:
        BenchError: wrk failed.
    """
    command = [
        *(program("wrk"), "--threads", "1", "--connections", str(CONNECTIONS)),
        *("--duration", f"{max(round(seconds), 1)}s", "--script", str(_SCRIPT)),
        *(url, "--", str(paths)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"wrk failed:\n{done.stdout}{done.stderr}")
    return Asked(**json.loads(done.stdout.splitlines()[-1]))
