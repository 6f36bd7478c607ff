"""The benchmarks against peers run, and measure what they say; their figures are not asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pyproj import Geod

from load_tests.bench.asking import NEAR_M, Asked, places
from load_tests.bench.results import Goal, figure
from load_tests.bench.rounds import Duel, Run
from tests.load_tests.builders import BAYS, GATES

ROOT = Path(__file__).resolve().parents[2]
# What each part measures.
KEYS = {
    "nearest": [
        *("nearest_redis", "nearest_knn", "nearest_constant", "nearest_idiomatic"),
        *("nearest", "nearest_redis_peer", "nearest_knn_peer"),
        *("nearest_constant_peer", "nearest_idiomatic_peer"),
    ],
    "spaces": [
        *("spaces_demo", "spaces_demo_ours", "spaces_demo_peer"),
        *("spaces_scarce", "spaces_scarce_ours", "spaces_scarce_peer"),
    ],
    "workers": ["workers", "workers_one", "workers_two"],
    "quotes": ["quote_road", "quote_caps", "quote_fractions"],
    "ingest": ["ingest_copy", "ingest", "copy", "resync"],
    "latency": ["nearest_p50", "nearest_p99", "fresh_p99", "nearest_p99_ingest"],
    "stream": ["stream_p99", "stream_p99_without", "stream_ratio"],
    "pages": ["page_opened", "shown_p99", "longest_task", "heap"],
    "cities": [
        *("cities_ratio", "cities_p99_one", "cities_p99_all", "cities_import"),
        *("cities_start_one", "cities_rss_one", "cities_start_all", "cities_rss_all"),
        *("cities_read_one", "cities_stop_one", "cities_read_all", "cities_stop_all"),
    ],
}


def run(contender: str, number: int, requests: int) -> Run:
    asked = Asked(requests, 2.0, requests * 100, 0, 1.0, 2.0)
    return Run(contender, number, asked, {contender: 0.9, "load": 0.1, "others": 0.0})


def test_a_ratio_is_taken_round_by_round() -> None:
    duel = Duel(
        [
            *(run("ours", 0, 300), run("theirs", 0, 100)),
            *(run("theirs", 1, 100), run("ours", 1, 200)),
            *(run("ours", 2, 80), run("theirs", 2, 10)),
        ]
    )
    ratio = duel.ratio("key", "ours", "theirs", "ours / theirs", Goal(3, 4))
    assert (ratio.value, ratio.low, ratio.high) == (3, 2, 8)
    assert ratio.verdict == "reached"


def test_speed_tells_who_used_the_processors() -> None:
    speed = Duel([run("ours", 0, 300)]).speed("key", "ours", "ours, answers a second")
    assert (speed.value, speed.unit) == (150, "requests/s")
    assert speed.note == (
        "167 a second of its own core; 100 bytes an answer; p99 2.0 ms; "
        "cores: itself 0.90, wrk 0.10"
    )


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (Goal(3, 4), 2.9, "NOT REACHED"),
        (Goal(3, 4), 3.0, "reached"),
        (Goal(40, is_most=True), 40.0, "reached"),
        (Goal(40, is_most=True), 41.0, "NOT REACHED"),
        (None, 1.0, "-"),
    ],
)
def test_what_falls_short_says_so(goal: Goal | None, value: float, verdict: str) -> None:
    assert figure("key", "name", [value], goal=goal).verdict == verdict


def test_places_lie_near_lots() -> None:
    geod, lots = Geod(ellps="WGS84"), (BAYS, GATES)
    for lon, lat in places(lots, 300, 1):
        away = [geod.inv(lon, lat, lot.longitude, lot.latitude)[2] for lot in lots]
        # The last digit of a degree, and a sphere for a spheroid.
        assert min(away) < NEAR_M * 1.01


def test_a_small_city_is_measured(tmp_path: Path) -> None:
    # By wrk, beside Redis: `make test` installs both.
    command = [sys.executable, "-m", "load_tests.bench", "--lots", "20", "--rounds", "1"]
    command += ["--seconds", "1", "--cities", "2", "--report-dir", str(tmp_path)]
    # Beside other tests an open loop at half of saturation overruns.
    command += ["--share", "0.1", "--observations-per-s", "200", "--readers", "20"]
    for part in KEYS:
        command += ["--only", part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (reports,) = tmp_path.iterdir()
    found = json.loads((reports / "bench.json").read_text())
    figures = [one for part in found["parts"] for one in part["figures"]]
    assert [one["key"] for one in figures] == [key for keys in KEYS.values() for key in keys]
    assert {one["key"]: one["value"] for one in figures if one["value"] <= 0} == {}
    few = [run["free"] for part in found["parts"] for run in part["runs"] if "free" in run]
    assert 0 < min(few) < 0.02 < max(few)
    assert (reports / "bench.png").read_bytes().startswith(b"\x89PNG")
    assert "| /v1/nearest / FastAPI + Redis " in done.stdout
