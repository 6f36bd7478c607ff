"""A dry run says what an import would change, and changes nothing."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from parking_api.importing.lots_file import LotOptions
from parking_api.importing.service import import_city, import_lots
from sql.engine import Db
from tests.parking_api.import_files import SILENT, write_city

AT = datetime(2026, 11, 22, tzinfo=UTC)
FILE = Path(__file__).parent / "data" / "wps_gbk_semicolons.csv"
READ = [f"{FILE.name}: is read as GBK", f"{FILE.name}: its fields are separated by ';'"]
PLACE_2 = (
    'new place p-2: name_en "Old Man", name_zh "石老人", district "370202", latitude 36.03, '
    "longitude 120.03"
)
TABLES = ("operator", "gateway", "district", "place", "zone", "lot", "space", "tariff_version")


async def contents(db: Db) -> Mapping[str, list[Any]]:
    return {table: await db.fetch(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}


async def test_a_city_that_is_there_would_change_where_it_differs(db: Db, tmp_path: Path) -> None:
    city = write_city(tmp_path / "city")
    header = "place_id,name_zh,name_en,longitude,latitude\n"
    (city / "places.csv").write_text(header + "p-1,栈桥,Pier,120.02,36.02\n", encoding="utf-8")
    await import_city(db, city, at=AT, steps=SILENT)
    before = await contents(db)
    changed = write_city(
        tmp_path / "changed",
        ("operators.csv", "Operator A", "Firm A"),
        ("gateways.csv", "gw-a2,op-a,false\n", "gw-a2,op-a,false\ngw-a3,op-a,false\n"),
        ("zones.geojson", "[120.05, 36.0]", "[120.06, 36.0]"),
        ("lots.csv", "300,4,1,,", "300,3,1,2.5,"),
        ("bays.csv", "370202-0001,4,-1,large,120.0103,36.0100\n", ""),
    )

    places = f"{header}p-1,栈桥,Zhanqiao Pier,120.02,36.02\np-2,石老人,Old Man,120.03,36.03\n"
    (changed / "places.csv").write_text(places, encoding="utf-8")

    totals = await import_city(db, changed, at=AT, steps=SILENT, dry_run=True)

    assert totals.changes == [
        'changed operator op-a: name_en "Operator A" -> "Firm A"',
        'new gateway gw-a3: simulated false, operator_id "op-a"',
        'changed place p-1: name_en "Pier" -> "Zhanqiao Pier"',
        PLACE_2,
        "changed zone z-future: ground",
        "changed zone z-new: ground",
        "changed zone z-old: ground",
        (
            "changed lot 370202-0001: bays 4 -> 3, capacity 4 -> 3, bay_places, "
            "height_limit_m none -> 2.5"
        ),
    ]
    assert totals.bays_deleted == 1
    assert await contents(db) == before


async def test_a_file_of_lots_would_add_lots_and_their_operator(db: Db, tmp_path: Path) -> None:
    await import_city(db, write_city(tmp_path / "city"), at=AT, steps=SILENT)
    before = await contents(db)
    path = tmp_path / "lots.csv"
    path.write_text("lot,name,lon,lat,capacity\nl-1,A,120.02,36.02,3\n", encoding="utf-8")
    options = LotOptions({"operator_id": "op-new", "gateway_id": "gw-new"})

    tried = await import_lots(db, path, options, at=AT, dry_run=True)
    tried_again = await import_lots(db, path, options, at=AT, dry_run=True)
    between = await contents(db)
    await import_lots(db, path, options, at=AT)
    done = await import_lots(db, path, options, at=AT, dry_run=True)

    assert between == before
    assert tried.totals.changes == tried_again.totals.changes
    operator, gateway, lot = tried.totals.changes or ()
    assert operator == 'new operator op-new: name_en "op-new", name_zh "op-new"'
    assert gateway == 'new gateway gw-new: simulated false, operator_id "op-new"'
    assert lot.startswith("new lot l-1: ")
    assert 'district "370202"' in lot
    assert 'zone_id "z-new"' in lot
    assert done.totals.changes == []


@pytest.mark.parametrize(("words", "status"), [([], 1), (["--skip-bad"], 0)])
def test_the_command_tries_a_messy_file(database_url: str, words: list[str], status: int) -> None:
    given = ["--encoding", "gbk", "--operator", "op-w", "--gateway", "gw-w", "--dry-run", *words]

    done = subprocess.run(
        [sys.executable, "-m", "parking_api", "import", str(FILE), *given],
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status, done.stderr
    said = done.stderr.splitlines()
    if status:
        assert said[:2] == READ
        assert said[-1] == "4 faults in 4 rows; nothing was changed"
        return
    assert said[-1] == "4 faults in 4 rows; left out 4 of 7 lots"
    lines = done.stdout.splitlines()
    assert lines[:2] == READ
    assert [line.partition(":")[0] for line in lines if line.startswith("new ")] == [
        "new operator op-w",
        "new gateway gw-w",
        "new lot wps-001",
        "new lot wps-002",
        "new lot wps-003",
    ]
    assert lines[-1].startswith("dry run: would import 1 operator (1 new, 0 changed), 1 gateway")
    assert lines[-1].endswith("; nothing was changed")
