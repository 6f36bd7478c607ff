"""The past of a simulated city: the same day whatever is asked for, whole files or none."""

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from parking_api.command_line import connected
from parking_api.importing.history import HistoryImport, import_history
from parking_api.importing.service import import_city
from simulators.__main__ import main
from simulators.demand.flow import Flow
from simulators.demand.parameters import DEMO_FILE
from simulators.history.past import STRETCH_DAYS, Past, Span, midnight
from simulators.registry import Lot
from tests.parking_api.import_files import SILENT, write_city

# The last day of a stretch, and the first of the next.
LAST = date.fromordinal(26_425 * STRETCH_DAYS - 1)
FIRST = LAST + timedelta(days=1)
OFFSET_S = 8 * 3600
USES = ("office", "housing", "mall")
LOTS = [Lot(f"a-{use}", "gw", "underground", use, "count", 300, 120) for use in USES]


def past(seed: int = 7) -> Past:
    return Past(LOTS, seed, OFFSET_S)


def test_a_day_is_the_same_whatever_else_is_asked_for() -> None:
    days = [LAST, FIRST, FIRST + timedelta(days=1)]
    together = dict(past().days(days))
    assert list(together) == days[::-1]
    for day in days:
        ((alone, halves),) = past().days([day])
        assert alone == day
        assert np.array_equal(halves, together[day])
    ((_, other),) = past(8).days([FIRST])
    assert not np.array_equal(other, together[FIRST])


def test_it_goes_on_where_two_stretches_meet() -> None:
    """The lots are as full as they were, but for single drivers."""
    days = dict(past().days([LAST, FIRST]))
    ends, begins = days[LAST][:, -1] / 2, days[FIRST][:, 0] / 2
    within = np.abs(np.diff(days[LAST] / 2, axis=1)).max()
    # Two draws of some 60 drivers differ by some 11.
    assert np.abs(ends - begins).max() < 45 + within
    assert abs(ends.sum() - begins.sum()) < 0.25 * ends.sum()


def test_it_has_the_levels_of_the_live_city() -> None:
    """A run that starts in the middle of a day of history finds it as history has it."""
    at = midnight(FIRST) + timedelta(hours=4)
    lots = [Lot(f"b-{n}", "gw", "surface", USES[n % 3], "count", 300, 200) for n in range(60)]
    ((_, halves),) = Past(lots, 7, OFFSET_S).days([FIRST])
    live = Flow(lots, at.timestamp(), seed=7, utc_offset_s=OFFSET_S, step_s=5)
    apart = live.present - halves[:, 48] / 2
    # Apart by chance alone: a count of n drivers has a standard deviation of at most its root.
    assert abs(apart.mean()) < 5
    assert np.abs(apart).max() < 6 * np.sqrt(2 * 200)
    other = Flow(lots, at.timestamp(), seed=8, utc_offset_s=OFFSET_S, step_s=5)
    assert np.std(other.present - halves[:, 48] / 2) > 2 * np.std(apart)


def test_a_span_in_whole_steps() -> None:
    span = Span(
        datetime(2026, 11, 19, 23, 50, tzinfo=UTC), datetime(2026, 11, 21, 0, 5, tzinfo=UTC)
    )
    days = [date(2026, 11, day) for day in (21, 20, 19)]
    assert span.days == days
    assert [span.steps(day) for day in days] == [range(1), range(288), range(286, 288)]
    to_midnight = Span(span.start, datetime(2026, 11, 21, tzinfo=UTC))
    assert to_midnight.days == days[1:]


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write_city(tmp_path / "city")


def history(directory: Path, city: Path, start: str, end: str, *options: str) -> int:
    words = ["history", str(directory), "--from", start, "--to", end, "--city", str(city)]
    return main([*words, *options])


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_run_that_was_cut_off_goes_on(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, again = tmp_path / "whole", tmp_path / "again"
    assert history(whole, city, "2026-11-18", "2026-11-21") == 0
    assert history(again, city, "2026-11-20", "2026-11-21T00:00Z") == 0
    kept = (again / "2026-11-20.csv.gz").stat().st_ino
    capsys.readouterr()
    assert history(again, city, "2026-11-18", "2026-11-21") == 0
    assert capsys.readouterr().out.startswith("1 days are there already\n2026-11-19: 3 lots\n")
    assert contents(again) == contents(whole)
    assert (again / "2026-11-20.csv.gz").stat().st_ino == kept


def test_a_day_that_was_begun_is_written_again(city: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    assert history(files, city, "2026-11-20", "2026-11-20T08:12+08:00") == 0
    lines = gzip.decompress((files / "2026-11-20.csv.gz").read_bytes()).decode().splitlines()
    assert lines[0] == "lot_id,capacity,00:00,00:05"
    assert [len(line.split(",")) for line in lines] == [4] * 4
    assert history(files, city, "2026-11-20", "2026-11-21") == 0
    longer = gzip.decompress((files / "2026-11-20.csv.gz").read_bytes()).decode().splitlines()
    assert [one.split(",")[:4] for one in longer] == [one.split(",") for one in lines]


@pytest.mark.parametrize("broken", ["cut off", "changed", "no gzip"])
def test_a_file_that_is_broken_is_written_again(broken: str, city: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    assert history(files, city, "2026-11-20", "2026-11-21") == 0
    before = contents(files)
    path = files / "2026-11-20.csv.gz"
    whole = path.read_bytes()
    changed = whole[:40] + bytes(255 - byte for byte in whole[40:90]) + whole[90:]
    path.write_bytes({"cut off": whole[:-9], "changed": changed, "no gzip": b"junk"}[broken])
    assert history(files, city, "2026-11-20", "2026-11-21") == 0
    assert contents(files) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("2026-11-20", "2026-11-20"), "--to is not after --from"),
        (
            ("2026-11-20", "2026-11-21", "--seed", "8"),
            "has the history of another city, seed or demand",
        ),
        (("2026-11-20", "2026-11-21", "--city", "no/city"), "no/city/lots.csv"),
    ],
)
def test_what_is_refused(
    words: tuple[str, ...],
    message: str,
    city: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = tmp_path / "files"
    assert history(files, city, "2026-11-20", "2026-11-20T01:00Z") == 0
    before = contents(files)
    assert history(files, city, *words) == 2
    assert message in capsys.readouterr().err
    assert contents(files) == before


def test_other_demand_is_not_mixed_in(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = tmp_path / "files"
    assert history(files, city, "2026-11-20", "2026-11-20T01:00Z") == 0
    fitted = tmp_path / "demand.json"
    fitted.write_bytes(DEMO_FILE.read_bytes() + b"\n")
    monkeypatch.setattr("simulators.history.files.DEMO_FILE", fitted)
    assert history(files, city, "2026-11-20", "2026-11-21") == 2
    assert "another city, seed or demand" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("date_", "message"),
    [
        ("20-11-2026", "is no date"),
        ("2026-11-20T08:00", "has no offset"),
        ("0202-11-20", "not in the years"),
    ],
)
def test_dates_that_are_none(
    date_: str, message: str, city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        history(tmp_path / "files", city, date_, "2026-11-21")
    assert message in capsys.readouterr().err
    assert not (tmp_path / "files").exists()


def test_other_files_are_left_alone(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "2026-11-20.csv").write_text("mine")
    assert history(tmp_path / "files", city, "2026-11-20", "2026-11-21") == 2
    assert "has other files" in capsys.readouterr().err


async def test_the_platform_takes_it(city: Path, tmp_path: Path, database_url: str) -> None:
    files, now = tmp_path / "files", datetime(2026, 11, 20, 3, 2, tzinfo=UTC)
    assert history(files, city, "2026-11-18", now.isoformat()) == 0
    async with connected(database_url, "test") as db:
        await import_city(db, city, at=now, steps=SILENT)
        done = HistoryImport()
        await import_history(
            db, files, clock=lambda: now, done=done, steps=SILENT, say=lambda _: None
        )
        stored = await db.fetch("SELECT lot_id, count(*) AS n FROM lot_history GROUP BY 1")
    assert [each.steps for each in done.days] == [3 * 36, 3 * 288, 3 * 288]
    assert {each["n"] for each in stored} == {36 + 2 * 288}
