"""Closures and retired lots by import: columns as spreadsheets have them, and none at all."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parking_api.importing.faults import ImportFaultsError
from parking_api.importing.lots_file import LotOptions
from parking_api.importing.service import import_city, import_lots
from sql.engine import Db
from tests.parking_api.import_files import SILENT, write_city

DATA = Path(__file__).parent / "data"
MESSY = "closures_gbk.csv"
NO_BEGINNING = "needs closed_from: when does the closure begin?"
NO_ZONE = "is on the lot's clock, whose time zone is not known"
A_TIME = "2026-12-05T08:00:00+08:00, or 2026-12-05 08:00 on the lot's clock"
FAULTS = [
    "row 6, 恢复开放时间: '2026-12-05 08:00' should be after closed_from",
    f"row 7, 恢复开放时间: '2026-12-05 08:00' {NO_BEGINNING}",
    f"row 8, 暂停开放原因: '检修' {NO_BEGINNING}",
    f"row 9, 暂停开放开始时间: '12月5日' should be a time: {A_TIME}",
    "row 10, 暂停开放开始时间: '2026-02-30 08:00' is no time: there is no such day or hour",
    "row 11, 时区: 'Asia/Qingdao' is not an IANA time zone such as Asia/Shanghai",
    f"row 11, 暂停开放开始时间: '2026-12-05 08:00' {NO_ZONE}",
    "row 12, 已停用: '也许' should be a valid boolean, unable to interpret input",
]
GIVEN = {"operator_id": "op-new", "gateway_id": "gw-new"}
AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
HEADER = "lot_id,name,longitude,latitude,capacity"
LOT = "370202-0002,B,120.08,36.02,3"


async def closure(db: Db, lot_id: str = "370202-0002") -> tuple[Any, ...]:
    row = await db.fetchrow(
        "SELECT closed_from, closed_until, closed_reason, retired_at FROM lot WHERE lot_id = $1",
        lot_id,
    )
    assert row is not None
    return tuple(row)


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def load(db: Db, path: Path, text: str, *, at: datetime = AT, **options: Any) -> list[str]:
    """Import lots; what would change, where it is a dry run."""
    write(path, text)
    done = await import_lots(db, path, LotOptions(GIVEN), at=at, **options)
    return list(done.totals.changes or ())


async def test_a_chinese_spreadsheet_closes_lots(db: Db) -> None:
    options = LotOptions(GIVEN, encoding="gbk", skip_bad=True)

    done = await import_lots(db, DATA / MESSY, options, at=AT)

    assert {line.partition(", ")[0] for line in done.left_out.lines()} == {MESSY}
    assert [line.partition(", ")[2] for line in done.left_out.lines()] == FAULTS
    begins = datetime(2026, 12, 5, tzinfo=UTC)
    ends = datetime(2026, 12, 6, 22, 30, tzinfo=UTC)
    assert await closure(db, "bq-001") == (begins, ends, '地面翻新 "B2"', None)
    assert await closure(db, "bq-002") == (begins, None, None, None)
    assert await closure(db, "bq-003") == (None, None, None, AT)
    # Where it stands, 08:00 is seven hours later.
    assert await closure(db, "bq-004") == (begins + timedelta(hours=7), None, None, None)
    assert await db.fetchval("SELECT count(*) FROM lot") == 4


async def test_geojson_closes_and_retires(db: Db) -> None:
    await import_lots(db, DATA / "closures.geojson", LotOptions(GIVEN), at=AT)

    assert await closure(db, "geo-1") == (datetime(2026, 12, 5, tzinfo=UTC), None, "Works", None)
    assert await closure(db, "geo-2") == (None, None, None, AT)


@pytest.mark.parametrize("of_city", [True, False])
async def test_a_file_that_says_nothing_of_it_leaves_it(
    small_city: Db, tmp_path: Path, *, of_city: bool
) -> None:
    """What an operator has closed by the API does not open because of tonight's import."""
    db = small_city
    known = (AT, AT + timedelta(days=2), "检修", AT)
    await db.execute(
        "UPDATE lot SET closed_from = $1, closed_until = $2, closed_reason = $3, retired_at = $4"
        " WHERE lot_id = '370202-0002'", *known
    )  # fmt: skip

    if of_city:
        changed = write_city(tmp_path / "next", ("lots.csv", "A Two", "A 2"))
        await import_city(db, changed, at=AT + timedelta(days=1), steps=SILENT)
    else:
        await import_lots(db, *_renamed(tmp_path), at=AT + timedelta(days=1))

    assert await db.fetchval("SELECT name_en FROM lot WHERE lot_id = '370202-0002'") == "A 2"
    assert await closure(db) == known


def _renamed(directory: Path) -> tuple[Path, LotOptions]:
    path = directory / "lots.csv"
    path.write_text("lot_id,name_en,longitude,latitude,capacity,name_zh\n"
                    "370202-0002,A 2,120.08,36.02,3,甲二\n", encoding="utf-8")  # fmt: skip
    return path, LotOptions()


async def test_what_a_file_says_of_it_is_in_the_audit(db: Db, tmp_path: Path) -> None:
    path = tmp_path / "lots.csv"
    await load(db, path, f"{HEADER}\n{LOT}\n370202-0003,C,120.08,36.02,3\n")
    assert await db.fetchval("SELECT count(*) FROM audit_entry") == 0

    closing = f"{HEADER},closed_from,closed_reason,retired\n{LOT},2026-12-05 08:00,检修,true\n"
    await load(db, path, closing, dry_run=True)
    await load(db, path, closing)
    # It says nothing new.
    await load(db, path, closing, at=AT + timedelta(days=1))
    moved = LotOptions({"operator_id": "op-2", "gateway_id": "gw-2"})
    write(path, f"{HEADER}\n{LOT}\n")
    await import_lots(db, path, moved, at=AT)

    first, second = await db.fetch(
        "SELECT person_id, action, subject, before::jsonb AS was, after::jsonb AS now"
        " FROM audit_entry ORDER BY entry_id"
    )
    for row in (first, second):
        assert tuple(row)[:3] == ("import", "lot.import", "lot/370202-0002")
    was, now = json.loads(first["was"]), json.loads(first["now"])
    assert [was[name] for name in ("closed_from", "closed_reason", "retired_at")] == [None] * 3
    assert (now["closed_reason"], now["operator_id"]) == ("检修", "op-new")
    assert datetime.fromisoformat(now["closed_from"]) == datetime(2026, 12, 5, tzinfo=UTC)
    assert datetime.fromisoformat(now["retired_at"]) == AT
    was, now = json.loads(second["was"]), json.loads(second["now"])
    assert (was["operator_id"], was["gateway_id"]) == ("op-new", "gw-new")
    assert (now["operator_id"], now["gateway_id"]) == ("op-2", "gw-2")
    assert was["retired_at"] == now["retired_at"]


async def test_a_midnight_may_be_written_as_24(db: Db, tmp_path: Path) -> None:
    path = tmp_path / "lots.csv"
    await load(db, path, f"{HEADER},closed_from\n{LOT},2026/12/31 24:00\n")
    assert (await closure(db))[0] == datetime(2026, 12, 31, 16, tzinfo=UTC)


async def test_columns_are_the_truth_where_they_are(db: Db, tmp_path: Path) -> None:
    path = tmp_path / "lots.csv"
    columns = f"{HEADER},closed_from,closed_until,closed_reason,retired"
    closing = f"{columns}\n{LOT},2026-12-05 08:00,2026-12-07 08:00,检修,true\n"
    begins = datetime(2026, 12, 5, tzinfo=UTC)

    tried = await load(db, path, closing, dry_run=True)
    assert 'closed_reason "检修"' in tried[-1]
    assert 'closed_from "2026-12-05T00:00:00+00:00"' in tried[-1]
    await load(db, path, closing)
    # What is retired stays so since then.
    await load(db, path, closing, at=AT + timedelta(days=1))
    assert await closure(db) == (begins, begins + timedelta(days=2), "检修", AT)
    await load(db, path, f"{HEADER},retired\n{LOT},false\n")
    assert await closure(db) == (begins, begins + timedelta(days=2), "检修", None)

    opening = f"{columns}\n{LOT},,,,\n"
    (line,) = await load(db, path, opening, dry_run=True)
    assert line.startswith(
        'changed lot 370202-0002: closed_from "2026-12-05T00:00:00+00:00" -> none'
    )
    assert line.endswith('closed_reason "检修" -> none')
    await load(db, path, opening)
    assert await closure(db) == (None, None, None, None)


async def test_a_citys_directory_has_the_columns_too(db: Db, tmp_path: Path) -> None:
    directory = write_city(tmp_path / "city")
    lines = (directory / "lots.csv").read_text(encoding="utf-8").splitlines()
    said = (
        "closed_from,closed_until,closed_reason,retired",
        "2026-12-05 08:00,,检修,",
        ",,,true",
        ",,,",
    )
    (directory / "lots.csv").write_text(
        "\n".join(f"{line},{more}" for line, more in zip(lines, said, strict=True)),
        encoding="utf-8",
    )

    await import_city(db, directory, at=AT, steps=SILENT)

    begins = datetime(2026, 12, 5, tzinfo=UTC)
    assert await closure(db, "370202-0001") == (begins, None, "检修", None)
    assert await closure(db, "370202-0002") == (None, None, None, AT)
    assert await closure(db, "370203-0001") == (None, None, None, None)


async def test_a_closure_without_a_beginning_is_refused_by_name(db: Db, tmp_path: Path) -> None:
    with pytest.raises(ImportFaultsError) as refused:
        await load(db, tmp_path / "lots.csv", f"{HEADER},closed_until\n{LOT},2026-12-05 08:00\n")

    said = f"lots.csv, row 2, closed_until: '2026-12-05 08:00' {NO_BEGINNING}"
    assert refused.value.faults.lines() == [said]
