from dataclasses import replace
from pathlib import Path

import matplotlib.image
import pytest

from load_tests import chart, report
from load_tests.kinds import EMPTY
from load_tests.samples import Recorder
from load_tests.stages import Stage
from load_tests.watching import Ingested


def stage(name: str, kind: str, per_s: int, latency_ms: float, ingested_per_s: float) -> Stage:
    recorder = Recorder()
    for number in range(10 * per_s):
        recorder.add(kind, 1000.0 + number / per_s, latency_ms)
    return Stage(
        name=name,
        started_s=1000.0,
        length_s=10.0,
        samples=recorder.samples(),
        failures=[],
        counted={},
        ingested=Ingested(10.0, 1, ingested_per_s, {"applied": 1}, 1),
        cores={"api": 0.5},
        load_average=1.5,
    )


@pytest.mark.parametrize(
    ("made", "reached"),
    [
        (stage("mixed", "GET /v1/nearest", 100, 29.0, 500.0), True),
        (stage("mixed", "GET /v1/nearest", 100, 31.0, 500.0), False),
        (stage("mixed", "GET /v1/nearest", 90, 29.0, 500.0), False),
        (stage("mixed", "GET /v1/nearest", 100, 29.0, 400.0), False),
        (stage("freshness", "FRESH /v1/nearest", 5, 999.0, 500.0), True),
        (stage("freshness", "FRESH /v1/nearest", 5, 1001.0, 500.0), False),
        (stage("ingest, 4 a message", "ACK spaces", 5, 30.0, 5001.0), True),
        (stage("ingest, 4 a message", "ACK spaces", 5, 30.0, 4999.0), False),
        (stage("ingest, 1 a message", "ACK spaces", 5, 30.0, 4999.0), None),
    ],
)
def test_each_target_is_held(made: Stage, *, reached: bool | None) -> None:
    (goal,) = report.goals([made])
    assert goal.reached is reached
    assert goal.load_average == 1.5


def test_an_api_that_finds_nothing_is_wrong() -> None:
    made = stage("mixed", "GET /v1/nearest", 10, 1.0, 500.0)
    assert report.faults([made]) == []
    (fault,) = report.faults([replace(made, counted={EMPTY: 21})])
    assert (fault["problem"], fault["times"]) == ("finds nothing", 21)


def test_failures_that_never_happened_are_none() -> None:
    failures = [
        {"name": "ACK", "problem": "no ack came", "times": 0},
        {"name": "ACK", "problem": "connection lost", "times": 2},
    ]
    made = replace(stage("mixed", "GET /v1/nearest", 10, 1.0, 500.0), failures=failures)
    (fault,) = report.faults([made])
    assert fault["problem"] == "connection lost"


def test_the_report_is_written_and_drawn(tmp_path: Path) -> None:
    made = [
        stage("mixed", "GET /v1/nearest", 50, 8.0, 500.0),
        stage("freshness", "FRESH /v1/nearest", 5, 40.0, 500.0),
    ]
    report.write(tmp_path, "python -m load_tests", made)
    text = (tmp_path / "summary.md").read_text()
    assert (
        "| /v1/nearest, p95 | 8.0 ms at 50 requests/s (and 0 others/s), 500 observations/s" in text
    )
    assert "NOT REACHED" in text
    chart.draw(made, tmp_path / "latency.png")
    height, width, _ = matplotlib.image.imread(tmp_path / "latency.png").shape
    assert (width, height) > (1000, 300)
