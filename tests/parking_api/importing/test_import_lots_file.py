"""A file of lots as it is read: its columns, its rows, its coordinates."""

import json
from pathlib import Path

import pytest

from parking_api.coordinates import Crs, gcj02_to_bd09, wgs84_to_gcj02
from parking_api.importing.faults import Faults
from parking_api.importing.lots_file import LotOptions, read_lots, read_lots_file

PARTIES = {"operator_id": "op-new", "gateway_id": "gw-new"}
HEADER = "lot_id,name,longitude,latitude,capacity"


def write(directory: Path, row: str) -> Path:
    path = directory / "lots.csv"
    path.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("Lot 1,A,120.02,36.02,3", "row 2, lot_id: 'Lot 1' should match pattern"),
        (",A,120.02,36.02,3", "row 2, lot_id: is missing"),
        ("l-1,null,120.02,36.02,3", "row 2, name: is missing"),
        ("l-1,A,NaN,36.02,3", "row 2, longitude: 'NaN' should be a finite number"),
        ("l-1,A,120.02,1e999,3", "row 2, latitude: '1e999' should be a finite number"),
        ("l-1,A,120.02,91,3", "row 2, latitude: '91' should be less than or equal to 90"),
        ("l-1,A,east,36.02,3", "row 2, longitude: 'east' should be a valid number"),
        ("l-1,A,120.02,36.02,NA", "row 2, capacity: is missing"),
        ("l-1,A,120.02,36.02,20001", "row 2, capacity: '20001' should be less than or equal"),
        ("l-1,A,120.02,36.02", "row 2: has 4 fields, the header has 5"),
        ("l-1,A,120.02,36.02,1\nl-1,B,120,36,1", "row 3, lot_id: 'l-1' is there already, in row 2"),
    ],
)
def test_each_row_is_checked(tmp_path: Path, row: str, fault: str) -> None:
    faults = Faults()

    read_lots(read_lots_file(write(tmp_path, row), faults), LotOptions(PARTIES), {}, faults)

    assert faults.lines()[0].startswith(f"lots.csv, {fault}")
    assert faults.total == 1


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (b"", ["lots.csv: this file is empty"]),
        (b"\xef\xbb\xbf\r\n", ["lots.csv: this file is empty"]),
        (f"{HEADER}\n".encode(), ["lots.csv: holds no lots"]),
        (
            b"name,lat,capacity\nA,1,2\n",
            [
                (
                    "lots.csv, row 1, lot_id: this column is missing (or 停车场编号 or 车场编号 or "
                    "停车场编码); there are 'name', 'lat', 'capacity'"
                ),
                (
                    "lots.csv, row 1, longitude: this column is missing (or 经度 or lon or lng); "
                    "there are 'name', 'lat', 'capacity'"
                ),
            ],
        ),
        (
            b"lot,name,lat,latitude,lon,capacity\n1,A,1,1,2,3\n",
            ["lots.csv, row 1, latitude: means the same as lat: keep one"],
        ),
        (
            "lot,name,lat,lon,capacity\n1,Málaga,1,2,3\n".encode("latin-1"),
            [
                (
                    "lots.csv: is not UTF-8 (byte 0xe1 in line 2): save it as UTF-8, or give "
                    "--encoding (gbk, gb18030, big5, latin-1)"
                )
            ],
        ),
        (
            b"lot,name,lat,lon,capacity\n1,A\0,1,2,3\n",
            ["lots.csv: holds a NUL character in line 2"],
        ),
    ],
)
def test_unreadable_files_are_told(tmp_path: Path, content: bytes, faults: list[str]) -> None:
    path = tmp_path / "lots.csv"
    path.write_bytes(content)
    found = Faults()

    read_lots_file(path, found)

    assert found.lines() == faults
    assert found.unread == {"lots.csv"}


def test_geojson_is_taken_too(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [120.02, 36.02, 5.0]}
    properties = {"Lot": 7, "name": "A", "capacity": 12.0, "height_limit_m": None, "tags": ["x"]}
    line = {"type": "LineString", "coordinates": [[120, 36], [121, 36]]}
    document = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": properties, "geometry": point},
            {"type": "Feature", "properties": {**properties, "Lot": 8}, "geometry": line},
        ],
    }
    path = tmp_path / "lots.geojson"
    path.write_text(json.dumps(document), encoding="utf-8")
    faults = Faults()

    source = read_lots_file(path, faults)
    lots = read_lots(source, LotOptions(PARTIES), {}, faults)

    assert faults.lines() == [
        "lots.geojson, feature 2, geometry: is a LineString, not a Point",
    ]
    assert list(source.ignored) == ["tags"]
    found = lots.entries["7"]
    assert (found.longitude, found.latitude, found.capacity) == (120.02, 36.02, 12)


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_coordinates_are_converted(tmp_path: Path, crs: Crs) -> None:
    shifted = wgs84_to_gcj02(120.3826, 36.0671)
    if crs == "bd09":
        shifted = gcj02_to_bd09(*shifted)
    path = write(tmp_path, f"l-1,A,{shifted[0]},{shifted[1]},3")
    faults = Faults()

    lots = read_lots(read_lots_file(path, faults), LotOptions(PARTIES, crs=crs), {}, faults)

    found = lots.entries["l-1"]
    assert faults.total == 0
    assert (found.longitude, found.latitude) == pytest.approx((120.3826, 36.0671), abs=1e-7)
