"""tariffs.json: what a city charges already comes in with it, once, and stays the bureau's."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from parking_api.audit.service import verify
from parking_api.importing.faults import ImportFaultsError
from parking_api.importing.service import import_city
from simulators.__main__ import main as simulate
from sql.engine import Db
from tests.parking_api.bureau import document
from tests.parking_api.import_files import SILENT, features, write_city, zone
from tests.parking_api.serving import get, serving

AT = datetime(2026, 11, 22, tzinfo=UTC)
TABLES = ("tariff", "tariff_version", "tariff_effect", "price_control", "city_calendar")
CONTROL = {
    "price_control_id": "c-1",
    "legal_reference": {"zh": "文", "en": "text"},
    "base_minor": 600,
    "valid_from": "2025-01-01T00:00:00+08:00",
}


def tariff(tariff_id: str = "t-1", **changes: Any) -> dict[str, Any]:
    return {
        "document": document(tariff_id),
        "applies_to": {"zones": ["z-new"], "lot_types": ["surface"]},
        "effective_from": "2025-01-01T00:00:00+08:00",
    } | changes


def city(directory: Path, given: Any) -> Path:
    write_city(directory)
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    (directory / "tariffs.json").write_text(text, encoding="utf-8")
    return directory


async def load(db: Db, directory: Path) -> str:
    return str(await import_city(db, directory, at=AT, steps=SILENT))


async def contents(db: Db) -> list[Any]:
    return [await db.fetch(f"SELECT *, ctid FROM {name} ORDER BY 1, 2") for name in TABLES]


async def test_once_and_never_again(db: Db, tmp_path: Path) -> None:
    calendar = {"holidays": ["2026-01-01", "2027-01-01"], "makeup_workdays": ["2026-01-04"]}
    given = {"calendar": calendar, "price_controls": [CONTROL], "tariffs": [tariff()]}
    directory = city(tmp_path / "city", given)

    assert "1 tariff (1 new, 0 changed)" in await load(db, directory)
    before = await contents(db)
    assert [len(rows) for rows in before] == [1, 1, 1, 1, 2]
    again = city(tmp_path / "again", given | {"tariffs": [tariff(document=document(price=999))]})
    assert "1 tariff (0 new, 0 changed)" in await load(db, again)

    assert await contents(db) == before
    kept = await db.fetch("SELECT action, subject FROM audit_entry ORDER BY entry_id")
    assert [tuple(row) for row in kept] == [
        ("calendar.import", "calendar/2026"),
        ("calendar.import", "calendar/2027"),
        ("price_control.import", "price_control/c-1"),
        ("tariff.import", "tariff/t-1/1"),
    ]
    days = await db.fetchval("SELECT after::text FROM audit_entry WHERE subject = 'calendar/2026'")
    assert json.loads(days) == {"holidays": ["2026-01-01"], "makeup_workdays": ["2026-01-04"]}
    assert (await verify(db)).entries == 4


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("{", "tariffs.json: is not JSON"),
        ("[]", "tariffs.json: is not a JSON object"),
        ({"tariffs": [{}]}, "tariffs.json, tariffs[0].document: Field required"),
        ({"prices": []}, "tariffs.json, prices: Extra inputs are not permitted"),
        (
            {"tariffs": [tariff(document=document(boundary="x"))]},
            "tariffs.json, tariffs[0].document.boundary",
        ),
        (
            {"tariffs": [tariff(applies_to={"lots": ["none"]})]},
            "tariffs.json, tariffs[0].applies_to.lots: there is no lot 'none'",
        ),
        ({"tariffs": [tariff(), tariff()]}, "tariffs[1].document.id: 't-1' was there already"),
        ({"tariffs": [tariff(), tariff("t-2")]}, "another tariff prices one of them at the same"),
        ({"price_controls": [CONTROL | {"floor_minor": 700}]}, "floor_minor is at most base_minor"),
    ],
)
async def test_faults_are_named_and_nothing_changes(
    db: Db, tmp_path: Path, given: Any, fault: str
) -> None:
    with pytest.raises(ImportFaultsError) as caught:
        await load(db, city(tmp_path / "city", given))
    assert any(fault in line for line in caught.value.faults.lines()), caught.value.faults.lines()
    assert await db.fetchval("SELECT count(*) FROM lot") == 0
    assert await db.fetchval("SELECT count(*) FROM tariff") == 0


async def test_zones_that_overlap_are_named(db: Db, tmp_path: Path) -> None:
    directory = write_city(tmp_path / "city")
    rows = [zone("a", 120.0, "2020-01-01T00:00:00Z"), zone("b", 120.04, "2024-01-01T00:00:00Z")]
    (directory / "zones.geojson").write_text(features(*rows), encoding="utf-8")
    with pytest.raises(ImportFaultsError) as caught:
        await load(db, directory)
    assert "zones.geojson: a and b share" in caught.value.faults.lines()[0]
    assert await db.fetchval("SELECT count(*) FROM zone") == 0


async def test_every_lot_of_the_demo_city_is_priced(
    db: Db, database_url: str, tmp_path: Path
) -> None:
    assert simulate(["city", str(tmp_path), "--lots", "300"]) == 0
    assert "10 tariffs (10 new, 0 changed)" in await load(db, tmp_path)
    assert "10 tariffs (0 new, 0 changed)" in await load(db, tmp_path)

    unzoned = await db.fetchval("SELECT count(*) FROM lot WHERE zone_id IS NULL")
    async with serving(database_url, lambda: AT) as client:
        place = {"lon": 120.38, "lat": 36.3, "radius_m": 20_000, "limit": 100, "min_free": 0}
        near = await get(client, "/v1/nearest", **place)
        zones = await get(client, "/v1/zones")
        controls = await get(client, "/v1/price-controls")

    assert unzoned == 0
    assert near["lots"]
    assert all(lot["quote"]["total_minor"] >= 0 for lot in near["lots"])
    assert len(zones["features"]) == 16
    assert len(controls["items"]) == 3
    prices = await db.fetch(
        "SELECT l.lot_id FROM lot AS l LEFT JOIN tariff_effect AS e ON e.zone_id = l.zone_id"
        " AND e.lot_type = l.lot_type WHERE e.tariff_id IS NULL"
    )
    assert prices == []
