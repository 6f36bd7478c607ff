"""Each way in which a city's files can be wrong is named with its file, row and column."""

from pathlib import Path

import pytest

from parking_api.importing.city import City, read_city
from parking_api.importing.faults import Faults, ranges, shown
from tests.parking_api.import_files import BAYS, FILES, OPERATORS, SILENT, write_city

BAY = "370202-0001,2,0,standard,120.0101,36.0100"
LOT = "op-a,gw-a1,370202"


def read(directory: Path, timezones: frozenset[str] = frozenset()) -> tuple[City, list[str]]:
    faults = Faults()
    city = read_city(directory, faults, SILENT, timezones)
    return city, faults.lines()


def test_the_right_city_has_no_fault(tmp_path: Path) -> None:
    city, faults = read(write_city(tmp_path / "city"))

    assert faults == []
    assert len(city.bays) == 7


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("lots.csv", LOT, "op-x,gw-a1,370202", "row 2, operator_id: there is no operator 'op-x'"),
        ("lots.csv", LOT, "op-a,gw-x,370202", "row 2, gateway_id: there is no gateway 'gw-x'"),
        (
            "lots.csv",
            LOT,
            "op-a,gw-b1,370202",
            "row 2, gateway_id: 'gw-b1' is a gateway of 'op-b', the lot is not",
        ),
        ("lots.csv", LOT, "op-a,gw-a1,1", "row 2, district: there is no district '1'"),
        (
            "lots.csv",
            LOT,
            "op-a,gw-a1,370203",
            "row 2, district: 370203 does not contain the lot's place 120.010000, 36.010000",
        ),
        ("lots.csv", "0002,op-a", "0001,op-a", "row 3, lot_id: '370202-0001' is there already"),
        ("lots.csv", "370202-0002", "Lot 2", "row 3, lot_id: 'Lot 2' should match pattern"),
        ("lots.csv", "A One", " ", "row 2, name_en: is missing"),
        ("lots.csv", "A One", "A\x07", "row 2, name_en: 'A\\x07' holds a control character"),
        ("lots.csv", "surface", "roof", "row 2, lot_type: 'roof' should be 'on_street', 'surf"),
        ("lots.csv", "mall", "shop", "row 2, land_use: 'shop' should be 'hospital', 'school'"),
        ("lots.csv", "mall,bays", "mall,both", "row 2, reporting: 'both' should be 'bays' or"),
        ("lots.csv", ",300,4", ",9,4", "row 2, report_interval_s: '9' should be greater than or"),
        ("lots.csv", ",300,4", ",300,0", "row 2, capacity: '0' should be greater than or equal"),
        ("lots.csv", ",300,4", ",300,many", "row 2, capacity: 'many' should be a valid integer"),
        ("lots.csv", "4,1,,,,", "4,0,,,,", "row 2, levels: '0' should be greater than or equal"),
        ("lots.csv", "2.1,06", "1.2,06", "row 3, height_limit_m: '1.2' should be greater than"),
        ("lots.csv", "22:30", "24:30", "row 3, closes_at: '24:30' should be HH:MM, 00:00 to"),
        ("lots.csv", "22:30", "", "row 3, closes_at: opens_at and closes_at go together"),
        ("lots.csv", "06:00", "", "row 3, closes_at: '22:30' opens_at and closes_at go together"),
        ("lots.csv", "Asia/Shanghai", "Asia/Qingdao", "row 2, timezone: 'Asia/Qingdao' is not an"),
        ("lots.csv", "120.01,36.01", "nan,36.01", "row 2, longitude: 'nan' should be a finite"),
        ("lots.csv", "120.01,36.01", "120.01,inf", "row 2, latitude: 'inf' should be a finite"),
        ("lots.csv", "120.01,36.01", "0,0", "row 2, latitude: '0' with longitude 0 is no place"),
        ("lots.csv", "120.01,36.01", "36.01,120.01", "row 2, latitude: '120.01' and longitude 36"),
        ("lots.csv", "120.01,36.01", "120.01", "row 2: has 17 fields, the header has 18"),
        ("lots.csv", "A One", '"A One', "row 2: unexpected end of data; nothing after it was"),
        ("lots.csv", "A One", "A" * 140_000, "row 2: field larger than field limit (131072);"),
        ("lots.csv", ",capacity,", ",places,", "row 1, capacity: this column is missing (or "),
        ("lots.csv", ",levels,", ",capacity,", "row 1, capacity: this column is there twice"),
        ("lots.csv", "A One", "A\0One", "holds a NUL character in line 2"),
        ("gateways.csv", "gw-a1,op-a", "gw-a1,op-z", "row 2, operator_id: there is no operator"),
        ("gateways.csv", "op-a,true", "op-a,maybe", "row 2, simulated: 'maybe' should be a valid"),
        ("operators.csv", "op-b,", "op-a,", "row 3, operator_id: 'op-a' is there already, in row"),
        ("operators.csv", OPERATORS, "\n", "this file is empty"),
        ("bays.csv", BAY, BAY.replace("standard", "wide"), "row 3, space_class: 'wide' should be"),
        ("bays.csv", BAY, BAY.replace(",0,", ",x,"), "row 3, level: 'x' should be a valid int"),
        ("bays.csv", BAY, BAY.replace("120.0101", "NaN"), "row 3, longitude: 'NaN' should be a"),
        ("bays.csv", BAY, BAY.replace("120.0101,36.0100", "0,0"), "row 3, latitude: '0' with lon"),
        ("bays.csv", BAY, BAY.replace("0001,2", "0009,2"), "row 3, lot_id: there is no lot"),
        ("bays.csv", BAY, BAY.replace("0001,2", "0001,5"), "row 3, number: 5 is beyond the cap"),
        ("bays.csv", BAY, BAY.replace("0001,2", "0001,0"), "row 3, number: '0' should be greater"),
        ("bays.csv", BAY, BAY.replace("0001,2", "0001,1"), "row 3, number: lot 370202-0001 has a"),
        ("bays.csv", f"{BAY}\n", "", "is 4, but bays.csv has no bay 2 of lot 370202-0001"),
        ("zones.geojson", '"zone_class": 1', '"zone_class": 4', "zone_class: '4' should be less"),
        ("zones.geojson", "2020-01-01T00:00:00+08:00", "2020", "valid_from: '2020' should be an"),
        (
            "zones.geojson",
            "2020-01-01T00:00:00+08:00",
            "2020-01-01T00:00:00",
            "valid_from: '2020-01-01T00:00:00' should have",
        ),
        ("districts.geojson", '"type": "Polygon"', '"type": "LineString"', "geometry: is a Line"),
        ("districts.geojson", "[120.0, 36.0]", "[500.0, 36.0]", "geometry: is not in degrees"),
        ("districts.geojson", "[120.0, 36.0], ", "", "feature 1, geometry: cannot be read: "),
        ("districts.geojson", "120.0, 36.0]", "NaN, 36.0]", "is not JSON: NaN is not a number"),
        ("districts.geojson", '"FeatureCollection"', '"Feature"', "is not a GeoJSON FeatureColl"),
        ("districts.geojson", "{", "", "is not JSON: Extra data in line 1, column 7"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, file: str, old: str, new: str, fault: str) -> None:
    _, faults = read(write_city(tmp_path / "city", (file, old, new)))

    assert any(line.partition(".")[2].find(fault) >= 0 for line in faults), faults
    assert len(faults) <= 3, faults


def test_a_ring_that_crosses_itself_is_refused(tmp_path: Path) -> None:
    bow_tie = ("districts.geojson", "[120.1, 36.1], [120.0, 36.1]", "[120.0, 36.1], [120.1, 36.1]")

    _, faults = read(write_city(tmp_path / "city", bow_tie))

    start = "districts.geojson, feature 1, geometry: is not valid: Self-intersection[120.05 36.05"
    assert [fault.startswith(start) for fault in faults] == [True]


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_the_only_fault(tmp_path: Path, file: str) -> None:
    directory = write_city(tmp_path / "city")
    (directory / file).unlink()

    _, faults = read(directory)

    assert faults == [f"{file}: this file is missing"]


def test_another_encoding_is_told(tmp_path: Path) -> None:
    directory = write_city(tmp_path / "city")
    (directory / "operators.csv").write_bytes(OPERATORS.encode("gb18030"))

    _, faults = read(directory)

    assert faults == [
        (
            "operators.csv: is not UTF-8 (byte 0xbc in line 2); it reads as GBK, such as '甲公司': "
            "give --encoding gbk"
        )
    ]


def test_a_bom_crlf_empty_lines_and_another_order_of_columns_do_no_harm(tmp_path: Path) -> None:
    directory = write_city(tmp_path / "city")
    rows = [line.split(",") for line in BAYS.split()]
    turned = "\r\n\r\n".join(",".join(reversed(fields)) for fields in rows)
    (directory / "bays.csv").write_bytes(b"\xef\xbb\xbf" + turned.encode())

    city, faults = read(directory)

    assert faults == []
    assert city.bays == read(write_city(tmp_path / "plain"))[0].bays


def test_rows_with_faults_are_no_unknown_references_too(tmp_path: Path) -> None:
    wrong = write_city(
        tmp_path / "city",
        ("operators.csv", "op-a,甲公司", "op-a,"),
        ("gateways.csv", "gw-b1,op-b,true", "gw-b1,op-b,maybe"),
        ("lots.csv", "120.11,36.03", "120.11,99"),
    )

    _, faults = read(wrong)

    assert [line.partition(":")[0] for line in faults] == [
        "operators.csv, row 2, name_zh",
        "gateways.csv, row 4, simulated",
        "lots.csv, row 4, latitude",
    ]


def test_a_time_zone_must_be_known_to_the_database_too(tmp_path: Path) -> None:
    _, faults = read(write_city(tmp_path / "city"), frozenset({"Europe/Madrid"}))

    assert faults[0] == "lots.csv, row 2, timezone: the database does not know 'Asia/Shanghai'"


def test_many_faults_are_counted_and_the_first_shown() -> None:
    faults = Faults()
    for row in range(20_000, 1, -1):
        faults.add("bays.csv", row, "number", "is wrong")

    lines = faults.lines(limit=2)

    assert lines[:1] == ["bays.csv, row 10001, number: is wrong"]
    assert lines[2:] == ["... and 19,997 more faults"]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        ([7], "7"),
        ([1, 2, 3, 5, 8, 9], "1-3, 5, 8-9"),
        (list(range(1, 100, 2)), "1, 3, 5, 7, 9, 11, 13, 15, 17, 19, ..."),
    ],
)
def test_ranges_are_short(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_shown_values_are_cut_and_escaped() -> None:
    assert shown("\x1b[2J") == r"'\x1b[2J'"
    assert len(shown("x" * 1000)) < 50
