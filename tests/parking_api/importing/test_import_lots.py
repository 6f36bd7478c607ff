"""Lots alone, from real files: every fault named, nothing changed unless all are right."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from parking_api.importing.faults import ImportFaultsError
from parking_api.importing.lots_file import LotOptions
from parking_api.importing.service import import_city, import_lots
from parking_api.importing.totals import LotsImport
from sql.engine import Db
from tests.parking_api.import_files import NOW, SILENT, STATE, write_city

AT = datetime(2026, 11, 22, tzinfo=UTC)
CAR_PARKS = Path(__file__).parent / "data" / "car_parks.csv"
CAR_PARK_FAULTS = [
    "car_parks.csv, row 3, capacity: is missing",
    "car_parks.csv, row 5, latitude: '0.0' with longitude 0 is no place: it is unknown",
    "car_parks.csv, row 5, capacity: '-1' should be greater than or equal to 1",
    "car_parks.csv, row 6, latitude: '0.0' with longitude 0 is no place: it is unknown",
    "car_parks.csv, row 7, capacity: is missing",
]
PARTIES = {"operator_id": "op-new", "gateway_id": "gw-new"}
HEADER = "lot_id,name,longitude,latitude,capacity"


@pytest.fixture
async def city(db: Db, tmp_path: Path) -> Db:
    """A connection to a database that holds the small city."""
    await import_city(db, write_city(tmp_path / "city"), at=AT, steps=SILENT)
    return db


def options(
    given: Mapping[str, str] = PARTIES, *, skip_bad: bool = False, **more: str
) -> LotOptions:
    return LotOptions({**given, **more}, skip_bad=skip_bad)


def write(directory: Path, *rows: str, header: str = HEADER) -> Path:
    path = directory / "lots.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


async def load(db: Db, path: Path, chosen: LotOptions) -> LotsImport:
    return await import_lots(db, path, chosen, at=AT)


async def lot(db: Db, key: str) -> dict[str, Any]:
    row = await db.fetchrow("SELECT * FROM lot WHERE lot_id = $1", key)
    assert row is not None, f"there is no lot {key}"
    return dict(row)


async def bays(db: Db, key: str) -> list[tuple[Any, ...]]:
    rows = await db.fetch(
        "SELECT number, level, space_class, ST_X(geog::geometry) FROM space WHERE lot_id = $1"
        " ORDER BY number",
        key,
    )
    return [tuple(row) for row in rows]


async def test_a_real_file_has_its_faults_named_and_changes_nothing(
    db: Db,
) -> None:
    with pytest.raises(ImportFaultsError) as caught:
        await load(db, CAR_PARKS, options())

    assert caught.value.faults.lines() == CAR_PARK_FAULTS
    assert await db.fetchval("SELECT count(*) FROM lot") == 0
    assert await db.fetchval("SELECT count(*) FROM operator") == 0


def test_the_command_imports_the_rest_and_says_what_it_left(database_url: str) -> None:
    words = ["--id-prefix", "costa-", "--operator", "costa", "--gateway", "gw-costa"]
    words += ["--timezone", "Europe/Madrid", "--skip-bad"]

    done = subprocess.run(
        [sys.executable, "-m", "parking_api", "import", str(CAR_PARKS), *words],
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        *CAR_PARK_FAULTS,
        "5 faults in 4 rows; left out 4 of 6 lots",
    ]
    *notes, totals = done.stdout.splitlines()
    assert notes == [
        "read lot as lot_id",
        "passed over the columns address",
        "added operator costa",
        "added gateway gw-costa of costa",
        "new gateways may log in after: python -m parking_api credentials --reload",
    ]
    assert "2 lots (2 new, 0 changed) in " in totals


async def test_what_a_file_leaves_open_is_filled(db: Db) -> None:
    given = options(skip_bad=True, timezone="Europe/Madrid")

    await load(db, CAR_PARKS, given)

    found = await lot(db, "3")
    assert (found["name_zh"], found["name_en"]) == ("Estación, sur", "Estación, sur")
    assert (found["operator_id"], found["gateway_id"]) == ("op-new", "gw-new")
    assert (found["lot_type"], found["reporting"]) == ("surface", "count")
    assert (found["report_interval_s"], found["capacity"]) == (900, 95)
    assert found["timezone"] == "Europe/Madrid"
    assert (found["district"], found["zone_id"]) == (None, None)
    assert await bays(db, "3") == []


async def test_a_lot_gets_its_district_zone_and_bays(city: Db, tmp_path: Path) -> None:
    path = write(tmp_path, "new-1,New,120.02,36.02,3")

    done = await load(city, path, options(reporting="bays"))

    found = await lot(city, "new-1")
    assert (found["district"], found["zone_id"]) == ("370202", "z-new")
    assert await bays(city, "new-1") == [(n, 0, "standard", 120.02) for n in (1, 2, 3)]
    assert done.totals.counts["bays"] == (3, 3, 0)


async def test_bays_follow_the_capacity_and_the_place(city: Db, tmp_path: Path) -> None:
    chosen = options(reporting="bays")
    await load(city, write(tmp_path, "new-1,New,120.02,36.02,3"), chosen)
    await city.execute("UPDATE space SET space_class = 'ev' WHERE lot_id = 'new-1' AND number = 2")

    await load(city, write(tmp_path, "new-1,New,120.03,36.02,4"), chosen)
    grown = await bays(city, "new-1")
    shrunk = await load(city, write(tmp_path, "new-1,New,120.03,36.02,2"), chosen)

    assert grown == [
        (1, 0, "standard", 120.03),
        (2, 0, "ev", 120.03),
        (3, 0, "standard", 120.03),
        (4, 0, "standard", 120.03),
    ]
    assert shrunk.totals.bays_deleted == 2
    assert await bays(city, "new-1") == grown[:2]


async def test_a_stored_lot_keeps_what_the_file_does_not_say(city: Db, tmp_path: Path) -> None:
    before = await lot(city, "370202-0002")
    await city.execute(
        f"{STATE} VALUES ('370202-0002', 1, 2, 3, 3, 1, 0, null, null, null, null, null, null,"
        f" {NOW})"
    )
    state = await city.fetch("SELECT * FROM lot_state")

    await load(city, write(tmp_path, "370202-0002,Renamed,120.08,36.02,5"), options({}))

    assert await lot(city, "370202-0002") == {
        **before,
        "name_zh": "Renamed",
        "name_en": "Renamed",
        "capacity": 5,
    }
    assert await city.fetch("SELECT * FROM lot_state") == state
    assert [bay[:2] for bay in await bays(city, "370202-0002")] == [(1, -2)]


async def test_an_empty_cell_clears_and_an_option_overrides(city: Db, tmp_path: Path) -> None:
    header = f"{HEADER},height_limit_m,name_zh"
    path = write(tmp_path, "370202-0002,Second,120.08,36.02,3,,", header=header)

    await load(city, path, options({}, lot_type="multi_storey"))

    found = await lot(city, "370202-0002")
    assert found["height_limit_m"] is None
    assert found["lot_type"] == "multi_storey"
    assert (found["name_zh"], found["name_en"]) == ("Second", "Second")
    assert found["timezone"] == "Asia/Shanghai"


async def test_each_row_is_held_against_the_database(city: Db, tmp_path: Path) -> None:
    rows = {
        "999999,op-a,gw-a1,": "district: there is no district '999999'",
        "370203,op-a,gw-a1,": (
            "district: 370203 does not contain the lot's place 120.020000, 36.020000"
        ),
        ",op-x,gw-a1,": "operator_id: there is no operator 'op-x'",
        ",op-a,gw-x,": "gateway_id: there is no gateway 'gw-x'",
        ",op-a,gw-b1,": "gateway_id: 'gw-b1' is a gateway of 'op-b', the lot is not",
        ",op-a,gw-a1,Asia/Nowhere": (
            "timezone: 'Asia/Nowhere' is not an IANA time zone such as Asia/Shanghai"
        ),
    }
    lots = [f"l-{number},A,120.02,36.02,3,{end}" for number, end in enumerate(rows)]
    path = write(tmp_path, *lots, header=f"{HEADER},district,operator_id,gateway_id,timezone")

    with pytest.raises(ImportFaultsError) as caught:
        await load(city, path, options({}, skip_bad=True))

    faults = set(caught.value.faults.lines())
    expected = {f"lots.csv, row {row}, {fault}" for row, fault in enumerate(rows.values(), 2)}
    assert expected <= faults
    assert len(faults - expected) == 1  # what op-x has, gw-a1 is not of
    assert await city.fetchval("SELECT count(*) FROM lot") == 3


async def test_new_lots_need_an_operator_and_a_gateway(db: Db, tmp_path: Path) -> None:
    path = write(tmp_path, "l-1,A,120.02,36.02,3")

    with pytest.raises(ImportFaultsError) as neither:
        await load(db, path, options({}, skip_bad=True))
    with pytest.raises(ImportFaultsError) as no_owner:
        await load(db, path, options({"gateway_id": "gw-new"}))

    assert neither.value.faults.lines() == [
        "lots.csv, operator_id: this column is missing, and --operator is not given",
        "lots.csv, gateway_id: this column is missing, and --gateway is not given",
    ]
    assert no_owner.value.faults.lines() == ["--gateway: gw-new is not there: give --operator too"]


async def test_the_planner_knows_how_much_is_staged(city: Db, tmp_path: Path) -> None:
    # Else it expects a row or two, and compares each bay with all others.
    async with city.transaction():
        file = write(tmp_path, "n1,North,120.31,36.07,30")
        await load(city, file, options(PARTIES | {"reporting": "bays"}))
        staged = await city.fetchval(
            "SELECT reltuples FROM pg_class WHERE relname = 'staged_space'"
        )
    assert staged == 30


async def test_lots_in_no_district_or_far_from_all_others_are_warned_of(
    city: Db, tmp_path: Path
) -> None:
    rows = ["in-1,In,120.02,36.02,3", "out-1,Out,120.5,36.02,3", "far-1,Far,-4.42,36.72,3"]

    done = await load(city, write(tmp_path, *rows), options())

    assert [str(doubt) for doubt in done.totals.doubts] == [
        "lots.csv, row 3: lot out-1 at longitude 120.500000, latitude 36.020000 is in no district",
        "lots.csv, row 4: lot far-1 at longitude -4.420000, latitude 36.720000 is in no district",
        (
            "lots.csv, row 4: lot far-1 at longitude -4.420000, latitude 36.720000 is 10,103 km "
            "from the nearest other lot"
        ),
    ]


async def test_without_districts_a_far_lot_that_looks_swapped_is_named(
    db: Db, tmp_path: Path
) -> None:
    rows = ["a,A,-4.42,36.72,3", "b,B,-4.43,36.71,3", "c,C,36.72,-4.42,3"]

    done = await load(db, write(tmp_path, *rows), options())

    (doubt,) = done.totals.doubts
    assert doubt.row == 4
    assert doubt.message.endswith("; latitude and longitude look swapped")


async def test_a_lot_that_is_in_a_district_the_other_way_round_is_refused(
    city: Db, tmp_path: Path
) -> None:
    await city.execute(
        "INSERT INTO district VALUES ('653101', '喀什', 'Kashgar',"
        " ST_Multi(ST_MakeEnvelope(75.9, 39.4, 76.1, 39.6, 4326)))"
    )
    path = write(tmp_path, "k-1,K,39.47,75.99,3", "k-2,K,75.99,39.47,3")

    with pytest.raises(ImportFaultsError) as caught:
        await load(city, path, options())

    assert caught.value.faults.lines() == [
        (
            "lots.csv, row 2, latitude: 75.990000 and longitude 39.470000 look swapped: the other "
            "way round it is in 653101"
        )
    ]


async def test_of_duplicate_ids_none_is_taken(db: Db, tmp_path: Path) -> None:
    rows = ["l-1,A,120.02,36.02,3", "l-2,B,120.03,36.03,3", "l-1,C,120.04,36.04,3"]

    done = await load(db, write(tmp_path, *rows), options(skip_bad=True))

    assert [row[0] for row in await db.fetch("SELECT lot_id FROM lot")] == ["l-2"]
    assert (done.rows, len(done.left_out.bad_rows)) == (3, 2)
