"""A city's past comes in by files of days: what is wrong is named, what is there stays."""

import asyncio
import gzip
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy import postgres
from parking_api.__main__ import main
from parking_api.importing.faults import ImportFaultsError
from parking_api.importing.history import HistoryImport, LoadedDay, import_history
from parking_api.importing.history_files import STEP, TIMES
from sql.engine import Db
from sql.partitions import OCCUPANCY_DAYS, maintain
from tests.parking_api.builders import Builder
from tests.parking_api.import_files import SILENT
from tests.servers import as_role

NOW = datetime.now(UTC).replace(hour=6, minute=2, second=0, microsecond=0)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
LOTS = ("370202-0001", "370202-0002", "370203-0001")
HEADER = f"lot_id,capacity,{','.join(TIMES)}\n"


def row(lot_id: str, capacity: int, **steps: str) -> str:
    """A row of a file: `row("a", 10, s7="2.5")` knows of the seventh step after midnight."""
    cells = (steps.get(f"s{place}", "") for place in range(288))
    return f"{lot_id},{capacity},{','.join(cells)}\n"


def whole(lot_id: str, capacity: int, occupied: float) -> str:
    """A row of a file with the same in every step."""
    return f"{lot_id},{capacity},{','.join([f'{occupied:g}'] * 288)}\n"


def write(directory: Path, files: Mapping[Any, str]) -> Path:
    """Write files, each by its name or its day."""
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        file = directory / (name if isinstance(name, str) else f"{name}.csv")
        if file.suffix == ".gz":
            file.write_bytes(gzip.compress(text.encode()))
        else:
            file.write_text(text, encoding="utf-8")
    return directory


async def load(db: Db, directory: Path, *, now: datetime = NOW, **options: Any) -> HistoryImport:
    done = HistoryImport()
    await import_history(
        db, directory, clock=lambda: now, done=done, steps=SILENT, say=lambda _: None, **options
    )
    return done


async def refusal(db: Db, directory: Path) -> list[str]:
    """The faults of an import that is refused, and changes nothing."""
    with pytest.raises(ImportFaultsError) as caught:
        await load(db, directory)
    assert await db.fetchval("SELECT count(*) FROM lot_occupancy_day") == 0
    return caught.value.faults.lines()


async def history(db: Db, lot_id: str = LOTS[0]) -> dict[datetime, tuple[float, float]]:
    """Each known step of a lot: its free spaces, and its known seconds."""
    rows = await db.fetch("SELECT * FROM lot_history WHERE lot_id = $1 ORDER BY step_at", lot_id)
    return {
        each["step_at"]: (each["free_space_s"] / each["covered_s"], each["covered_s"])
        for each in rows
    }


@pytest.fixture
async def built_small(small_city: Db, owner_url: str) -> AsyncIterator[Builder]:
    """The builder of a database that has the small city."""
    del small_city
    connection = await asyncpg.connect(owner_url)
    yield Builder(connection)
    await connection.close()


def instant(day: date, place: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + place * STEP


async def test_a_day_comes_in_as_it_stands(small_city: Db, tmp_path: Path) -> None:
    before = YESTERDAY - timedelta(days=1)
    files = {
        YESTERDAY: HEADER
        + row(LOTS[0], 4, s0="0", s1="2.5@120", s287="4")
        + whole(LOTS[1], 3, 1)
        + row(LOTS[2], 2),
        f"{before}.csv.gz": f"Lot;capacity;00:05\n{LOTS[0]};6;6\n",
    }
    done = await load(small_city, write(tmp_path / "past", files))

    assert done.days == [LoadedDay(YESTERDAY, 2, 291), LoadedDay(before, 1, 1)]
    assert done.notes == [f"{before}.csv.gz: its fields are separated by ';'"]
    assert await history(small_city) == {
        instant(before, 1): (0, 300),
        instant(YESTERDAY): (4, 300),
        instant(YESTERDAY, 1): (1.5, 120),
        instant(YESTERDAY, 287): (0, 300),
    }
    assert len(await history(small_city, LOTS[1])) == 288
    assert await history(small_city, LOTS[2]) == {}
    # In its month's partition: the default one would never be dropped.
    assert await small_city.fetchval("SELECT count(*) FROM lot_occupancy_day_default") == 0


async def test_again_is_harmless_and_the_audit_has_each_day_once(
    small_city: Db, tmp_path: Path
) -> None:
    past = write(tmp_path / "past", {YESTERDAY: HEADER + whole(LOTS[0], 4, 1)})
    await load(small_city, past)
    found = await history(small_city)

    again = await load(small_city, past)

    assert again.days == [LoadedDay(YESTERDAY, 0, 0)]
    assert await history(small_city) == found
    entries = await small_city.fetch(
        "SELECT person_id, subject, after::text FROM audit_entry WHERE action = 'history.import'"
    )
    assert [tuple(each) for each in entries] == [
        ("import", f"history/{YESTERDAY}", '{"lots": 1, "steps": 288}')
    ]


async def test_what_was_not_known_is_added_and_nothing_else(
    small_city: Db, built_small: Builder, tmp_path: Path
) -> None:
    """Whether it was a feed that wrote a step, or an import before."""
    fed = {"capacity": 4, "covered_s": 20.0, "free_space_s": 60.0, "free_last": 3}
    await built_small.step(LOTS[0], instant(YESTERDAY, 5), **fed)
    first = write(tmp_path / "first", {YESTERDAY: HEADER + row(LOTS[0], 4, s4="4", s5="4")})
    assert (await load(small_city, first)).days == [LoadedDay(YESTERDAY, 1, 1)]
    steps = {"s4": "1", "s5": "1", "s6": "1"}
    second = write(tmp_path / "second", {YESTERDAY: HEADER + row(LOTS[0], 8, **steps)})
    assert (await load(small_city, second)).days == [LoadedDay(YESTERDAY, 1, 1)]

    assert await history(small_city) == {
        instant(YESTERDAY, 4): (0, 300),
        instant(YESTERDAY, 5): (3, 20),
        instant(YESTERDAY, 6): (7, 300),
    }


async def test_the_running_day_comes_to_the_last_step_that_is_over(
    small_city: Db, tmp_path: Path
) -> None:
    past = write(tmp_path / "past", {TODAY: HEADER + row(LOTS[0], 4, s71="1")})
    assert (await load(small_city, past)).days == [LoadedDay(TODAY, 1, 1)]
    later = write(tmp_path / "later", {TODAY: HEADER + row(LOTS[0], 4, s71="1", s72="2")})
    with pytest.raises(ImportFaultsError) as caught:
        await load(small_city, later)
    assert caught.value.faults.lines() == [
        f"{TODAY}.csv, row 2, 06:00: '2' is of a step that is not over"
    ]


async def test_every_fault_is_named_and_nothing_is_changed(small_city: Db, tmp_path: Path) -> None:
    wrong = {
        YESTERDAY: HEADER
        + whole(LOTS[0], 4, 1)
        + row("no-such", 4, s0="5", s2="x")
        + row(LOTS[0], 4, s1="1e0", s2="-1", s3="nan", s4="1@0", s5="1@301", s6="1@", s7="1_0")
        + row(LOTS[1], 0, s1="7", s2="1.2.3")
        + f"{LOTS[2]},2,1\n",
        # The newest is right, and yet does not come in.
        TODAY: HEADER + row(LOTS[0], 4, s0="1"),
    }
    cell = "is no number of spaces, such as 12 or 12.5, nor 12.5@180"
    seconds = "has no seconds of a step, above 0 and at most 300"
    file = f"{YESTERDAY}.csv"
    assert await refusal(small_city, write(tmp_path / "past", wrong)) == [
        f"{file}, row 3, lot_id: there is no lot 'no-such'",
        f"{file}, row 3, 00:00: '5' is more than the capacity, 4",
        f"{file}, row 3, 00:10: 'x' {cell}",
        f"{file}, row 4, lot_id: '{LOTS[0]}' is there already, in row 2",
        f"{file}, row 4, 00:05: '1e0' {cell}",
        f"{file}, row 4, 00:10: '-1' {cell}",
        f"{file}, row 4, 00:15: 'nan' {cell}",
        f"{file}, row 4, 00:20: '1@0' {seconds}",
        f"{file}, row 4, 00:25: '1@301' {seconds}",
        f"{file}, row 4, 00:30: '1@' {cell}",
        f"{file}, row 4, 00:35: '1_0' {cell}",
        f"{file}, row 5, capacity: '0' is no whole number 1..20000",
        f"{file}, row 5, 00:10: '1.2.3' {cell}",
        f"{file}, row 6: has 3 fields, the header has 290",
    ]


@pytest.mark.parametrize(
    ("files", "faults"),
    [
        ({}, ["past: has no file of a day, such as 2026-11-20.csv[.gz]"]),
        (
            {"november.csv": HEADER, "2026-02-30.csv": HEADER, "2026-11-20.xlsx": ""},
            [
                f"{name}: is no file of a day, such as 2026-11-20.csv[.gz]"
                for name in ("2026-02-30.csv", "2026-11-20.xlsx", "november.csv")
            ],
        ),
        (
            {"2026-11-20.csv": HEADER + whole(LOTS[0], 4, 1), "2026-11-20.csv.gz": HEADER},
            ["2026-11-20.csv.gz: 2026-11-20.csv is of the same day"],
        ),
        (
            {"2026-11-20.csv": "lot_id,capacity,00:00,00:03,24:00\n"},
            [
                f"2026-11-20.csv, row 1, {time}: is no step: its start is a multiple of 5 minutes, "
                "as HH:MM in UTC"
                for time in ("00:03", "24:00")
            ],
        ),
        (
            {"2026-11-20.csv": f"lot_id,00:00,00:00\n{LOTS[0]},1,1\n"},
            [
                "2026-11-20.csv, row 1, 00:00: this column is there twice",
                (
                    "2026-11-20.csv, row 1, capacity: this column is missing"
                    " (or 泊位数 or 车位数 or 泊位总数); there are 'lot_id', '00:00', '00:00'"
                ),
            ],
        ),
        (
            {"2026-11-20.csv": f"lot_id,capacity\n{LOTS[0]},1\n"},
            ["2026-11-20.csv, row 1: has no column of a step, such as 08:05"],
        ),
        ({"2126-11-20.csv": HEADER}, ["2126-11-20.csv: its day has not come yet"]),
        ({"2026-11-20.csv": ""}, ["2026-11-20.csv: this file is empty"]),
    ],
)
async def test_files_that_are_no_days(
    files: dict[date | str, str], faults: list[str], small_city: Db, tmp_path: Path
) -> None:
    assert await refusal(small_city, write(tmp_path / "past", files)) == faults


async def test_a_capacity_of_thousands_of_digits_is_named(small_city: Db, tmp_path: Path) -> None:
    line = f"{LOTS[0]},{'9' * 5_000},1"
    past = write(tmp_path / "past", {YESTERDAY: f"lot_id,capacity,00:00\n{line}\n"})
    (fault,) = await refusal(small_city, past)
    assert fault.startswith(f"{YESTERDAY}.csv, row 2, capacity: ")


async def test_a_file_that_is_cut_off(small_city: Db, tmp_path: Path) -> None:
    text = gzip.compress((HEADER + whole(LOTS[0], 4, 1)).encode())
    past = write(tmp_path / "past", {})
    (past / f"{YESTERDAY}.csv.gz").write_bytes(text[:-20])
    (past / "2026-11-20.csv.gz").write_bytes(b"lot_id,capacity")
    faults = await refusal(small_city, past)
    assert (
        sorted(line.partition(": ")[2].partition(":")[0] for line in faults)
        == ["is no whole gzip file"] * 2
    )


async def test_a_stop_in_the_middle_leaves_whole_days_and_says_which(
    small_city: Db, tmp_path: Path
) -> None:
    days = [TODAY - timedelta(days=back) for back in (1, 2, 3)]
    past = write(tmp_path / "past", {day: HEADER + whole(LOTS[0], 4, 1) for day in days})
    done = HistoryImport()

    def stop(loaded: LoadedDay) -> None:
        if loaded.day == days[1]:
            (past / f"{days[2]}.csv").write_text(f"{HEADER}{LOTS[0]},4,x\n", encoding="utf-8")

    with pytest.raises(ImportFaultsError):
        await import_history(small_city, past, clock=lambda: NOW, done=done, steps=SILENT, say=stop)

    assert [each.day for each in done.days] == days[:2]
    assert set(await history(small_city)) == {
        instant(day, place) for day in days[:2] for place in range(288)
    }
    write(past, {days[2]: HEADER + whole(LOTS[0], 4, 1)})
    assert (await load(small_city, past)).steps == 288


async def test_a_day_that_fails_is_not_there_at_all(
    small_city: Db, owner_url: str, tmp_path: Path
) -> None:
    """Not a row of it, nor its entry in the audit."""
    past = write(
        tmp_path / "past", {YESTERDAY: HEADER + whole(LOTS[0], 4, 1) + whole(LOTS[1], 3, 1)}
    )
    owner = await asyncpg.connect(owner_url)
    await owner.execute(f"ALTER TABLE lot_occupancy_day ADD CHECK (lot_id <> '{LOTS[1]}')")
    with pytest.raises(asyncpg.CheckViolationError):
        await load(small_city, past)
    assert await owner.fetchval("SELECT count(*) FROM lot_occupancy_day") == 0
    assert await owner.fetchval("SELECT count(*) FROM audit_entry WHERE action ~ 'history'") == 0
    await owner.close()


async def test_what_would_be_removed_at_once_is_left_out(
    small_city: Db, database_url: str, tmp_path: Path
) -> None:
    """And what came in outlives the ingester's next look."""
    old = TODAY - timedelta(days=460)
    last = TODAY - timedelta(days=399)
    past = write(tmp_path / "past", {day: HEADER + whole(LOTS[0], 4, 1) for day in (old, last)})
    done = await load(small_city, past)
    assert (done.too_old, done.kept_days) == ([old], 400)
    assert [each.day for each in done.days] == [last]
    ingester = await asyncpg.connect(as_role(database_url, postgres.INGESTER))
    kept = {"event_retention": timedelta(days=1), "occupancy_retention": timedelta(days=1)}
    await maintain(ingester, datetime.now(UTC), **kept)
    await ingester.close()
    assert len(await history(small_city)) == 288


async def test_the_ingester_drops_what_has_grown_old(
    small_city: Db, database_url: str, owner_url: str, tmp_path: Path
) -> None:
    old = TODAY - timedelta(days=100)
    await load(small_city, write(tmp_path / "past", {old: HEADER + whole(LOTS[0], 4, 1)}))
    owner = await asyncpg.connect(owner_url)
    await owner.execute("UPDATE retention SET days = 30")
    await owner.close()
    ingester = await asyncpg.connect(as_role(database_url, postgres.INGESTER))
    kept = {"event_retention": timedelta(days=1), "occupancy_retention": timedelta(days=1)}
    _, dropped = await maintain(ingester, datetime.now(UTC), **kept)
    await ingester.close()
    assert dropped == [OCCUPANCY_DAYS.name(old.replace(day=1))]
    assert await history(small_city) == {}


async def test_a_dry_run_adds_nothing(small_city: Db, tmp_path: Path) -> None:
    past = write(tmp_path / "past", {YESTERDAY: HEADER + whole(LOTS[0], 4, 1)})
    done = await load(small_city, past, dry_run=True)
    assert done.days == [LoadedDay(YESTERDAY, 1, 288)]
    assert await history(small_city) == {}


async def test_the_command(
    small_city: Db, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    past = write(tmp_path / "past", {YESTERDAY: HEADER + whole(LOTS[0], 4, 1)})

    def run() -> subprocess.CompletedProcess[str]:
        words = ("-m", "parking_api", "import", "--history", str(past))
        environment = {**os.environ, "DATABASE_URL": database_url, "COLUMNS": "40"}
        return subprocess.run(
            [sys.executable, *words], env=environment, capture_output=True, text=True, check=False
        )

    done = await asyncio.to_thread(run)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"added {YESTERDAY}: 1 lots, 288 steps\n" in done.stdout
    assert "imported 288 steps of 1 days in " in done.stdout
    assert len(await history(small_city)) == 288
    write(past, {YESTERDAY: HEADER + whole(LOTS[0], 4, 5)})
    done = await asyncio.to_thread(run)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "288 faults in 1 row; nothing was changed"
    for words, message in (
        ([str(past), "--skip-bad"], "--skip-bad: for a file of lots, not for a directory"),
        ([str(past / f"{YESTERDAY}.csv")], "there is no directory"),
    ):
        with pytest.raises(SystemExit):
            main(["import", "--history", *words])
        assert message in capsys.readouterr().err
