"""What becomes of the report of profiles where one fails or the run is stopped."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from load_tests import rig, sensors
from load_tests.target import TargetError
from simulators.sensors.profiles import PROFILES
from simulators.sensors.scoring import Score, read_scores, score
from simulators.sensors.truth import TruthError

Scorer = Callable[[str, Callable[[float], None]], Score]


def row(profile: str) -> Score:
    return score(profile, 10.0, (np.array([[10.0]]), np.array([[12.0]])), [])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Scorer], int]]:
    """Runs the command over cities that are not there; each must have ended afterwards."""
    running: set[str] = set()

    @contextmanager
    def city(_lots: int, *more: str) -> Iterator[Path]:
        profile = more[more.index("--profile") + 1]
        directory = tmp_path / profile
        directory.mkdir()
        (directory / "run.json").write_text(json.dumps({"http": f"http://{profile}"}))
        running.add(profile)
        try:
            yield directory
        finally:
            running.remove(profile)

    def started(scorer: Scorer) -> int:
        def scored(_truth: Path, client: Any, _minutes: int, *, sleep: Any) -> Score:
            return scorer(client.base_url.host, sleep)

        monkeypatch.setattr(rig, "own_city", city)
        monkeypatch.setattr(sensors, "score_platform", scored)
        code = sensors.main(["--report-dir", str(tmp_path / "reports")])
        assert not running
        return code

    handler = signal.getsignal(signal.SIGTERM)
    yield started
    signal.signal(signal.SIGTERM, handler)


def test_each_profile_is_in_the_report(run: Callable[[Scorer], int], tmp_path: Path) -> None:
    assert run(lambda profile, _: row(profile)) == 0
    rows = read_scores(tmp_path / "reports" / "sensors.json")
    assert [one.profile for one in rows] == [*PROFILES]
    assert "| | clean | normal | bad |" in (tmp_path / "reports" / "sensors.md").read_text()


@pytest.mark.parametrize("error", [TargetError("no city"), TruthError("no truth")])
def test_a_profile_that_fails_is_named_and_the_others_are_kept(
    run: Callable[[Scorer], int], tmp_path: Path, error: Exception
) -> None:
    def scorer(profile: str, _: Callable[[float], None]) -> Score:
        if profile == "normal":
            raise error
        return row(profile)

    assert run(scorer) == 2
    rows = read_scores(tmp_path / "reports" / "sensors.json")
    assert [one.profile for one in rows] == ["clean", "bad"]
    report = (tmp_path / "reports" / "sensors.md").read_text()
    assert f"normal: not scored: {error!r}" in report


def test_a_run_that_is_stopped_ends_its_cities_at_once(
    run: Callable[[Scorer], int], tmp_path: Path
) -> None:
    def scorer(profile: str, sleep: Callable[[float], None]) -> Score:
        if profile == "clean":
            raise KeyboardInterrupt
        sleep(3_600.0)
        return row(profile)

    assert run(scorer) == 130
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("option", ["--minutes", "--speed"])
def test_a_run_of_nothing_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sensors.main([option, "0"])
    assert f"{option}: 0 is not at least 1" in capsys.readouterr().err
