"""Recordings: rows as instants and counts, every fault of the real file by its name."""

import gzip
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from simulators.recording import (
    LocalClock,
    RecordedCount,
    Recording,
    RecordingError,
    open_recording,
)

MADRID = ZoneInfo("Europe/Madrid")
EXCERPT = Path(__file__).parent / "data" / "malaga_excerpt.csv"
HEADER = "ts_snapshot,lot,capacity,free,ts_source"


def recorded(*rows: str, **window: datetime) -> tuple[list[RecordedCount], Recording]:
    recording = Recording([HEADER, *rows], MADRID, **window)
    return [count for count in recording if count is not None], recording


def test_the_excerpt_with_all_its_faults() -> None:
    with open_recording(EXCERPT) as lines:
        recording = Recording(lines, MADRID)
        counts = [count for count in recording if count is not None]
    assert recording.rows == 20
    assert recording.faults == {
        "missing": 2,
        "minus_one": 2,
        "over_capacity": 1,
        "unparseable": 3,
        "out_of_order": 2,
        "missing_capacity": 4,
    }
    assert recording.gaps() == 1
    found = [(c.lot, f"{c.observed_at:%H:%M%z}", c.free, c.capacity) for c in counts]
    assert found == [
        ("1", "00:05+0100", 201, 342),
        ("5", "00:05+0100", 30, None),
        ("1", "00:11+0100", 199, 342),
        ("138", "00:11+0100", 12, None),
        ("5", "00:16+0100", 31, None),
        ("777", "00:16+0100", 10, 50),
        ("140", "00:16+0100", 160, 161),
        ("1", "02:30+0100", 150, 342),
        ("5", "02:30+0100", 0, None),
        ("1", "02:36+0100", 0, 342),
    ]


def test_every_row_gives_a_count_or_none() -> None:
    with open_recording(EXCERPT) as lines:
        assert len(list(Recording(lines, MADRID))) == 20


@pytest.mark.parametrize("free", ["", "None", " None ", "nan"])
def test_missing_values_are_known_by_their_spellings(free: str) -> None:
    counts, recording = recorded(f"2023-01-01T00:05,1,342,{free},None")
    assert counts == []
    assert recording.faults["missing"] == 1


@pytest.mark.parametrize(
    "row",
    [
        "",
        "2023-01-01T00:05",
        "2023-01-01T00:05,,10,5,None",
        "2023-01-01T00:05,1,10,-2,None",
        "2023-01-01T00:05,1,-7,5,None",
        "2023-01-01T00:05,1,10,4.5,None",
        "2023-13-01T00:05,1,10,4,None",
        "2023-01-01T00:05+01:00,1,10,4,None",
    ],
)
def test_bad_rows_stop_nothing(row: str) -> None:
    counts, recording = recorded(row, "2023-01-01T00:11,1,10,4,None")
    assert [count.free for count in counts] == [4]
    assert recording.faults["unparseable"] == recording.rows - 1 == bool(row)


def test_range_is_half_open() -> None:
    rows = [f"2023-01-0{day}T00:00,1,10,{day},None" for day in (1, 2, 3, 4)]
    window = {"from_at": datetime(2023, 1, 2, tzinfo=MADRID)}
    counts, recording = recorded(*rows, **window, to_at=datetime(2023, 1, 4, tzinfo=MADRID))
    assert [count.free for count in counts] == [2, 3]
    assert recording.rows == 2


def test_the_repeated_hour_is_read_twice() -> None:
    rows = [
        f"2023-10-29T{time},1,10,{free},None"
        for free, time in enumerate(["01:50", "02:10", "02:50", "02:10", "02:50", "03:10"])
    ]
    counts, recording = recorded(*rows)
    assert [count.observed_at.isoformat() for count in counts] == [
        "2023-10-29T01:50:00+02:00",
        "2023-10-29T02:10:00+02:00",
        "2023-10-29T02:50:00+02:00",
        "2023-10-29T02:10:00+01:00",
        "2023-10-29T02:50:00+01:00",
        "2023-10-29T03:10:00+01:00",
    ]
    assert recording.faults["out_of_order"] == 0
    assert recording.gaps() == 0


def test_the_range_knows_the_two_passes_of_the_repeated_hour() -> None:
    rows = [f"2023-10-29T02:{minute},1,10,3,None" for minute in ("10", "50", "10", "50")]
    second_pass = datetime(2023, 10, 29, 2, 0, tzinfo=MADRID, fold=1)
    counts, _ = recorded(*rows, from_at=second_pass)
    assert [f"{count.observed_at:%M%z}" for count in counts] == ["10+0100", "50+0100"]


def test_the_skipped_hour_goes_by_the_offset_before() -> None:
    clock = LocalClock(MADRID)
    skipped = clock.instant("2023-03-26T02:30").astimezone(MADRID)
    assert skipped.isoformat() == "2023-03-26T03:30:00+02:00"
    counts, recording = recorded(
        "2023-03-26T01:55,1,10,3,None",
        "2023-03-26T03:05,1,10,4,None",
        "2023-03-26T03:15,1,10,5,None",
    )
    assert len(counts) == 3
    assert recording.gaps() == 0


def test_gaps_are_longer_than_three_median_steps() -> None:
    minutes = [0, 10, 20, 30, 60, 91, 100]
    _, recording = recorded(*(f"2023-01-01T{m // 60:02}:{m % 60:02},1,9,1,None" for m in minutes))
    assert recording.gaps() == 1


def test_no_rows_have_no_gaps() -> None:
    counts, recording = recorded()
    assert (counts, recording.rows, recording.gaps()) == ([], 0, 0)


def test_missing_columns_are_named() -> None:
    with pytest.raises(RecordingError, match="capacity, free"):
        list(Recording(["ts_snapshot,lot", "2023-01-01T00:05,1"], MADRID))


def test_compressed_files_and_those_cut_short(tmp_path: Path) -> None:
    whole = tmp_path / "whole.csv.gz"
    whole.write_bytes(gzip.compress(EXCERPT.read_bytes() * 200))
    with open_recording(whole) as lines:
        assert len(list(Recording(lines, MADRID))) == 200 * 21 - 1
    short = tmp_path / "short.csv.gz"
    short.write_bytes(whole.read_bytes()[:-50])
    with pytest.raises(RecordingError, match="read on"), open_recording(short) as lines:
        list(Recording(lines, MADRID))
    with pytest.raises(RecordingError), open_recording(tmp_path / "none.csv") as lines:
        list(lines)
