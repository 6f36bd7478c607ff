"""An import that moves the price of lots that are there takes two persons, like any other act."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parking_api.__main__ import main
from parking_api.audit.service import verify
from parking_api.importing import service
from parking_api.importing.lots_file import LotOptions, read_lots_file
from parking_api.importing.moved import FilesChangedError, ImportUndecidedError, digest_of
from parking_api.importing.service import import_city, import_lots
from sql.engine import Db
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, document, fee, problem
from tests.parking_api.import_files import SILENT, write_city

OPTIONS = LotOptions(
    given={"operator_id": "op-a", "gateway_id": "gw-a", "reporting": "count"},
    id_prefix="",
    crs="wgs84",
    skip_bad=False,
    encoding="utf-8",
)
HEAD = "lot_id,name_zh,name_en,lot_type,capacity,longitude,latitude\n"


@pytest.fixture
async def priced(bureau: Bureau) -> Bureau:
    """Tariffs for the zone's street (300) and garages (100); the street is at 120.4, 36.05."""
    await bureau.published()
    garages = {"zones": ["z-1"], "lot_types": ["underground"]}
    await bureau.published(document=document("t-2", 100), applies_to=garages)
    bureau.clock.now += timedelta(minutes=1)
    return bureau


def lots(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "lots.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


async def load(db: Db, path: Path, at: datetime, *, dry_run: bool = False) -> Any:
    return await import_lots(db, path, OPTIONS, at=at, dry_run=dry_run)


CHEAPER = "street,街,Street,underground,10,120.4,36.05"
AWAY = "street,街,Street,on_street,10,121,37"


async def decided(priced: Bureau, digest: str) -> None:
    answer = await priced.decided("/v1/imports", digest=digest)
    assert answer == {"digest": digest}


@pytest.mark.parametrize("row", [CHEAPER, AWAY])
async def test_an_import_alone_moves_no_price(
    priced: Bureau, db: Db, tmp_path: Path, row: str
) -> None:
    now = priced.clock.now
    path = lots(tmp_path, row)
    for _ in range(2):
        with pytest.raises(ImportUndecidedError, match=r"1 lot \(street\)"):
            await load(db, path, now)
    assert await db.fetchval("SELECT lot_type FROM lot WHERE lot_id = 'street'") == "on_street"
    await priced.api.get("/v1/lots/street")
    assert await fee(priced, entry=now.isoformat()) == 300
    # Asked for, and not confirmed, it is as before.
    await priced.post("/v1/imports", priced.drafter, digest=digest_of(path, OPTIONS))
    with pytest.raises(ImportUndecidedError):
        await load(db, path, now)


async def test_a_lot_that_is_retired_for_a_moment_is_there_too(
    priced: Bureau, built: Builder, db: Db, tmp_path: Path
) -> None:
    """One person retires a lot, and takes it back: in between nobody else would be asked."""
    await built.connection.execute("UPDATE lot SET retired_at = now() WHERE lot_id = 'street'")
    with pytest.raises(ImportUndecidedError, match=r"1 lot \(street\)"):
        await load(db, lots(tmp_path, CHEAPER), priced.clock.now)


async def test_two_persons_decide_on_these_files_once(
    priced: Bureau, db: Db, tmp_path: Path
) -> None:
    now = priced.clock.now
    path = lots(tmp_path, CHEAPER)
    await decided(priced, digest_of(path, OPTIONS))
    # Other files, or the same by other options, are not decided.
    other = lots(tmp_path / "..", AWAY)
    with pytest.raises(ImportUndecidedError):
        await load(db, other, now)

    await load(db, path, now)

    assert await db.fetchval("SELECT lot_type FROM lot WHERE lot_id = 'street'") == "underground"
    told = await db.fetchrow("SELECT person_id, action FROM audit_entry ORDER BY entry_id DESC")
    assert told is not None
    assert tuple(told) == ("import", "decision.use")
    await verify(db)
    # What was decided once is used up.
    back = lots(tmp_path, CHEAPER.replace("underground", "on_street"))
    await decided(priced, digest_of(back, OPTIONS))
    await load(db, back, now)
    again = lots(tmp_path, CHEAPER)
    with pytest.raises(ImportUndecidedError):
        await load(db, again, now)


async def test_files_that_are_exchanged_meanwhile_are_not_those_that_were_decided_on(
    priced: Bureau, db: Db, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lots(tmp_path, CHEAPER)
    good = path.read_bytes()
    await decided(priced, digest_of(path, OPTIONS))
    read = read_lots_file

    def exchanged(*given: Any) -> Any:
        path.write_text(HEAD + AWAY + "\n", encoding="utf-8")
        return read(*given)

    monkeypatch.setattr(service, "read_lots_file", exchanged)
    with pytest.raises(FilesChangedError):
        await load(db, path, priced.clock.now)
    monkeypatch.undo()
    path.write_bytes(good)
    await load(db, path, priced.clock.now)


def test_a_pipe_is_not_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "lots.csv")
    for given in (tmp_path / "lots.csv", tmp_path):
        with pytest.raises(SystemExit):
            main(["import", str(given), "--database-url", "postgresql://nowhere"])
        assert "is no regular file" in capsys.readouterr().err


async def test_a_decision_on_an_import_lapses(priced: Bureau, db: Db, tmp_path: Path) -> None:
    path = lots(tmp_path, CHEAPER)
    await decided(priced, digest_of(path, OPTIONS))

    with pytest.raises(ImportUndecidedError):
        await load(db, path, priced.clock.now + timedelta(days=7))


async def test_what_moves_no_price_takes_one(priced: Bureau, db: Db, tmp_path: Path) -> None:
    same = "street,新名,New name,on_street,12,120.41,36.051"
    new = "further,新,New,underground,5,120.4,36.05"
    await load(db, lots(tmp_path, same, new), priced.clock.now)
    assert await db.fetchval("SELECT name_en FROM lot WHERE lot_id = 'street'") == "New name"


async def test_a_dry_run_says_it_and_needs_nobody(priced: Bureau, db: Db, tmp_path: Path) -> None:
    done = await load(db, lots(tmp_path, CHEAPER), priced.clock.now, dry_run=True)
    assert done.totals.moved == ["street"]


async def test_tariffs_that_come_later_take_two(db: Db, built: Builder, tmp_path: Path) -> None:
    """The first import of a city brings its tariffs; another must not price what is there."""
    del built
    at = datetime.fromisoformat("2026-11-22T00:00:00+00:00")
    city = write_city(tmp_path / "city")
    await import_city(db, city, at=at, steps=SILENT)
    types = [row["lot_type"] for row in await db.fetch("SELECT DISTINCT lot_type FROM lot")]
    tariff = {
        "document": document("t-1"),
        "applies_to": {"zones": ["z-new"], "lot_types": types},
        "effective_from": "2025-01-01T00:00:00+08:00",
    }
    (city / "tariffs.json").write_text(json.dumps({"tariffs": [tariff]}), encoding="utf-8")

    with pytest.raises(ImportUndecidedError):
        await import_city(db, city, at=at, steps=SILENT)

    assert await db.fetchval("SELECT count(*) FROM tariff") == 0


async def test_who_may_ask(priced: Bureau) -> None:
    assert (await priced.post("/v1/imports", {}, digest="ab" * 32)).status_code == 401
    for digest in ("", "x", "AB" * 32):
        assert (await priced.post("/v1/imports", priced.drafter, digest=digest)).status_code == 422
    asked = await priced.post("/v1/imports", priced.approver, digest="ab" * 32)
    path = f"/v1/decisions/{asked.json()['decision_id']}/confirm"
    problem(await priced.post(path, priced.approver), 403, "same-person")
