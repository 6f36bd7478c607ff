"""Files as spreadsheets and map programs write them: read where that is safe, else told exactly."""

import json
import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from parking_api.importing.city import read_city
from parking_api.importing.faults import Faults
from parking_api.importing.lots_file import LotOptions, LotsFile, read_lots, read_lots_file
from parking_api.importing.rows import LotRow
from parking_api.importing.synonyms import HEADERS, VALUES
from parking_api.importing.texts import Encoding
from tests.parking_api.import_files import BAYS, OPERATORS, SILENT, write_city

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[3]
WPS = "wps_gbk_semicolons.csv"
PARTIES = {"operator_id": "op-new", "gateway_id": "gw-new"}


def read(path: Path, encoding: Encoding = "utf-8") -> tuple[LotsFile, Mapping[str, LotRow], Faults]:
    faults = Faults()
    source = read_lots_file(path, faults, encoding)
    lots = read_lots(source, LotOptions(PARTIES), {}, faults)
    return source, lots.entries, faults


def wide(text: str) -> str:
    """A text in full width."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


def write(directory: Path, text: str) -> Path:
    path = directory / "lots.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_gbk_is_recognised_and_named() -> None:
    faults = Faults()

    read_lots_file(DATA / WPS, faults)

    assert faults.lines() == [
        (
            f"{WPS}: is not UTF-8 (byte 0xb3 in line 2); it reads as GBK, such as '停车场编号': "
            "give --encoding gbk"
        )
    ]


def test_a_file_of_a_chinese_spreadsheet_is_read() -> None:
    source, lots, faults = read(DATA / WPS, "gbk")

    assert faults.notes == [f"{WPS}: is read as GBK", f"{WPS}: its fields are separated by ';'"]
    assert (source.ignored, source.total) == (["备注"], 7)
    found = [(lot.name_zh, lot.lot_type, lot.capacity, lot.height_limit_m) for lot in lots.values()]
    assert found == [
        ("台东三路地下停车场", "underground", 1200, 2.1),
        ("市立医院停车楼", "multi_storey", 356, 2.2),
        ("栈桥露天停车场", "surface", 85, None),
    ]
    hours = [(lot.opens_at, lot.closes_at) for lot in lots.values()]
    assert hours == [(time(7, 30), time(0)), (time(6), time(22, 30)), (None, None)]
    third = lots["wps-003"]
    assert (third.longitude, third.latitude) == (120.3201, 36.0612)


def test_its_faults_name_row_column_and_what_is_wanted() -> None:
    _, _, faults = read(DATA / WPS, "gbk")

    assert faults.lines() == [
        (
            f"{WPS}, row 7, 纬度: '120.4672' and longitude 36.0931 look swapped: latitude is from "
            "-90 to 90"
        ),
        f"{WPS}, row 9, 停车场编号: 'wps-005' is there already, in row 8; none of them is taken",
        (
            f"{WPS}, row 10, 泊位数: '九十' should be a valid integer, unable to parse string as "
            "an integer"
        ),
        f"{WPS}, row 10, 营业开始时间: '25:00' should be HH:MM, 00:00 to 24:00",
    ]
    assert {row for _, row in faults.bad_rows} == {7, 8, 9, 10}


def test_unicode_text_with_tabs_is_read() -> None:
    _, lots, faults = read(DATA / "excel_unicode_tabs.txt")

    assert faults.notes == [
        "excel_unicode_tabs.txt: is read as UTF-16",
        "excel_unicode_tabs.txt: its fields are separated by tabs",
    ]
    assert faults.lines() == []
    assert [(lot.name_zh, lot.capacity) for lot in lots.values()] == [
        ("Alpha, north", 1200),
        ("Beta", 40),
    ]


def test_cgcs2000_is_taken_and_a_features_own_id_serves() -> None:
    file = "qgis_cgcs2000.geojson"

    source, lots, faults = read(DATA / file)

    assert {key: lot.capacity for key, lot in lots.items()} == {"qgis-1": 120, "7": 1050}
    assert source.total == 4
    assert faults.lines() == [
        f"{file}, feature 3, id: is missing",
        f"{file}, feature 4, geometry: is missing",
    ]


def test_another_coordinate_system_is_named_in_full() -> None:
    _, _, faults = read(DATA / "qgis_gauss_krueger.geojson")

    assert faults.lines() == [
        (
            "qgis_gauss_krueger.geojson, crs: is EPSG:4549 (CGCS2000 / 3-degree Gauss-Kruger CM "
            "120E, in units of metre); longitude and latitude in WGS 84 or CGCS2000 (EPSG:4326 or "
            "EPSG:4490) are wanted"
        )
    ]


@pytest.mark.parametrize("name", ["CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"])
def test_wgs_84_has_several_names(tmp_path: Path, name: str) -> None:
    text = (DATA / "qgis_cgcs2000.geojson").read_text(encoding="utf-8")
    path = tmp_path / "lots.geojson"
    path.write_text(text.replace("urn:ogc:def:crs:EPSG::4490", name), encoding="utf-8")

    _, lots, _ = read(path)

    assert len(lots) == 2


@pytest.mark.parametrize(
    ("written", "capacity"),
    [
        ("1200", 1200),
        ('"1,200"', 1200),
        (wide("1200"), 1200),
        (wide("1,200"), 1200),
        ("1\u00a0200", 1200),
        ('"1,200.0"', 1200),
    ],
)
def test_whole_numbers_are_read_as_spreadsheets_write_them(
    tmp_path: Path, written: str, capacity: int
) -> None:
    path = write(tmp_path, f"lot,name,lon,lat,capacity\nl-1,A,120.02,36.02,{written}\n")

    _, lots, faults = read(path)

    assert faults.lines() == []
    assert lots["l-1"].capacity == capacity


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("1.200", "'1.200' may mean a thousand times as much: write it without a point"),
        ("1.000", "'1.000' may mean a thousand times as much: write it without a point"),
        ('"1,20"', "'1,20' should be a valid integer, unable to parse string as an integer"),
        ('"12,00,000"', "'12,00,000' should be a valid integer, unable to parse string as an"),
    ],
)
def test_what_may_be_another_number_is_refused(tmp_path: Path, written: str, fault: str) -> None:
    path = write(tmp_path, f"lot,name,lon,lat,capacity\nl-1,A,120.02,36.02,{written}\n")

    _, _, faults = read(path)

    (line,) = faults.lines()
    assert line.startswith(f"lots.csv, row 2, capacity: {fault}")


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("7:30,24:00", (time(7, 30), time(0))),
        ("07:30:00,22:00:00", (time(7, 30), time(22))),
        ("00:00,24:00:00", (time(0), time(0))),
        (wide("7:30") + "," + wide("22:00"), (time(7, 30), time(22))),
    ],
)
def test_times_are_read_as_spreadsheets_write_them(
    tmp_path: Path, written: str, hours: tuple[time, time]
) -> None:
    header = "lot,name,lon,lat,capacity,opens_at,closes_at"
    path = write(tmp_path, f"{header}\nl-1,A,120.02,36.02,3,{written}\n")

    _, lots, faults = read(path)

    assert faults.lines() == []
    assert (lots["l-1"].opens_at, lots["l-1"].closes_at) == hours


@pytest.mark.parametrize("written", ["24:01", "7:5", "07:30:30", "0.3125", "12"])
def test_what_is_no_time_is_refused(tmp_path: Path, written: str) -> None:
    header = "lot,name,lon,lat,capacity,opens_at,closes_at"
    path = write(tmp_path, f"{header}\nl-1,A,120.02,36.02,3,{written},22:00\n")

    _, _, faults = read(path)

    assert faults.lines()[0] == (
        f"lots.csv, row 2, opens_at: '{written}' should be HH:MM, 00:00 to 24:00"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_excels_own_first_line_is_understood(tmp_path: Path, end: str) -> None:
    rows = ["sep=;", "lot;name;lon;lat;capacity", "l-1;A, B;120.02;36.02;3", "l-2;C;x;36.02;3"]
    path = tmp_path / "lots.csv"
    path.write_bytes(end.join([*rows, ""]).encode())

    _, lots, faults = read(path)

    assert lots["l-1"].name_zh == "A, B"
    (line,) = faults.lines()
    assert line.startswith("lots.csv, row 4, lon: 'x' should be a valid number")


def features(directory: Path, *given: dict[str, Any], **members: Any) -> Path:
    point = {"type": "Point", "coordinates": [120.02, 36.02]}
    whole = [{"type": "Feature", "geometry": point, "properties": {}, **one} for one in given]
    path = directory / "lots.geojson"
    document = {"type": "FeatureCollection", "features": whole, **members}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_features_own_id_comes_before_a_property_of_that_name(tmp_path: Path) -> None:
    named = {"name": "A", "capacity": 3}
    path = features(
        tmp_path,
        {"id": "att-1", "properties": {**named, "id": 4711}},
        {"properties": {**named, "id": "own-2"}},
    )
    _, lots, faults = read(path)
    assert (set(lots), faults.lines()) == ({"att-1", "own-2"}, [])

    said = {"id": "att-1", "properties": {**named, "lot_id": "said"}}
    _, lots, faults = read(features(tmp_path, said))
    assert (set(lots), faults.lines()) == ({"said"}, [])


def test_properties_of_one_meaning_are_refused(tmp_path: Path) -> None:
    path = features(
        tmp_path, {"id": "a", "properties": {"name": "A", "Capacity": 5, "capacity": 9}}
    )
    _, lots, faults = read(path)
    assert lots == {}
    assert faults.lines() == [
        "lots.geojson, feature 1, capacity: is there twice, in capitals and small letters"
    ]
    path.write_text('{"type": "FeatureCollection", "features": [], "type": "x"}')
    _, _, faults = read(path)
    assert faults.lines() == ["lots.geojson: is not JSON: one object has the member 'type' twice"]


def test_of_duplicates_none_is_taken_although_one_cannot_be_read(tmp_path: Path) -> None:
    rows = ["lot,name,lon,lat,capacity", "l-1,A,120.02,36.02,3", "l-1,B", "l-2,C,120.03,36.02,4"]
    _, lots, _ = read(write(tmp_path, "\n".join(rows) + "\n"))
    assert set(lots) == {"l-2"}

    whole = {"id": "l-1", "properties": {"name": "A", "capacity": 3}}
    line = {"type": "LineString", "coordinates": [[120, 36], [121, 36]]}
    for spoilt in ({"geometry": None}, {"geometry": line}, {"properties": None}):
        path = features(tmp_path, whole, {**whole, **spoilt}, {**whole, "id": "l-2"})
        _, lots, _ = read(path)
        assert set(lots) == {"l-2"}, spoilt


def test_an_unknown_coordinate_system_is_named_in_full(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::99999"}}
    _, _, faults = read(features(tmp_path, {"id": "a"}, crs=crs))
    (line,) = faults.lines()
    assert line.startswith("lots.geojson, crs: 'urn:ogc:def:crs:EPSG::99999' is no coordinate")


def test_blank_columns_and_rows_are_passed_over_and_all_rows_counted(tmp_path: Path) -> None:
    rows = [
        ",,,,,,",
        "Lot ID,Name,,Lon,Lat,Capacity,,",
        "l-1,A,note,120.02,36.02,3,,",
        " , ,,,,,,",
        "",
        "l-2,B,,120.02,36.02,3",
        "l-3,C,,120.02,36.02,3,,,,",
        "l-4,D,,120.02,36.02,3,,,9",
        "l-5,E,,120.02,36.02",
    ]

    source, lots, faults = read(write(tmp_path, "\n".join(rows) + "\n"))

    assert list(lots) == ["l-1", "l-2", "l-3"]
    assert faults.lines() == [
        "lots.csv, row 8: has 9 fields, the header has 6",
        "lots.csv, row 9: has 5 fields, the header has 6",
    ]
    assert source.total == 5


def test_two_columns_of_one_meaning_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "编号,名称,停车场名称,经度,纬度,车位数,泊位数\n1,A,B,120,36,1,2\n")
    faults = Faults()

    read_lots_file(path, faults)

    assert faults.lines() == [
        "lots.csv, row 1, 停车场名称: means the same as 名称: keep one",
        "lots.csv, row 1, 泊位数: means the same as 车位数: keep one",
    ]


def test_a_citys_other_files_are_read_so_too(tmp_path: Path) -> None:
    plain = read_city(write_city(tmp_path / "plain"), Faults(), SILENT)
    directory = write_city(
        tmp_path / "city",
        ("districts.geojson", '"adcode": "370202", ', ""),
        ("districts.geojson", '"type": "Feature", ', '"type": "Feature", "id": 370202, '),
    )
    operators = OPERATORS.replace("operator_id,name_zh,name_en", "经营者编号,中文名称,英文名称")
    bays = BAYS.replace(",", "\t").replace("lot_id\tnumber", "车场编号\t车位号")
    bays = bays.replace("accessible", "无障碍").replace("space_class", "车位类型")
    (directory / "operators.csv").write_bytes(operators.encode("gbk"))
    (directory / "bays.csv").write_text(bays.replace("\t1\t", f"\t{wide('1')}\t"), encoding="utf-8")
    faults = Faults()

    city = read_city(directory, faults, SILENT, encoding="gbk")

    assert faults.lines() == []
    assert faults.notes == [
        "operators.csv: is read as GBK",
        "bays.csv: its fields are separated by tabs",
    ]
    assert city == plain


def test_the_documents_have_the_same_synonyms() -> None:
    page = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
    headers, _, values = page.partition("Values in Chinese")

    named = {field: tuple(text.split(", ")) for field, text in rows_of(headers).items()}
    assert {field: named.get(field) for field in HEADERS} == HEADERS
    assert {field: meanings(text) for field, text in rows_of(values).items()} == VALUES


def rows_of(text: str) -> dict[str, str]:
    """The rows of two cells whose first is code."""
    return dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE))


def meanings(text: str) -> dict[str, str]:
    """A row such as `ev`: a, b; `large`: c as {a: ev, b: ev, c: large}."""
    found = re.findall(r"`(\w+)`: ([^;]+)", text)
    return {word.strip(): value for value, words in found for word in words.split(",")}
