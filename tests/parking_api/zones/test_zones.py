"""Zones: drawn by one, published by another, never two over one place."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.parking_api.builders import Builder, square
from tests.parking_api.bureau import Bureau, document, person, problem
from tests.polling import until

SOON = "2026-12-01T00:00:00+08:00"
NOBODY: dict[str, Any] = {"lots": 0, "from": None, "items": []}
EAST_OF_Z_1 = square(120.5, 36.0)


async def draw(bureau: Bureau, zone_id: str, **body: Any) -> httpx.Response:
    given = {
        "zone_id": zone_id,
        "name": {"zh": f"{zone_id}区", "en": f"Zone {zone_id}"},
        "zone_class": 2,
        "valid_from": SOON,
        "geometry": EAST_OF_Z_1,
    } | body
    return await bureau.post("/v1/zones", bureau.drafter, **given)


async def listed(bureau: Bureau, **parameters: str) -> list[str]:
    answer = await bureau.api.get("/v1/zones", params=parameters)
    assert answer.headers["content-type"] == "application/geo+json"
    return [feature["id"] for feature in answer.json()["features"]]


async def test_a_zone_from_draft_to_force(bureau: Bureau, built: Builder) -> None:
    await built.lot("east", lon=120.55, lat=36.05)
    drawn = await draw(bureau, "z-2")
    assert drawn.status_code == 201, drawn.text
    assert drawn.json()["properties"]["state"] == "draft"
    assert drawn.json()["geometry"]["type"] == "MultiPolygon"
    assert await listed(bureau, at=SOON) == ["z-1"]
    checked = (await bureau.api.post("/v1/zones/z-2/check", headers=bureau.drafter)).json()
    assert checked == {"overlaps": [], "lots": 1, "unpriced": NOBODY}

    answer = await bureau.publish_zone("z-2")

    assert answer.status_code == 200, answer.text
    assert answer.json()["items"][0]["published_by"] == "li"
    assert await listed(bureau) == ["z-1"]
    assert await listed(bureau, at=SOON) == ["z-1", "z-2"]
    one = (await bureau.api.get("/v1/zones/z-2", params={"at": SOON})).json()
    assert one["properties"]["zone_class"] == 2
    problem(await bureau.api.get("/v1/zones/z-2"), 404, "zone-unknown")
    problem(await bureau.publish_zone("z-2"), 409, "zone-state")
    kept = await built.connection.fetch(
        "SELECT action, person_id FROM audit_entry WHERE subject = 'zone/z-2' ORDER BY entry_id"
    )
    assert [tuple(row) for row in kept] == [("zone.draft", "wang"), ("zone.publish", "li")]


async def test_zones_in_force_never_overlap(bureau: Bureau) -> None:
    await draw(bureau, "z-2", geometry=square(120.499, 36.0))

    checked = (await bureau.api.post("/v1/zones/z-2/check", headers=bureau.drafter)).json()
    told = problem(await bureau.publish_zone("z-2"), 409, "zones-overlap")

    assert [overlap["zone_id"] for overlap in checked["overlaps"]] == ["z-1"]
    assert told["errors"][0]["parameter"] == "z-2,z-1"
    assert "z-2 and z-1 share" in told["detail"]
    assert await listed(bureau, at=SOON) == ["z-1"]


async def test_a_shared_border_and_another_time_are_no_overlap(bureau: Bureau) -> None:
    # A hair's breadth over the border: 1e-9 degrees by 11 km is 1 square metre.
    await draw(bureau, "z-2", geometry=square(120.5 - 1e-9, 36.0))
    assert (await bureau.publish_zone("z-2")).status_code == 200
    await bureau.decided("/v1/zones/z-1/end", valid_to=SOON)
    await draw(bureau, "z-3", geometry=square(120.3, 36.0))
    assert (await bureau.publish_zone("z-3")).status_code == 200
    assert await listed(bureau, at=SOON) == ["z-2", "z-3"]


@pytest.mark.parametrize(("width_deg", "status"), [(5e-7, 200), (5e-6, 409)])
async def test_a_border_written_down_with_few_decimals_is_one_line(
    bureau: Bureau, width_deg: float, status: int
) -> None:
    """Along 11 km, 4.5 cm by rounding are 500 square metres; 45 cm are not by rounding."""
    await draw(bureau, "z-2", geometry=square(120.5 - width_deg, 36.0))
    checked = (await bureau.api.post("/v1/zones/z-2/check", headers=bureau.drafter)).json()
    assert len(checked["overlaps"]) == (0 if status == 200 else 1)
    assert (await bureau.publish_zone("z-2")).status_code == status


async def test_two_that_are_published_at_once(bureau: Bureau, database_url: str) -> None:
    third = await person(database_url, "zhou", "bureau_approver")
    await draw(bureau, "z-2")
    await draw(bureau, "z-3", geometry=square(120.55, 36.0))
    answers = await asyncio.gather(
        bureau.publish_zone("z-2"), bureau.post("/v1/zones/z-3/publish", third)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    lost = next(answer for answer in answers if answer.status_code == 409)
    problem(lost, 409, "zones-overlap")
    assert len(await listed(bureau, at=SOON)) == 2


async def test_a_zone_drawn_anew_takes_over_with_its_lots_and_its_tariff(
    bureau: Bureau,
) -> None:
    await bureau.published()
    await draw(bureau, "west", geometry=square(120.3, 36.0, 0.05), replaces=["z-1"])
    east = square(120.35, 36.0, 0.1)
    await draw(bureau, "east", geometry=east, zone_class=1)
    problem(await bureau.publish_zone("west", also=["east"]), 409, "leaves-unpriced")
    answer = await bureau.publish_zone("west", also=["east"], leaves_unpriced=True)
    assert answer.status_code == 200, answer.text
    target = {"zones": ["east"], "lot_types": ["on_street"]}
    path = await bureau.approved(document=document("t-east", 500), applies_to=target)
    await bureau.act(path, "schedule", bureau.approver, effective_from=SOON)

    async def fee(entry: datetime) -> int:
        stay = {"lot_id": "street", "entry": entry.isoformat()}
        stay["exit"] = (entry + timedelta(minutes=30)).isoformat()
        return int((await bureau.api.post("/v1/quotes", json=stay)).json()["total_minor"])

    soon = datetime.fromisoformat(SOON)
    assert await fee(soon - timedelta(hours=1)) == 300
    assert await fee(soon) == 500
    assert await listed(bureau) == ["z-1"]
    assert await listed(bureau, at=SOON) == ["east", "west"]


async def test_lots_move_when_the_time_comes(bureau: Bureau, built: Builder) -> None:
    await draw(bureau, "z-2", geometry=square(120.3, 36.0), replaces=["z-1"])
    assert (await bureau.publish_zone("z-2")).status_code == 200

    async def street_is_in(zone_id: str) -> bool:
        found = await built.connection.fetchval("SELECT zone_id FROM lot WHERE lot_id = 'street'")
        return bool(found == zone_id)

    assert await street_is_in("z-1")
    bureau.clock.now = datetime.fromisoformat(SOON)
    await built.connection.execute("NOTIFY tariffs")
    await until(lambda: street_is_in("z-2"))


async def test_who_may_draw_and_publish(bureau: Bureau, database_url: str) -> None:
    both = await person(database_url, "zhao", "bureau_drafter", "bureau_approver")
    assert (await bureau.api.get("/v1/zone-drafts")).status_code == 401
    await draw(bureau, "z-2")
    problem(await draw(bureau, "z-2"), 409, "zone-exists")
    problem(await draw(bureau, "z-1"), 409, "zone-exists")
    assert (await bureau.post("/v1/zones/z-2/publish", bureau.drafter)).status_code == 403
    problem(await bureau.publish_zone("nothing"), 404, "zone-unknown")
    redrawn = {
        "name": {"zh": "新", "en": "New"},
        "zone_class": 3,
        "valid_from": SOON,
        "geometry": EAST_OF_Z_1,
        "reason": "改",
    }
    other = await bureau.api.put("/v1/zones/z-2", json=redrawn, headers=both)
    problem(other, 403, "not-the-drafter")
    own = await bureau.api.put("/v1/zones/z-2", json=redrawn, headers=bureau.drafter)
    assert own.json()["properties"]["zone_class"] == 3
    drafts = (await bureau.api.get("/v1/zone-drafts", headers=bureau.approver)).json()
    assert [draft["zone_id"] for draft in drafts["items"]] == ["z-2"]
    second = await person(database_url, "qian", "bureau_drafter")
    problem(await bureau.post("/v1/zones/z-2/withdraw", second), 403, "not-the-drafter")
    gone = await bureau.post("/v1/zones/z-2/withdraw", bureau.drafter)
    assert gone.json()["properties"]["state"] == "withdrawn"
    problem(await bureau.publish_zone("z-2"), 409, "zone-state")


async def test_a_drafter_does_not_publish_their_own(bureau: Bureau, database_url: str) -> None:
    both = await person(database_url, "zhao", "bureau_drafter", "bureau_approver")
    bureau.drafter = both
    await draw(bureau, "z-2")
    problem(await bureau.post("/v1/zones/z-2/publish", both), 403, "same-person")
    assert await listed(bureau, at=SOON) == ["z-1"]


async def test_times_of_zones(bureau: Bureau) -> None:
    await draw(bureau, "past", valid_from="2026-11-22T09:00:00+08:00")
    problem(await bureau.publish_zone("past"), 409, "zone-times")
    await draw(bureau, "late", replaces=["nothing"])
    problem(await bureau.publish_zone("late"), 409, "zone-times")
    for valid_to in ("2026-11-22T09:00:00+08:00", "2019-01-01T00:00:00Z"):
        told = await bureau.post("/v1/zones/z-1/end", bureau.approver, valid_to=valid_to)
        problem(told, 409, "zone-times")
    nobody = await bureau.post("/v1/zones/none/end", bureau.approver, valid_to=SOON)
    problem(nobody, 404, "zone-unknown")
    # None of it came to anything.
    assert await listed(bureau) == await listed(bureau, at=SOON) == ["z-1"]


async def test_ground_of_too_many_pieces(bureau: Bureau) -> None:
    pieces = [square(120 + place / 100, 36)["coordinates"] for place in range(201)]
    told = await draw(bureau, "z-2", geometry={"type": "MultiPolygon", "coordinates": pieces})
    assert told.status_code == 422
    assert told.json()["errors"][0]["message"] == "has more than 200 polygons"


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [120, 36]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[4e6, 4e6], [4e6, 5e6], [5e6, 5e6], [4e6, 4e6]]]},
        {},
    ],
)
async def test_ground_that_is_none(bureau: Bureau, geometry: dict[str, Any]) -> None:
    told = await draw(bureau, "z-2", geometry=geometry, zone_class=4, name={"zh": "", "en": "x"})
    assert told.status_code == 422
    faults = {fault["parameter"] for fault in told.json()["errors"]}
    assert faults == {"geometry", "zone_class", "name.zh"}
