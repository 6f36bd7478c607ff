"""What the run counts of itself: in the status line, and in the API's `/metrics`."""

import os
from pathlib import Path

import pytest

from deploy.figures import Figures, is_sealed
from parking_api.metrics import MAX_BYTES, Metrics

FIGURES = Figures({"database": 2, "broker": 0, "api": 1}, {"api": 7.6}, 1, is_audit_sealed=False)


def exposition(file: Path) -> list[str]:
    text = Metrics(file).exposition().decode()
    return [line for line in text.splitlines() if "_run_" in line and line[0] != "#"]


def test_words_tell_restarts_what_is_down_and_stores() -> None:
    assert FIGURES.words() == (
        "restarts: database 2, api 1 | api is down, starts in 8 s | broker stores put aside: 1"
        " | the audit is not sealed: see seal.log"
    )
    assert Figures({"database": 0}, {}, 0, is_audit_sealed=True).words() == ""


def test_the_api_adds_them_to_its_own(tmp_path: Path) -> None:
    file = tmp_path / "run.prom"
    FIGURES.write(file)
    assert exposition(file) == [
        "onelot_api_run_figures_readable 1.0",
        'onelot_run_restarts_total{program="database"} 2.0',
        'onelot_run_restarts_total{program="broker"} 0.0',
        'onelot_run_restarts_total{program="api"} 1.0',
        'onelot_run_up{program="database"} 1.0',
        'onelot_run_up{program="broker"} 1.0',
        'onelot_run_up{program="api"} 0.0',
        "onelot_run_broker_stores_put_aside 1.0",
        "onelot_run_audit_sealed 0.0",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"onelot_run_up{program= 1\n",
        b"onelot_run_up no number\n",
        b"# TYPE onelot_run_up nonsense\nonelot_run_up 1\n",
        b"\xff\xfe\n",
        b"#" * (MAX_BYTES + 1),
        b'onelot_run_up{program="a"} 1\n' * MAX_BYTES,
    ],
    ids=["cut", "no number", "no type", "no text", "too long", "far too long"],
)
def test_a_file_that_is_no_such_text_costs_its_own_figures_only(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "run.prom"
    file.write_bytes(content)
    assert exposition(file) == ["onelot_api_run_figures_readable 0.0"]
    assert b"onelot_api_database_up" in Metrics(file).exposition()


def test_names_of_others_are_left_out_and_a_missing_file_is_said(tmp_path: Path) -> None:
    file = tmp_path / "run.prom"
    assert exposition(file) == ["onelot_api_run_figures_readable 0.0"]
    file.write_text("onelot_city_lots 7\nonelot_run_up 1\nonelot_run_up 2\n")
    text = Metrics(file).exposition().decode()
    assert "onelot_city_lots 7" not in text
    assert text.count("\nonelot_run_up ") <= 2


def test_without_a_new_seal_the_audit_is_not_sealed(tmp_path: Path) -> None:
    file = tmp_path / "seals"
    assert not is_sealed(file, 1000.0)
    file.touch()
    os.utime(file, (1000.0, 1000.0))
    assert is_sealed(file, 1061.0)
    assert not is_sealed(file, 1200.0)


def test_without_a_setting_there_is_none() -> None:
    assert b"run_" not in Metrics().exposition()
