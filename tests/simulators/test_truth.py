"""The truth beside the platform, and what the platform shows scored against it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from structlog.testing import capture_logs

from simulators import fleet
from simulators.registry import Broker
from simulators.score_command import score_platform
from simulators.sensors import truth as truth_files
from simulators.sensors.scoring import Look, read_scores, score, table
from simulators.sensors.truth import (
    BAYS_S,
    SAMPLE_S,
    SPAN_S,
    Run,
    TruthError,
    TruthWriter,
    read_truth,
)
from tests.simulators.test_fleet import GATEWAYS, LOTS, Clock

RUN = Run(["a", "b"], np.array([3, 10]), np.array([True, False]), "normal", 2.0, 7)
BEGIN_S = 1_800_000_000.0 - 1_800_000_000.0 % SPAN_S
TAKEN = np.array([1, 0, 1] + 4 * [1] + 6 * [0], dtype=np.bool_)
FREE = np.array([1, 6])


def written(directory: Path, seconds: int, run: Run = RUN, begin_s: float = BEGIN_S) -> None:
    writer = TruthWriter(directory, run)
    for second in range(seconds):
        writer.note(begin_s + second, 2.0 * second, FREE + second // 300 % 2, TAKEN)
    writer.flush()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written(tmp_path / "new" / "truth", 700)
    truth = read_truth(tmp_path / "new" / "truth")
    assert (truth.run.lots, truth.run.profile, truth.run.speed) == (["a", "b"], "normal", 2.0)
    assert truth.run.senses.tolist() == [True, False]
    assert np.diff(truth.at_s).tolist() == [SAMPLE_S] * 69
    assert truth.free[0].tolist() == [1, 6]
    assert np.diff(truth.bays_at_s).tolist() == [BAYS_S] * 11
    assert [bays.tolist() for bays in truth.occupied(3)] == [TAKEN[:3].tolist(), TAKEN[3:].tolist()]
    means = truth.mean_free(BEGIN_S + np.array([0.0, 300.0, 600.0, 900.0]), 300)
    assert means[:3].tolist() == [[1, 6], [2, 7], [1, 6]]
    assert np.isnan(means[3]).all()


def test_a_file_a_span_and_no_more_than_the_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(truth_files, "FILES_MAX", 3)
    writer = TruthWriter(tmp_path, RUN)
    for minute in range(5 * 60):
        writer.note(BEGIN_S + 60 * minute, 0.0, FREE, TAKEN)
    names = sorted(path.name for path in tmp_path.iterdir())
    begun = [datetime.fromtimestamp(BEGIN_S + SPAN_S * n, UTC) for n in (2, 3, 4)]
    assert names == [f"truth-{at:%Y%m%dT%H%M%SZ}.npz" for at in begun]
    assert len(read_truth(tmp_path).at_s) == 3 * 60


def test_a_file_is_there_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = TruthWriter(tmp_path, RUN)
    writer.note(BEGIN_S, 0.0, FREE, TAKEN)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(file: Any, **_arrays: Any) -> None:
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with capture_logs() as log:
        writer.note(BEGIN_S + BAYS_S, 0.0, FREE, TAKEN)
    assert [entry["event"] for entry in log] == ["truth not written"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_files_that_cannot_be_scored_are_named(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match="no truth"):
        read_truth(tmp_path)
    written(tmp_path, 100)
    other = Run(["a", "c"], RUN.capacity, RUN.senses, "normal", 2.0, 7)
    written(tmp_path, 100, other, BEGIN_S + SPAN_S)
    first, second = sorted(tmp_path.iterdir())
    with pytest.raises(TruthError, match=first.name):
        read_truth(tmp_path)
    first.unlink()
    second.write_bytes(second.read_bytes()[:200])
    with pytest.raises(TruthError, match=second.name):
        read_truth(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"free": np.zeros((1, 5))},
        {"bays": np.zeros((1, 1), np.uint8)},
        {"bays": np.zeros((0, 1), np.uint8), "bays_at_s": np.zeros(0)},
        {"at_s": np.array([np.nan])},
        {"senses": np.zeros(9, bool)},
        {"speed": np.array([1.0, 2.0])},
        {},
    ],
)
def test_arrays_that_do_not_fit_together_are_named(change: dict[str, Any], tmp_path: Path) -> None:
    written(tmp_path, 1)
    (path,) = tmp_path.iterdir()
    with np.load(path) as held:
        arrays = dict(held)
    read_truth(tmp_path)
    np.savez_compressed(path, **arrays | change)
    if not change:
        path.write_bytes(b"")
    with pytest.raises(TruthError, match=path.name):
        read_truth(tmp_path)


def test_a_fleet_writes_what_is_true_not_what_is_shown(tmp_path: Path) -> None:
    clock = Clock()
    lots, gateways = fleet.simulated_lots(LOTS, GATEWAYS)
    settings = fleet.FleetSettings(speed=60.0, profile="bad", truth=tmp_path)
    nowhere = Broker("127.0.0.1", 1)
    city = fleet.Fleet(nowhere, lots, gateways, settings, clock=clock.steady, now=clock.now)
    for _ in range(6):
        clock.go_on(SAMPLE_S)
        city.tick()
    truth = read_truth(tmp_path)
    assert truth.run.lots == [lot.lot_id for lot in lots]
    assert truth.run.profile == "bad"
    assert len(truth.bays_at_s) >= 1
    clock.go_on(BAYS_S)
    city.tick()
    truth = read_truth(tmp_path)
    assert truth.free[-1].tolist() == city.world.free_spaces().tolist()
    assert np.concatenate(truth.occupied(-1)).tolist() == city.world.occupied.tolist()
    shown = [city.world.shown_free(n) for n in range(len(lots))]
    assert shown != truth.free[-1].tolist()


def test_a_score_is_what_it_says() -> None:
    true = np.array([[10.0, 20.0], [10.0, np.nan]])
    shown = np.array([[12.0, 15.0], [np.nan, 5.0]])
    taken = np.array([True, True, False, False])
    look = Look(
        age_s=np.array([2.0, np.nan]),
        live=0.5,
        bays={0: (np.array([True, False, True, False]), np.array([False, True, False, False]))},
    )
    result = score("bad", 3.0, (true, shown), [(look, [taken])])
    assert (result.lots, result.steps) == (2, 2)
    assert result.known == pytest.approx(2 / 3)
    assert (result.mean_error, result.bias, result.close) == (3.5, -1.5, 0.5)
    assert (result.bays_wrong, result.bays_unknown) == (0.25, 0.25)
    assert (result.age_s, result.age_p95_s, result.live) == (2.0, 2.0, 0.5)
    empty = score("clean", 1.0, (np.empty((0, 2)), np.empty((0, 2))), [])
    assert (empty.known, empty.mean_error, empty.bays_wrong, empty.age_s) == (None,) * 4
    report = table([result, empty])
    assert "| within 2 spaces, % | 50.00 | - |" in report


def test_scores_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "sensors.json"
    assert read_scores(path) == []
    row = score("bad", 3.0, (np.array([[10.0]]), np.array([[12.0]])), [])
    path.write_text(json.dumps([row.row()]))
    assert read_scores(path) == [row]
    path.write_text('[{"profile": 3}]')
    with pytest.raises(ValueError, match=path.name):
        read_scores(path)


def platform(request: httpx.Request) -> httpx.Response:
    """Answer as a platform that shows one space too many in lot b, and bay 1 of lot a as free."""
    path = request.url.path
    if path.endswith("/spaces"):
        states = ["free", "unknown", "occupied"]
        return httpx.Response(200, json={"items": [{"state": s} for s in states], "next": None})
    if path.endswith("/occupancy"):
        asked = request.url.params
        first = datetime.fromisoformat(asked["from"]).timestamp()
        steps = int((datetime.fromisoformat(asked["to"]).timestamp() - first) // 300)
        more = 1 if "/b/" in path else 0
        mean = [{"a": 1.0, "b": 6.0}[path.split("/")[-2]] + more + n % 2 for n in range(steps)]
        items = [
            {
                "at": datetime.fromtimestamp(first + 300 * n, UTC).isoformat(),
                "free_spaces": None if n == 1 and not more else free,
            }
            for n, free in enumerate(mean)
        ]
        return httpx.Response(200, json={"items": items, "next": None})
    lots = [
        {"lot_id": "a", "data_state": "live", "age_s": 3.0},
        {"lot_id": "other", "data_state": "live", "age_s": 100.0},
        {"lot_id": "b", "data_state": "unknown", "age_s": None},
    ]
    which = lots[2:] if "cursor" in request.url.params else lots[:2]
    following = None if "cursor" in request.url.params else "/v1/lots?cursor=2"
    return httpx.Response(200, json={"items": which, "next": following})


def test_a_platform_is_scored_over_http(tmp_path: Path) -> None:
    written(tmp_path, 1_000)
    now = [BEGIN_S + 130.0]

    def sleep(duration_s: float) -> None:
        now[0] += duration_s

    transport = httpx.MockTransport(platform)
    with httpx.Client(base_url="http://platform", transport=transport) as client:
        result = score_platform(tmp_path, client, 2, now_s=lambda: now[0], sleep=sleep)
    assert result.steps == 5
    assert result.known == pytest.approx(5 / 6)
    assert result.mean_error == pytest.approx(3 / 5)
    assert result.bays_wrong == pytest.approx(1 / 3)
    assert result.bays_unknown == pytest.approx(1 / 3)
    assert (result.age_s, result.live) == (3.0, 0.5)
