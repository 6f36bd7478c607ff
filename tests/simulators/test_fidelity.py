import json
import struct
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from simulators.__main__ import main
from simulators.demand import parameters
from simulators.demand.parameters import LAND_USES, Level, Parameters, Wander
from simulators.fidelity import bars, real
from simulators.fidelity.simulated import FIRST_DAY, Simulated, live
from simulators.fidelity.statistics import local_seconds
from simulators.registry import Lot
from simulators.sensors.scoring import score
from tests.simulators.fitting import made


@pytest.fixture(scope="module")
def report(tmp_path_factory: Any) -> tuple[Path, int, str]:
    """A small city's, with its exit code and what it said."""
    out = tmp_path_factory.mktemp("report")
    scores = out / "sensors.json"
    row = score("bad", 10.0, (np.array([[10.0, 3.0]]), np.array([[12.0, 9.0]])), []).row()
    scores.write_text(json.dumps([row]))
    code = main(["fidelity", "--lots", "100", "--out", str(out), "--sensors", str(scores)])
    return out, code, (out / "fidelity.md").read_text()


def still(demo: Parameters) -> Parameters:
    """The demo's demand with every day like the last."""
    uses = {
        name: msgspec.structs.replace(
            use,
            level=Level(0.0, 0.0),
            lot_level=Level(0.0, 0.0),
            wander=Wander(0.0, 1.0),
            weekdays=msgspec.structs.replace(use.weekdays, sd=0.0),
        )
        for name, use in demo.land_uses.items()
    }
    city = msgspec.structs.replace(demo.city, level=Level(0.0, 0.0))
    return msgspec.structs.replace(demo, city=city, land_uses=uses)


def test_a_small_city_has_every_row_and_picture(report: tuple[Path, int, str]) -> None:
    out, code, text = report
    for name in ["city", *LAND_USES]:
        content = (out / f"{name}.png").read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">I", content[16:20])[0] > 1_000
    for row in bars.ROWS.values():
        assert row in text
    for words in ("on the street", "Qingdao itself", "in-sample only", "CC BY 4.0", "MIT"):
        assert words in text
    assert code == (1 if "**no**" in text else 0)


def test_the_report_has_what_the_platform_shows(report: tuple[Path, int, str]) -> None:
    _, _, text = report
    assert "| within 2 spaces, % | 50.00 |" in text
    assert "at 10 times the drivers' speed" in text
    assert "Not scored: clean, normal." in text


def test_scores_that_cannot_be_read_are_named(tmp_path: Path, capsys: Any) -> None:
    scores = tmp_path / "sensors.json"
    scores.write_text("{}")
    out = tmp_path / "report"
    assert main(["fidelity", "--lots", "100", "--out", str(out), "--sensors", str(scores)]) == 2
    assert str(scores) in capsys.readouterr().err
    assert not out.exists()


def test_days_that_are_all_alike_fall_short_and_are_named(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "still.json"
    file.write_bytes(parameters.dump(still(parameters.load())))
    arguments = ["--lots", "100", "--out", str(tmp_path), "--parameters", str(file)]
    assert main(["fidelity", *arguments]) == 1
    said = capsys.readouterr().err
    for row in ("sd_quarter", "sd_city_day", "autocorrelation_left"):
        assert f"does not hold: city: {bars.ROWS[row]}" in said


def city(shares: np.ndarray[Any, Any]) -> Simulated:
    """Lots of malls in the middle of the city, with this occupancy."""
    lots = [
        Lot(str(n), "gw", "underground", "mall", "count", 60, 300, "", "", 120.38, 36.063)
        for n in range(len(shares))
    ]
    return Simulated(lots, shares, local_seconds(FIRST_DAY))


def judged(shares: np.ndarray[Any, Any], demo: Parameters | None = None) -> dict[str, bars.Bar]:
    found = bars.all_bars(
        city(shares), demo or parameters.load(), real.load(), np.random.default_rng(1)
    )
    return {f"{bar.part} {bar.name.split('(')[0].strip()}": bar for bar in found}


def test_the_centre_is_held_to_the_real_hours() -> None:
    centre = real.load().centre
    assert centre
    day = np.repeat(centre.mean, 4)
    name = "centre hourly mean Monday to Friday, where it is furthest off"
    band = "centre hours whose mean lies within the real lots' 10 to 90 % band"
    like = judged(np.tile(day, (3, 42)))
    assert like[name].holds
    assert like[band].holds
    day[48:52] += 0.11
    off = judged(np.tile(day, (3, 42)))
    assert not off[name].holds
    assert off[band].holds
    day[48:52] = 0.99
    assert not judged(np.tile(day, (3, 42)))[band].holds


def test_a_city_without_such_lots_holds_nothing() -> None:
    found = judged(np.empty((0, 42 * 96)))
    assert not any(bar.holds for name, bar in found.items() if name.startswith(("city", "centre")))


def test_the_demos_stays_are_those_of_the_real_lots() -> None:
    found = judged(np.full((1, 42 * 96), 0.5))
    stays = {name: bar for name, bar in found.items() if " stays: " in name}
    assert len(stays) == 5 * 3 + 3
    assert all(bar.holds for bar in stays.values()), stays


def test_other_stays_fall_short() -> None:
    demo = parameters.load()
    mall = demo.land_uses["mall"]
    longer = [
        msgspec.structs.replace(one, median_min=one.median_min * 1.5)
        for one in mall.stays.components
    ]
    stays = msgspec.structs.replace(mall.stays, components=longer)
    uses = {**demo.land_uses, "mall": msgspec.structs.replace(mall, stays=stays)}
    found = judged(np.full((1, 42 * 96), 0.5), msgspec.structs.replace(demo, land_uses=uses))
    short = {name for name, bar in found.items() if " stays: " in name and not bar.holds}
    assert short == {
        "mall stays: Kolmogorov-Smirnov distance, in-sample",
        "mall stays: median, minutes",
        "mall stays: 90th percentile, minutes",
    }


def test_full_files_take_the_place_of_the_projects_figures(tmp_path: Path, capsys: Any) -> None:
    data = made.folder(tmp_path / "data")
    figures = tmp_path / "figures.json"
    assert main(["fidelity", "--data", str(data), "--figures", str(figures)]) == 0
    found = real.load(figures)
    assert [lot.lot for lot in found.stays] == ["one.csv", "two.csv"]
    assert all(lot.left_out is not None and lot.left_out < 0.1 for lot in found.stays)
    assert "parks.csv.gz, 3 lots" in found.rows
    assert found.centre is not None
    assert np.argmax(found.centre.mean) in (13, 14)
    (data / "two.csv").write_text("Lockdown Time,Lockup Time\nsoon,later\n")
    assert main(["fidelity", "--data", str(data), "--figures", str(figures)]) == 2
    assert "two.csv, row 2, column Lockdown Time" in capsys.readouterr().err
    assert real.load(figures) == found


def test_wrong_arguments_are_refused(tmp_path: Path, capsys: Any) -> None:
    assert main(["fidelity", "--lots", "1", "--out", str(tmp_path)]) == 2
    assert "lots must be" in capsys.readouterr().err
    with pytest.raises(ValueError, match="lot"):
        live([], parameters.load(), 1)
