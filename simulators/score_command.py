"""`python -m simulators score`: what a platform shows, against the truth that a run has written."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from simulators.demand.levels import FloatArray
from simulators.sensors.scoring import Look, Score, score, table
from simulators.sensors.truth import BAYS_S, Truth, TruthError, read_truth

RUN_FILE: Final = Path("var/run.json")
STEP_S: Final = 300
_TIMEOUT_S: Final = 10.0
_PAGE: Final = 1_000
# Lots of which single bays are looked at.
_LOTS_MAX: Final = 100
# The truth of an instant is there so long after it.
_WRITTEN_AFTER_S: Final = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `score`."""
    parser.add_argument("truth", type=Path, metavar="DIR", help="of `run --truth DIR`")
    parser.add_argument("--http", help=f"the platform (default: as in {RUN_FILE})")
    parser.add_argument(
        "--minutes",
        type=_minutes,
        default=0,
        help="look at bays and ages each minute, so many times",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the score there as JSON")


def _minutes(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is below 0")
    return number


def run_command(args: argparse.Namespace) -> int:
    """Print the score. Exit code 2 if the truth cannot be read or the platform does not answer."""
    try:
        http = args.http or str(json.loads(RUN_FILE.read_text(encoding="utf-8"))["http"])
        with httpx.Client(base_url=http, timeout=_TIMEOUT_S, trust_env=False) as client:
            result = score_platform(args.truth, client, args.minutes)
        if args.output is not None:
            args.output.write_text(json.dumps(result.row(), indent=2) + "\n", encoding="utf-8")
    except (TruthError, httpx.HTTPError, OSError, KeyError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(table([result]))
    return 0


def score_platform(
    directory: Path,
    client: httpx.Client,
    minutes: int,
    *,
    now_s: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Score:
    """Look at a platform for some minutes, and score it over all that the truth has.

    Args:
        directory: that of the truth; its run goes on.
        client: asks the platform.
        minutes: how often bays and ages are looked at.
        now_s: the wall clock.
        sleep: waits.

    Raises:
        TruthError: the truth cannot be read.
        httpx.HTTPError: the platform does not answer.
    """
    looks: list[tuple[float, Look]] = []
    for _ in range(minutes):
        sleep(BAYS_S - now_s() % BAYS_S + 1.0)  # the simulator's tick takes up to a second
        looks.append((now_s(), _look(client, read_truth(directory))))
    if looks:
        sleep(_WRITTEN_AFTER_S)
    truth = read_truth(directory)
    pairs = [
        (look, truth.occupied(int(np.abs(truth.bays_at_s - at_s).argmin()))) for at_s, look in looks
    ]
    first = np.ceil(truth.at_s[0] / STEP_S) * STEP_S
    starts = np.arange(first, truth.at_s[-1] - STEP_S + 1, STEP_S)
    shown = _history(client, truth, starts)
    return score(
        truth.run.profile, truth.run.speed, (truth.mean_free(starts, STEP_S), shown), pairs
    )


def _get(client: httpx.Client, path: str, parameters: Mapping[str, str | int] | None = None) -> Any:
    return client.get(path, params=parameters).raise_for_status().json()


def _items(client: httpx.Client, path: str) -> list[Any]:
    """Return the items of all pages."""
    items: list[Any] = []
    following: str | None = path
    while following:
        page = _get(client, following)
        items += page["items"]
        following = page["next"]
    return items


def _history(client: httpx.Client, truth: Truth, starts: FloatArray) -> FloatArray:
    """Ask for each lot's mean free spaces in steps; shape (steps, lots)."""
    shown = np.full((len(starts), len(truth.run.lots)), np.nan)
    if not len(starts):
        return shown
    stretch: dict[str, str | int] = {
        "from": datetime.fromtimestamp(starts[0], UTC).isoformat(),
        "to": datetime.fromtimestamp(starts[-1] + STEP_S, UTC).isoformat(),
        "step": STEP_S,
    }
    row_of = {float(start): row for row, start in enumerate(starts)}
    for column, lot in enumerate(truth.run.lots):
        for item in _get(client, f"/v1/lots/{lot}/occupancy", stretch)["items"]:
            row = row_of.get(datetime.fromisoformat(item["at"]).timestamp())
            if row is not None and item["free_spaces"] is not None:
                shown[row, column] = item["free_spaces"]
    return shown


def _look(client: httpx.Client, truth: Truth) -> Look:
    position = {lot: number for number, lot in enumerate(truth.run.lots)}
    senses = np.flatnonzero(truth.run.senses)
    chosen = senses[:: max(len(senses) // _LOTS_MAX, 1)][:_LOTS_MAX]
    bays = {}
    for lot in chosen.tolist():
        items = _items(client, f"/v1/lots/{truth.run.lots[lot]}/spaces")
        states = np.array([item["state"] for item in items])
        bays[lot] = (states == "occupied", states == "unknown")
    age_s = np.full(len(position), np.nan)
    live = 0
    for facts in _items(client, f"/v1/lots?limit={_PAGE}"):
        number = position.get(facts["lot_id"])
        if number is not None:
            live += facts["data_state"] == "live"
            age_s[number] = np.nan if facts["age_s"] is None else facts["age_s"]
    return Look(age_s, live / len(position), bays)
