import gzip
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulators.__main__ import main
from simulators.demand.parameters import LandUse, Parameters, load
from simulators.demand.rates import week_present
from simulators.fitting import files, holding
from simulators.fitting.files import read_text
from tests.simulators.fitting import made


@pytest.fixture(scope="module")
def directory(tmp_path_factory: Any) -> Path:
    return made.folder(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def fitted(directory: Path) -> Parameters:
    out = directory / "out.json"
    assert main(["fit", str(directory), "--out", str(out)]) == 0
    return load(out)


def test_stays_are_found_as_they_were_drawn(fitted: Parameters) -> None:
    stays = fitted.land_uses["market"].stays
    for hour, median in ((9, 60), (15, 120)):
        mean = sum(
            weight * math.log(component.median_min)
            for weight, component in zip(stays.weights[hour], stays.components, strict=True)
        )
        assert math.exp(mean) == pytest.approx(median, rel=0.1)
    assert "one.csv, two.csv" in stays.from_


def test_arrivals_are_found_as_they_were_drawn(fitted: Parameters) -> None:
    arrivals = fitted.land_uses["market"].arrivals
    for day in (arrivals.workday, arrivals.saturday, arrivals.sunday):
        assert sum(day[34:78]) > 0.9 * sum(day)
        assert sum(day[:30]) == 0
    assert np.mean(arrivals.workday) == pytest.approx(1, abs=0.1)


def test_the_arrivals_of_a_centre_bring_its_occupancy_about(fitted: Parameters) -> None:
    workday = week_present(fitted.land_uses["office"]).reshape(7, 96)[2]
    hour = np.arange(96) / 4
    lots = np.array([0.3 + 0.5 * np.exp(-(((hour - 13 - lot) / 4) ** 2)) for lot in range(3)])
    # Whose capacity is not told, has as many bays as it had free.
    lots[0] = 1 - (1 - lots[0]) / (1 - lots[0].min())
    real = lots.mean(axis=0)
    assert workday / workday.mean() == pytest.approx(real / real.mean(), abs=0.12)


def test_levels_are_found_as_they_were_drawn_and_then_held(fitted: Parameters) -> None:
    market, street = (fitted.land_uses[name] for name in ("market", "street"))
    assert before(market) == pytest.approx(0.2, abs=0.06)
    assert before(street) == pytest.approx(0.1, abs=0.06)
    assert market.lot_level.sd == holding.LOT_SD
    assert street.lot_level.sd <= holding.LOT_SD
    assert fitted.city.level.sd < 0.06


def before(use: LandUse) -> float:
    """What the lots' own level was before it was held."""
    return float(use.from_.split("(use), ")[1].split(" (lot)")[0])


def test_what_no_data_speaks_of_is_said_to_be_assumed(fitted: Parameters) -> None:
    demo = load().land_uses["school"]
    school = fitted.land_uses["school"]
    assert school.stays == demo.stays
    assert school.arrivals == demo.arrivals
    assert school.from_.startswith("assumed: ")
    assert {source.name for source in fitted.sources} >= {"Somebody", "A town"}


def test_what_is_no_fact_is_left_out_and_said(directory: Path, capsys: Any) -> None:
    assert main(["fit", str(directory)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith('{\n "sources"')
    for line in (
        "one.csv: shorter than 5 minutes: 3",
        "two.csv: 5 spaces cannot be: up to",
        "parks.csv.gz: lot 1: capacity not told: 4032 of 4032 snapshots (100.0 %)",
        "parks.csv.gz: lot 3: free spaces unknown (-1 or empty): 1 of 4032",
        "parks.csv.gz: lot 3: frozen, one value for a day or longer: 67",
        "lots.csv: at 0, 0: no place: 1 of 2 places",
        "lots.csv: capacity not told: 2 of 2",
    ):
        assert line in said.err, said.err


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("one.csv", 40, "Lockdown Time"), "2024/3/32 8:00", "no time"),
        (("one.csv", 41, "Lockup Time"), "soon", "no time such as"),
        (("two.csv", 7, "Lockup Time"), "2001/1/1 8:00", "before the arrival"),
        (("two.csv", 8, "cost"), "much", "no number"),
        (("parks.csv.gz", 9, "ts_snapshot"), "2024-03-04", "no time"),
        (("parks.csv.gz", 10, "free"), "-7", "no count"),
        (("parks.csv.gz", 11, "free"), "12.5", "no count"),
        (("parks.csv.gz", 14, "free"), "9" * 400, "no count of at most 6 digits"),
        (("parks.csv.gz", 14, "capacity"), "9" * 5_000, "no count of at most 6 digits"),
        (("parks.csv.gz", 14, "ts_snapshot"), "9999-12-31T00:45", "not of the years 1990"),
        (("two.csv", 7, "Lockup Time"), "9999/1/1 8:00", "not of the years 1990"),
        (("parks.csv.gz", 12, "capacity"), "many", "no count"),
        (("parks.csv.gz", 13, "lot"), "", "is missing"),
        (("parks.csv.gz", 15, "ts_snapshot"), "2024-03-04T00:45", "again"),
        (("lots.csv", 2, "latitude"), "95", "no number"),
        (("fit.csv", 2, "land_use"), "port", "none of hospital"),
        (("fit.csv", 3, "spaces"), "0", "no number of spaces"),
        (("fit.csv", 3, "spaces"), "9" * 5000, "no number of spaces"),
        (("fit.csv", 3, "file"), "one.csv", "'one.csv' is described again"),
        (("fit.csv", 3, "file"), "tow.csv", "'tow.csv' is not there"),
        (("fit.csv", 4, "licence"), "", "is missing"),
    ],
)
def test_each_fault_is_named(
    tmp_path: Path, capsys: Any, place: tuple[str, int, str], value: str, told: str
) -> None:
    directory = made.folder(tmp_path / "faulty")
    file, row, column = place
    change(directory / file, row, column, value)
    refuse(directory, capsys, f"{file}, row {row}, column {column}: ", told)


def test_all_faults_of_all_files_are_named(tmp_path: Path, capsys: Any) -> None:
    directory = made.folder(tmp_path / "faulty")
    change(directory / "one.csv", 40, "Lockdown Time", "?")
    change(directory / "one.csv", 50, "cost", "?")
    change(directory / "parks.csv.gz", 9, "free", "?")
    (directory / "torn.csv.gz").write_bytes(b"\x1f\x8bnothing")
    (directory / "odd.csv").write_text("a,b\n1,2\n")
    (directory / "half.csv").write_text("Lockdown Time,cost\n2024/3/4 8:00,0\n")
    (directory / "bytes.csv").write_bytes(b"\xff\xff\xff")
    made.write(directory / "new.csv", made.STAY_HEADER, [])
    said = refuse(directory, capsys)
    for line in (
        "one.csv, row 40, column Lockdown Time: '?' is no time",
        "one.csv, row 50, column cost: '?' is no number",
        "parks.csv.gz, row 9, column free: '?' is no count",
        "torn.csv.gz: gzip that cannot be unpacked",
        "odd.csv, row 1: columns of no shape",
        "half.csv, row 1, column Lockup Time: is missing",
        "bytes.csv: neither UTF-8 nor GB 18030",
        "new.csv: no row of fit.csv describes it",
    ):
        assert line in said, said


def test_what_cannot_be_read_is_not_passed_over(tmp_path: Path, capsys: Any) -> None:
    directory = made.folder(tmp_path / "faulty")
    (directory / "far.csv").symlink_to(tmp_path / "nowhere")
    refuse(directory, capsys, "far.csv: ", "No such file")
    (directory / "far.csv").unlink()
    (directory / "folder.csv").mkdir()
    refuse(directory, capsys, "folder.csv: ", "is no file")
    (directory / "folder.csv").rmdir()
    parks = directory / "parks.csv.gz"
    parks.write_bytes(read_text(parks.read_bytes()).splitlines()[0].encode())
    refuse(directory, capsys, "parks.csv.gz: ", "no occupancy is left")


def test_a_column_that_stands_there_twice_is_named(tmp_path: Path, capsys: Any) -> None:
    directory = made.folder(tmp_path / "faulty")
    made.write(directory / "two.csv", [*made.STAY_HEADER, "cost"], [])
    refuse(directory, capsys, "two.csv, row 1, column cost: ", "again")


def test_a_file_that_is_too_large_is_named(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = made.folder(tmp_path / "faulty")
    monkeypatch.setattr(files, "MOST_BYTES", 1_000_000)
    (directory / "bomb.csv.gz").write_bytes(gzip.compress(bytes(5_000_000)))
    (directory / "long.csv").write_bytes(bytes(1_000_001))
    said = refuse(directory, capsys, "bomb.csv.gz: ", "has more than 1000000 bytes")
    assert "long.csv: has more than" in said


def test_a_row_of_another_length_is_named(tmp_path: Path, capsys: Any) -> None:
    directory = made.folder(tmp_path / "faulty")
    with (directory / "two.csv").open("a") as file:
        file.write("2024/3/4 8:00,2024/3/4 9:00\n")
    refuse(directory, capsys, ": 2 fields where the header has 4")


def test_nothing_to_fit_is_refused(tmp_path: Path, capsys: Any) -> None:
    refuse(tmp_path, capsys, "neither stays nor occupancy")
    refuse(tmp_path / "nowhere", capsys, "is no folder")


def change(path: Path, row: int, column: str, value: str) -> None:
    lines = [line.split(",") for line in read_text(path.read_bytes()).splitlines()]
    lines[row - 1][lines[0].index(column)] = value
    made.write(path, lines[0], lines[1:])


def refuse(directory: Path, capsys: Any, *told: str) -> str:
    out = directory.parent / "out.json"
    out.write_text("as it was")
    assert main(["fit", str(directory), "--out", str(out)]) == 2
    assert out.read_text() == "as it was"
    assert not list(directory.parent.glob(".out*"))
    said = capsys.readouterr()
    assert said.out == ""
    for text in told:
        assert text in said.err, said.err
    return str(said.err)


def fit_one(directory: Path, land_use: str, stays: list[tuple[datetime, timedelta]]) -> Parameters:
    """Fit one lot of these stays: arrival and length."""
    form = "%Y/%m/%d %H:%M"
    rows = [[at.strftime(form), (at + long).strftime(form), "0", "1"] for at, long in stays]
    made.write(directory / "lot.csv", made.STAY_HEADER, rows)
    described = ["lot.csv", land_use, "900", "Somebody", "MIT", "https://example.org"]
    made.write(directory / "fit.csv", made.DESCRIPTION, [described])
    out = directory / "out.json"
    assert main(["fit", str(directory), "--out", str(out)]) == 0
    return load(out)


def test_holidays_are_no_days_of_the_week(tmp_path: Path, capsys: Any) -> None:
    stays = []
    for day in range(35):
        at = datetime(2018, 9, 10, tzinfo=UTC) + timedelta(days=day)
        is_holiday = (at.month, at.day) in {(10, one) for one in range(1, 8)}
        is_holiday |= (at.month, at.day) in {(9, 22), (9, 23), (9, 24)}
        is_makeup = (at.month, at.day) in {(9, 29), (9, 30)}
        hour, cars = (20, 100) if is_holiday else (5, 50) if is_makeup else (9, 20)
        stays += [
            (at.replace(hour=hour, minute=car % 60), timedelta(minutes=50 + car % 20))
            for car in range(cars)
        ]
    arrivals = fit_one(tmp_path, "mall", stays).land_uses["mall"].arrivals
    for kind in (arrivals.workday, arrivals.saturday, arrivals.sunday):
        assert sum(kind[34:42]) == pytest.approx(sum(kind), abs=0.001) != 0
    assert "lot.csv: holidays and make-up workdays, of arrivals: 12 of 33 days" in (
        capsys.readouterr().err
    )


def test_who_stays_overnight_leaves_in_the_morning(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    stays = []
    for day in range(60):
        midnight = datetime(2018, 3, 5, tzinfo=UTC) + timedelta(days=day)
        for _ in range(40):
            came = midnight + timedelta(hours=17 + 7 * rng.random())
            left = midnight + timedelta(days=1, hours=7, minutes=rng.normal(0, 90))
            stays.append((came, left - came))
        for _ in range(120):
            came = midnight + timedelta(hours=8 + 15 * rng.random())
            stays.append((came, timedelta(minutes=60 * rng.lognormal(0, 0.5))))
    housing = fit_one(tmp_path, "housing", stays).land_uses["housing"]
    by_hour = week_present(housing).reshape(7, 24, 4).mean(axis=(0, 2))
    # As they were drawn. Lengths alone are met by two components, with 0.79.
    assert by_hour[2:5].mean() / by_hour.max() == pytest.approx(0.87, abs=0.04)
