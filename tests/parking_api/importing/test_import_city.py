"""A city's directory into the database: whole and right, or not at all."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from parking_api.__main__ import main
from parking_api.command_line import NotMigratedError, connected
from parking_api.importing.faults import ImportFaultsError
from parking_api.importing.service import import_city
from parking_api.importing.totals import Totals
from sql.engine import Db
from sql.lot_state_store import load_states
from tests.parking_api.import_files import FILES, NOW, SILENT, STATE, features, write_city, zone

SHANGHAI = "Asia/Shanghai"
AT = datetime(2026, 11, 22, tzinfo=UTC)
TABLES = ("operator", "gateway", "district", "zone", "lot", "space", "lot_state")


async def load(db: Db, directory: Path) -> Totals:
    return await import_city(db, directory, at=AT, steps=SILENT)


async def contents(db: Db) -> dict[str, list[Any]]:
    """Every row of every table, with its place in the table: an update moves it."""
    return {table: await db.fetch(f"SELECT *, ctid FROM {table} ORDER BY 1, 2") for table in TABLES}


async def test_a_city_is_loaded_as_its_files_say(db: Db, tmp_path: Path) -> None:
    totals = await load(db, write_city(tmp_path / "city"))

    assert str(totals) == (
        "2 operators (2 new, 0 changed), 3 gateways (3 new, 0 changed), "
        "2 districts (2 new, 0 changed), 3 zones (3 new, 0 changed), "
        "3 lots (3 new, 0 changed), 7 bays (7 new, 0 changed)"
    )
    lots = await db.fetch(
        "SELECT lot_id, district, zone_id, levels, height_limit_m, opens_at::text, timezone,"
        " ST_X(geog::geometry) FROM lot ORDER BY lot_id"
    )
    assert [tuple(lot) for lot in lots] == [
        ("370202-0001", "370202", "z-new", 1, None, None, SHANGHAI, 120.01),
        (
            "370202-0002",
            "370202",
            None,
            2,
            pytest.approx(2.1),
            "06:00:00",
            SHANGHAI,
            120.08,
        ),
        ("370203-0001", "370203", None, 1, None, "20:00:00", SHANGHAI, 120.11),
    ]
    bays = await db.fetch(
        "SELECT number, level, space_class FROM space WHERE lot_id = '370202-0001' ORDER BY number"
    )
    assert [tuple(bay) for bay in bays] == [
        (1, 0, "accessible"),
        (2, 0, "standard"),
        (3, 0, "ev"),
        (4, -1, "large"),
    ]


async def test_the_first_load_leaves_the_schema_as_it_was(db: Db, tmp_path: Path) -> None:
    definitions = (
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'space' UNION ALL SELECT conname || "
        "pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'space'::regclass ORDER BY 1"
    )
    before = await db.fetch(definitions)

    await load(db, write_city(tmp_path / "city"))

    assert await db.fetch(definitions) == before
    assert len(before) == 6


async def test_the_same_city_again_changes_nothing(db: Db, tmp_path: Path) -> None:
    directory = write_city(tmp_path / "city")
    await load(db, directory)
    before = await contents(db)

    totals = await load(db, directory)

    assert await contents(db) == before
    assert {counts[1:] for counts in totals.counts.values()} == {(0, 0)}


async def test_a_changed_city_changes_what_differs_and_keeps_state_and_passwords(
    db: Db, tmp_path: Path
) -> None:
    await load(db, write_city(tmp_path / "city"))
    await db.execute("UPDATE gateway SET password_hash = 'kept'")
    await db.execute(
        f"{STATE} VALUES ('370202-0001', 1, 2, 3, 4, 1, 0, '\\x0e', '\\x00', 1, 0, 0, 0, {NOW})"
    )
    before = await load_states(db)
    changed = write_city(
        tmp_path / "changed",
        ("lots.csv", "300,4,1", "300,3,1"),
        ("lots.csv", "A Two", "A Second"),
        ("bays.csv", "370202-0001,4,-1,large,120.0103,36.0100\n", ""),
        ("bays.csv", "370203-0001,2,0,standard", "370203-0001,2,0,ev"),
        ("gateways.csv", "gw-a2,op-a,false", "gw-a2,op-a,true"),
    )

    totals = await load(db, changed)

    assert totals.counts["lots"] == (3, 0, 2)
    assert totals.counts["bays"] == (6, 0, 1)
    assert totals.bays_deleted == 1
    assert await db.fetchval("SELECT count(*) FROM space") == 6
    # One bay of four has gone; of the others the first is free, which is an accessible one.
    ((key, state),) = (await load_states(db)).items()
    assert state.version > before[key].version
    assert state.state == replace(
        before[key].state, capacity=3, occupied=0b110, free_by_class=(0, 1, 0, 0)
    )
    gateways = await db.fetch("SELECT DISTINCT simulated, password_hash FROM gateway")
    assert [tuple(gateway) for gateway in gateways] == [(True, "kept")]


async def test_a_gateway_that_goes_to_another_operator_loses_its_password(
    db: Db, tmp_path: Path
) -> None:
    """Who ran it until now could go on, in the other's name."""
    await load(db, write_city(tmp_path / "city"))
    await db.execute("UPDATE gateway SET password_hash = 'known', password_by_person = true")
    moved = write_city(
        tmp_path / "moved",
        ("gateways.csv", "gw-b1,op-b", "gw-b1,op-a"),
        ("lots.csv", "op-b", "op-a"),
    )

    await load(db, moved)

    found = await db.fetch(
        "SELECT gateway_id, operator_id, password_hash, password_by_person FROM gateway ORDER BY 1"
    )
    assert [tuple(row) for row in found] == [
        ("gw-a1", "op-a", "known", True),
        ("gw-a2", "op-a", "known", True),
        ("gw-b1", "op-a", None, False),
    ]


async def test_lots_that_a_city_does_not_name_stay(db: Db, tmp_path: Path) -> None:
    await load(db, write_city(tmp_path / "city"))
    last_lot = FILES["lots.csv"].splitlines(keepends=True)[-1]
    without = write_city(
        tmp_path / "without",
        ("lots.csv", last_lot, ""),
        ("bays.csv", "370203-0001,1,0,standard,120.1100,36.0300\n", ""),
        ("bays.csv", "370203-0001,2,0,standard,120.1101,36.0300\n", ""),
    )

    await load(db, without)

    bays = "SELECT count(*) FROM space WHERE lot_id = '370203-0001'"
    assert await db.fetchval(bays) == 2


async def test_a_gateway_cannot_leave_a_lot_that_only_the_database_has(
    db: Db, tmp_path: Path
) -> None:
    await load(db, write_city(tmp_path / "city"))
    last_lot = FILES["lots.csv"].splitlines(keepends=True)[-1]
    moved = write_city(
        tmp_path / "moved",
        ("lots.csv", last_lot, ""),
        ("bays.csv", "370203-0001,1,0,standard,120.1100,36.0300\n", ""),
        ("bays.csv", "370203-0001,2,0,standard,120.1101,36.0300\n", ""),
        ("gateways.csv", "gw-b1,op-b", "gw-b1,op-a"),
    )
    before = await contents(db)

    with pytest.raises(ImportFaultsError) as caught:
        await load(db, moved)

    assert caught.value.faults.lines() == [
        (
            "gateways.csv, row 4, operator_id: gateway gw-b1 would go to op-a, but lot "
            "370203-0001, which is in the database only, is of op-b"
        )
    ]
    assert await contents(db) == before


async def test_faults_are_all_named_and_change_nothing(db: Db, tmp_path: Path) -> None:
    await load(db, write_city(tmp_path / "city"))
    before = await contents(db)
    wrong = write_city(
        tmp_path / "wrong",
        ("lots.csv", "A One", "Renamed"),
        ("lots.csv", ",on_street,", ",roof,"),
        ("bays.csv", "370202-0001,2,0", "370202-0001,1,0"),
    )

    with pytest.raises(ImportFaultsError) as caught:
        await load(db, wrong)

    assert caught.value.faults.lines() == [
        "lots.csv, row 2, capacity: is 4, but bays.csv has no bay 2 of lot 370202-0001",
        (
            "lots.csv, row 4, lot_type: 'roof' should be 'on_street', 'surface', 'underground' or "
            "'multi_storey'"
        ),
        "bays.csv, row 3, number: lot 370202-0001 has a bay 1 already",
    ]
    assert await contents(db) == before


async def test_a_new_zone_takes_its_lots(db: Db, tmp_path: Path) -> None:
    await load(db, write_city(tmp_path / "city"))
    east = features(zone("z-east", 120.055, "2026-01-01T00:00:00+08:00"))
    rezoned = write_city(tmp_path / "rezoned", ("zones.geojson", FILES["zones.geojson"], east))
    await db.execute("UPDATE zone SET valid_to = '2026-06-01Z' WHERE zone_id = 'z-new'")

    await load(db, rezoned)

    zones = await db.fetch("SELECT zone_id FROM lot ORDER BY lot_id")
    assert [row[0] for row in zones] == [None, "z-east", None]


async def test_the_listeners_of_the_registry_are_told(
    db: Db, database_url: str, tmp_path: Path
) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    async with connected(database_url, "listener") as listener:
        await listener.add_listener("registry", lambda *heard: told.put_nowait(heard[2]))
        await load(db, write_city(tmp_path / "city"))

        assert await asyncio.wait_for(told.get(), 5.0) == "registry"


async def test_a_database_without_tables_is_told(owner_url: str, database_url: str) -> None:
    async with connected(owner_url, "test") as owner:
        await owner.execute("DROP TABLE lot CASCADE")

    with pytest.raises(NotMigratedError, match="python -m sql upgrade"):
        async with connected(database_url, "test"):
            pass


def run(database_url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as a user calls it, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "parking_api", "import", *words],
        env={**os.environ, "DATABASE_URL": database_url, "COLUMNS": "40"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_says_what_it_does(database_url: str, tmp_path: Path) -> None:
    done = run(database_url, str(write_city(tmp_path / "city")))

    assert done.returncode == 0, done.stderr
    *steps, totals = done.stdout.splitlines()
    assert steps == [
        "reading districts, operators, gateways, zones, lots",
        "reading bays (about 9)",
        "writing districts, operators, gateways, zones, lots",
        "copying bays (about 7)",
        "writing bays",
    ]
    assert totals.startswith("imported 2 operators (2 new, 0 changed), ")


def test_the_command_fails_on_faults(database_url: str, tmp_path: Path) -> None:
    wrong = write_city(tmp_path / "city", ("lots.csv", "120.11,36.03", "120.05,36.03"))

    done = run(database_url, str(wrong))

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "lots.csv, row 4, district: 370203 does not contain the lot's place 120.050000, 36.030000",
        "1 fault in 1 row; nothing was changed",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no/such/directory"], "there is no no/such/directory"),
        ([".", "--skip-bad"], "--skip-bad: for a file of lots, not for a directory"),
        (["x.csv", "--timezone", "Mars"], "'Mars' is not an IANA time zone"),
        (["x.csv", "--report-interval-s", "5"], "'5' should be greater than or equal to 10"),
        ([__file__], "a file of lots ends in .csv, .tsv, .txt, .json, .geojson"),
    ],
)
def test_the_command_refuses_a_wrong_call(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["import", *words])

    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_the_command_tells_of_an_absent_database(tmp_path: Path) -> None:
    done = run("postgresql://nobody:secret@127.0.0.1:1/none", str(write_city(tmp_path / "city")))

    assert done.returncode == 1
    assert "the database: " in done.stderr
    assert "nothing was changed" in done.stderr
    assert "secret" not in done.stderr + done.stdout
