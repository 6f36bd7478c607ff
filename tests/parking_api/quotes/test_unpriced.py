"""Lots that would lose their price by a change: named, and refused unless it is meant."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parking_api.command_line import connected
from parking_api.importing.command import MOST_NAMED, unpriced_note
from parking_api.importing.service import import_city
from parking_api.importing.totals import Totals
from parking_api.quotes.coverage import Coverage, newly_unpriced
from parking_api.quotes.models import UnpricedLot
from parking_api.quotes.prices import Situation
from tests.parking_api.builders import Builder, square
from tests.parking_api.bureau import Bureau, document, problem
from tests.parking_api.import_files import SILENT, features, write_city, zone

NOW = "2026-11-22T01:31:00+00:00"
SOON = "2026-12-01T00:00:00+08:00"
LATER = "2027-01-01T00:00:00+08:00"
SOON_UTC, LATER_UTC = "2026-11-30T16:00:00+00:00", "2026-12-31T16:00:00+00:00"
WEST, EAST = square(120.3, 36.0, 0.05), square(120.35, 36.0, 0.1)
NOBODY: dict[str, Any] = {"lots": 0, "from": None, "items": []}


@pytest.fixture
async def priced(bureau: Bureau) -> Bureau:
    """The street of zone z-1 is priced; its garage is not, nor what lies outside."""
    await bureau.published()
    bureau.clock.now += timedelta(minutes=1)
    return bureau


async def draw(bureau: Bureau, zone_id: str, **body: Any) -> None:
    given = {
        "zone_id": zone_id,
        "name": {"zh": zone_id, "en": zone_id},
        "zone_class": 1,
        "valid_from": SOON,
        "geometry": square(120.3, 36.0),
    } | body
    drawn = await bureau.post("/v1/zones", bureau.drafter, **given)
    assert drawn.status_code == 201, drawn.text


async def check(bureau: Bureau, zone_id: str, **body: Any) -> Any:
    path = f"/v1/zones/{zone_id}/check"
    answer = await bureau.api.post(path, headers=bureau.drafter, json=body or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def street(start: str, end: str | None = None, lacks: str = "tariff") -> dict[str, Any]:
    lost = {"lot_id": "street", "from": start, "to": end, "lacks": lacks}
    return {"lots": 1, "from": start, "items": [lost]}


async def test_a_zone_that_replaces_a_priced_one(priced: Bureau, built: Builder) -> None:
    await draw(priced, "z-2", replaces=["z-1"])

    checked = await check(priced, "z-2")
    told = problem(await priced.publish_zone("z-2"), 409, "leaves-unpriced")
    still = (await priced.api.get("/v1/zones", params={"at": SOON})).json()["features"]
    done = (await priced.publish_zone("z-2", leaves_unpriced=True)).json()

    assert (checked["unpriced"], checked["overlaps"]) == (street(SOON_UTC), [])
    assert told["errors"] == [
        {
            "parameter": "leaves_unpriced",
            "message": f"street from {SOON_UTC} on: no tariff prices its zone and type",
        }
    ]
    assert "1 lot would lose" in told["detail"]
    assert [each["id"] for each in still] == ["z-1"]
    assert done["unpriced"] == street(SOON_UTC)
    row = await built.connection.fetchrow("SELECT * FROM audit_entry WHERE action = 'price.leave'")
    assert row is not None
    assert (row["subject"], row["person_id"], row["reason"]) == ("zone/z-2", "li", "测试")
    assert "street from" in row["after"]


async def test_a_check_changes_nothing_and_goes_with_the_others(
    priced: Bureau, built: Builder
) -> None:
    await draw(priced, "west", geometry=WEST, replaces=["z-1"])
    await draw(priced, "east", geometry=EAST)
    before = await built.connection.fetch("SELECT * FROM zone ORDER BY zone_id")

    alone = await check(priced, "west")
    both = await check(priced, "west", also=["east"])
    the_other = await check(priced, "east")

    # The street lies in the eastern half: alone, the western one leaves it without a zone.
    assert alone["unpriced"] == street(SOON_UTC, lacks="zone")
    assert both["unpriced"] == street(SOON_UTC, lacks="tariff")
    assert [each["zone_id"] for each in the_other["overlaps"]] == ["z-1"]
    assert await built.connection.fetch("SELECT * FROM zone ORDER BY zone_id") == before
    problem(await priced.api.post("/v1/zones/none/check", headers=priced.drafter), 404,
            "zone-unknown")  # fmt: skip


async def test_a_zone_that_ends_by_itself_later(priced: Bureau) -> None:
    """z-2 has a tariff, so that nothing is lost when it begins, but when it ends."""
    await draw(priced, "z-2", replaces=["z-1"], valid_to=LATER)
    own = document("own")
    path = await priced.approved(document=own, applies_to={"lots": ["street"]})
    await priced.act(path, "schedule", priced.approver, effective_from=SOON, effective_to=LATER)

    assert (await check(priced, "z-2"))["unpriced"] == street(LATER_UTC, lacks="zone")


async def test_ending_a_zone(priced: Bureau) -> None:
    refused = await priced.post("/v1/zones/z-1/end", priced.approver, valid_to=SOON)
    done = await priced.decided("/v1/zones/z-1/end", valid_to=SOON, leaves_unpriced=True)

    assert "no zone contains it" in problem(refused, 409, "leaves-unpriced")["errors"][0]["message"]
    assert done["unpriced"] == street(SOON_UTC, lacks="zone")
    # What has no price already can lose none.
    again = await priced.decided("/v1/zones/z-1/end", valid_to=SOON)
    assert again["unpriced"] == NOBODY


async def test_a_zone_is_missed_only_by_lots_that_it_priced(bureau: Bureau) -> None:
    ended = await bureau.decided("/v1/zones/z-1/end", valid_to=SOON)
    assert ended["unpriced"] == NOBODY


async def test_a_retired_lot_can_lose_no_price(priced: Bureau, built: Builder) -> None:
    await built.connection.execute(
        "UPDATE lot SET retired_at = $1 WHERE lot_id = 'street'", priced.clock.now
    )

    ended = await priced.decided("/v1/zones/z-1/end", valid_to=SOON)

    assert ended["unpriced"] == NOBODY


async def test_withdrawing_what_is_in_force(priced: Bureau) -> None:
    path = "/v1/tariffs/t-1/versions/1"

    refused = await priced.post(f"{path}/withdraw", priced.approver)
    done = await priced.decided(f"{path}/withdraw", leaves_unpriced=True)

    problem(refused, 409, "leaves-unpriced")
    assert done["unpriced"] == street(NOW)


async def test_a_version_that_prices_less_than_the_one_before(priced: Bureau) -> None:
    garages = {"zones": ["z-1"], "lot_types": ["underground"]}
    path = await priced.version("t-1", document=document(price=400), applies_to=garages)
    times = {"effective_from": SOON}

    problem(await priced.post(f"{path}/schedule", priced.approver, **times), 409, "leaves-unpriced")
    done = await priced.act(path, "schedule", priced.approver, **times, leaves_unpriced=True)
    back = problem(await priced.post(f"{path}/withdraw", priced.approver), 409, "leaves-unpriced")

    assert done["unpriced"] == street(SOON_UTC)
    # The version before would go on for the street; the garage would lose a price to come.
    assert [each["message"].split()[0] for each in back["errors"]] == ["garage"]


async def test_a_version_that_ends(priced: Bureau) -> None:
    path = await priced.version("t-1", document=document(price=400))
    times = {"effective_from": SOON, "effective_to": LATER}

    refused = await priced.post(f"{path}/schedule", priced.approver, **times)
    at_once = await priced.post(f"{path}/publish", priced.approver, effective_to=LATER)
    done = await priced.act(path, "schedule", priced.approver, **times, leaves_unpriced=True)
    third = await priced.version("t-1", document=document(price=300))
    followed = await priced.act(third, "schedule", priced.approver, effective_from=LATER)

    problem(refused, 409, "leaves-unpriced")
    problem(at_once, 409, "leaves-unpriced")
    assert done["unpriced"] == street(LATER_UTC)
    assert followed["unpriced"] == NOBODY


async def test_a_first_version_that_ends_takes_nothing_away(bureau: Bureau) -> None:
    path = await bureau.approved()
    done = await bureau.act(path, "publish", bureau.approver, effective_to=SOON)
    assert done["unpriced"] == NOBODY


async def test_an_import_notes_what_loses_its_price(database_url: str, tmp_path: Path) -> None:
    """The zone is drawn elsewhere by the second import: its lot is left without price."""
    at = datetime(2026, 11, 22, tzinfo=UTC)
    directory = write_city(tmp_path / "city")
    async with connected(database_url, "test") as connection:
        await import_city(connection, directory, at=at, steps=SILENT)
        await connection.execute(
            "INSERT INTO tariff VALUES ('t', 'x', now());"
            "INSERT INTO tariff_version (tariff_id, version, document, content_hash, zones,"
            " lot_types, lots, drafted_by, drafted_at)"
            " VALUES ('t', 1, '{}', 'x', '{z-new}', '{surface}', '{}', 'x', now());"
            "INSERT INTO tariff_effect (tariff_id, version, zone_id, lot_type, effective)"
            " VALUES ('t', 1, 'z-new', 'surface', '[2025-01-01Z, 2098-01-01Z)')"
        )
        same = await import_city(connection, directory, at=at, steps=SILENT)
        away = features(zone("z-new", 121.0, "2024-01-01T00:00:00+08:00"))
        (directory / "zones.geojson").write_text(away, encoding="utf-8")
        # That takes two persons; a dry run tells beforehand.
        moved = await import_city(connection, directory, at=at, steps=SILENT, dry_run=True)

    assert same.unpriced == []
    assert [(each.lot_id, each.from_, each.lacks) for each in moved.unpriced] == [
        ("370202-0001", at, "zone")
    ]


DAY = timedelta(days=1)
T = datetime(2026, 11, 22, tzinfo=UTC)
IN_Z = Situation("surface", (("z", T - DAY, None),))


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ({("z", "surface"): ((T, None),)}, None),
        ({("z", "surface"): ((T, T + DAY),)}, (T + DAY, None, "tariff")),
        # A gap between two, which ends.
        ({("z", "surface"): ((T, T + DAY), (T + 3 * DAY, None))}, (T + DAY, T + 3 * DAY, "tariff")),
        # No gap between two that follow each other.
        ({("z", "surface"): ((T, T + DAY), (T + DAY, None))}, None),
        # A tariff of its own fills it.
        ({("z", "surface"): ((T, T + DAY),), ("a",): ((T + DAY, None),)}, None),
        ({}, (T, None, "tariff")),
    ],
)
def test_the_first_gap_of_each_lot(spans: Any, expected: Any) -> None:
    before = Coverage({"a": IN_Z}, {("z", "surface"): ((T - DAY, None),)})

    found = newly_unpriced(before, Coverage({"a": IN_Z, "new": IN_Z}, spans), T)

    assert [(each.lot_id, each.from_, each.to, each.lacks) for each in found] == (
        [("a", *expected)] if expected else []
    )


def test_lots_of_one_kind_share_their_fate_and_others_do_not() -> None:
    elsewhere = Situation("surface", (("other", T - DAY, None),))
    lots = {"b": IN_Z, "a": IN_Z, "c": elsewhere}
    long: Any = ((T - DAY, None),)
    spans: Any = {("z", "surface"): long, ("other", "surface"): long}
    before = Coverage(lots, spans)

    found = newly_unpriced(before, Coverage(lots, {("other", "surface"): long}), T)

    assert [each.lot_id for each in found] == ["a", "b"]


def test_an_imports_note_names_the_first_of_them() -> None:
    lost = [
        UnpricedLot(lot_id=f"lot-{n}", from_=T, to=None, lacks="tariff")
        for n in range(MOST_NAMED + 3)
    ]

    said = unpriced_note(Totals(unpriced=lost))

    assert said[0] == "note: 23 lots have lost their price:"
    assert (
        said[1] == "  lot-0 from 2026-11-22T00:00:00+00:00 on: no tariff prices its zone and type"
    )
    assert said[-1] == "  and 3 more"
    assert len(said) == 1 + MOST_NAMED + 1
    assert unpriced_note(Totals()) == []
