"""Tariffs: drafted by one, approved by another, never two at one time, never changed after."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from parking_api.audit.service import verify
from parking_api.tariffs import service
from parking_api.tariffs.key import Key
from parking_api.tariffs.models import BureauVersion, Publication
from parking_api.workflow import acting
from pricing import content_hash
from sql.kinds import APPROVER
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, document, fee, get, person, problem
from tests.polling import until_somebody_waits

SOON = "2026-12-01T00:00:00+08:00"
LATER = "2027-01-01T00:00:00+08:00"
TARGET = {"zones": ["z-1"], "lot_types": ["on_street"]}


async def state(bureau: Bureau, path: str) -> str:
    return str((await get(bureau, path, **bureau.drafter))["state"])


async def test_from_draft_to_force(bureau: Bureau, built: Builder) -> None:
    drafted = await bureau.draft()
    path = drafted.headers["location"]
    assert path == "/v1/tariffs/t-1/versions/1"
    assert drafted.json()["state"] == "draft"
    assert drafted.json()["hash"] == content_hash(document())
    assert (await bureau.api.get(path)).status_code == 404

    assert (await bureau.act(path, "submit", bureau.drafter))["state"] == "in_review"
    assert (await bureau.act(path, "approve", bureau.approver))["state"] == "approved"
    told = await bureau.act(path, "schedule", bureau.approver, effective_from=SOON)

    assert told["state"] == "scheduled"
    assert (told["drafted_by"], told["approved_by"]) == ("wang", "li")
    assert (await get(bureau, path))["document"] == document()
    assert await fee(bureau) == 300
    assert await fee(bureau, entry="2026-11-30T23:59:59+08:00") == (
        "urn:onelot:problem:lot-without-tariff"
    )
    bureau.clock.now = datetime.fromisoformat(SOON)
    assert await state(bureau, path) == "in_force"
    actions = await built.connection.fetch(
        "SELECT action, person_id, reason FROM audit_entry WHERE subject = 'tariff/t-1/1'"
        " ORDER BY entry_id"
    )
    assert [tuple(row) for row in actions] == [
        ("tariff.draft", "wang", "测试"),
        ("tariff.submit", "wang", "测试"),
        ("tariff.approve", "li", "测试"),
        ("tariff.publish", "li", "测试"),
    ]
    assert (await verify(built.connection)).entries >= 4


async def test_every_fault_at_once_with_its_path(bureau: Bureau) -> None:
    wrong = document("T 1", boundary="maybe", colour="red")
    wrong["periods"][0] |= {"tiers": [{"from_s": 5, "price_minor": -1}], "unit_s": None}
    del wrong["grace"]

    told = problem(await bureau.draft(document=wrong), 422, "tariff-invalid")

    assert {fault["parameter"] for fault in told["errors"]} == {
        "document.id",
        "document.boundary",
        "document.colour",
        "document.grace",
        "document.periods[0].unit_s",
        "document.periods[0].tiers[0].from_s",
        "document.periods[0].tiers[0].price_minor",
    }


async def test_a_document_that_says_a_thing_twice_is_refused(bureau: Bureau) -> None:
    body = json.dumps({"document": document(), "applies_to": TARGET, "reason": "测试"})
    twice = body.replace('"unit_s": 1800', '"unit_s": 1800, "unit_s": 3600')
    headers = bureau.drafter | {"Content-Type": "application/json"}
    told = problem(
        await bureau.api.post("/v1/tariffs", content=twice, headers=headers),
        422,
        "ambiguous-body",
    )
    assert told["errors"] == [
        {
            "parameter": "document.periods[0].unit_s",
            "message": "is said more than once in one object",
        }
    ]


async def test_targets_must_be_there(bureau: Bureau) -> None:
    target = {"zones": ["z-1", "z-9"], "lot_types": ["on_street"]}
    told = problem(await bureau.draft(applies_to=target), 422, "target-unknown")
    assert told["errors"] == [{"parameter": "applies_to.zones", "message": "there is no zone z-9"}]
    both = target | {"lots": ["street"]}
    assert (await bureau.draft(applies_to=both)).status_code == 422


async def test_who_may_do_what(bureau: Bureau, database_url: str) -> None:
    both = await person(database_url, "zhao", "bureau_drafter", "bureau_approver")
    operations = await person(database_url, "sun", "operations")
    assert (await bureau.post("/v1/tariffs", {})).status_code == 401
    assert (await bureau.post("/v1/tariffs", operations)).status_code == 403
    path = (await bureau.draft()).headers["location"]
    problem(await bureau.post(f"{path}/submit", both), 403, "not-the-drafter")
    assert (await bureau.post(f"{path}/approve", bureau.drafter)).status_code == 403
    problem(await bureau.post(f"{path}/approve", bureau.approver), 409, "version-state")

    own = await bureau.post(
        "/v1/tariffs",
        both,
        document=document("own"),
        applies_to={"zones": ["z-1"], "lot_types": ["surface"]},
    )
    own_path = own.headers["location"]
    await bureau.act(own_path, "submit", both)
    problem(await bureau.post(f"{own_path}/approve", both), 403, "same-person")
    assert await state(bureau, own_path) == "in_review"


async def test_a_publication_reads_and_writes_its_version_once(
    bureau: Bureau, built: Builder
) -> None:
    await bureau.approved()
    run: list[str] = []

    with built.connection.query_logger(lambda record: run.append(record.query)):
        async with acting(built.connection, "li", bureau.clock.now, None, {APPROVER}) as act:
            given = Publication(reason="公布")
            published, _ = await service.publish(act, Key("t-1", 1), act.at, given)

    reading = [text for text in run if re.search(r"(FROM|JOIN)\s+tariff_version\b", text)]
    # The lock apart, which reads its key alone.
    assert sum("document" in text for text in reading) == 1
    assert sum("UPDATE tariff_version" in text for text in run) == 1
    told = await get(bureau, "/v1/tariffs/t-1/versions/1", **bureau.drafter)
    assert BureauVersion.model_validate(published).model_dump(mode="json") == told


async def test_what_left_its_draft_is_immutable(bureau: Bureau, built: Builder) -> None:
    target = {"zones": ["z-1"], "lot_types": ["on_street"]}
    body = {"document": document(price=500), "applies_to": target, "reason": "涨价"}
    path = (await bureau.draft()).headers["location"]
    changed = await bureau.api.put(path, json=body, headers=bureau.drafter)
    assert changed.json()["hash"] == content_hash(document(price=500))
    await bureau.act(path, "submit", bureau.drafter)

    again = await bureau.api.put(path, json=body, headers=bureau.drafter)

    problem(again, 409, "version-state")
    for statement in (
        "UPDATE tariff_version SET content_hash = 'x'",
        "UPDATE tariff_version SET document = '{}'",
        "UPDATE tariff_version SET lot_types = '{surface}'",
        "UPDATE tariff_version SET drafted_by = 'li'",
        "UPDATE tariff_version SET state = 'draft'",
        "DELETE FROM tariff_version",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await built.connection.execute(statement)
    with pytest.raises(asyncpg.CheckViolationError):
        await built.connection.execute(
            "UPDATE tariff_version SET state = 'approved', approved_by = drafted_by"
        )
    with pytest.raises(asyncpg.CheckViolationError):
        await built.connection.execute("UPDATE tariff_version SET state = 'approved'")


async def test_a_new_version_takes_over_and_going_back_is_a_new_one(bureau: Bureau) -> None:
    first = await bureau.published()
    second = await bureau.version("t-1", document=document(price=400))
    await bureau.act(second, "schedule", bureau.approver, effective_from=SOON)
    third = await bureau.version("t-1", copy_of=1)
    await bureau.act(third, "schedule", bureau.approver, effective_from=LATER)

    day_before = "2026-11-30T20:00:00+08:00"
    fees = [await fee(bureau, entry=entry) for entry in (day_before, SOON, LATER)]
    assert fees == [300, 400, 300]
    told = await get(bureau, third)
    assert (told["version"], told["copy_of"], told["hash"]) == (3, 1, content_hash(document()))
    bureau.clock.now = datetime.fromisoformat(SOON) + timedelta(days=1)
    assert [await state(bureau, path) for path in (first, second, third)] == [
        "superseded",
        "in_force",
        "scheduled",
    ]


async def test_withdrawing(bureau: Bureau) -> None:
    first = await bureau.published()
    second = await bureau.version("t-1", document=document(price=400))
    await bureau.act(second, "schedule", bureau.approver, effective_from=SOON)

    told = await bureau.decided(f"{second}/withdraw")

    assert (told["state"], told["unpriced"]["lots"]) == ("withdrawn", 0)
    assert await fee(bureau) == 300
    assert (await get(bureau, first))["effective_to"] is None
    bureau.clock.now += timedelta(days=1)
    await bureau.decided(f"{first}/withdraw", leaves_unpriced=True)
    assert await fee(bureau) == "urn:onelot:problem:lot-without-tariff"
    before = (bureau.clock.now - timedelta(hours=1)).isoformat()
    assert await fee(bureau, entry=before) == 300
    problem(await bureau.post(f"{first}/withdraw", bureau.approver), 409, "version-state")
    draft = (await bureau.draft(document=document("mine"))).headers["location"]
    assert (await bureau.act(draft, "withdraw", bureau.drafter))["state"] == "withdrawn"


async def test_never_two_tariffs_for_one_zone_and_lot_type(bureau: Bureau, built: Builder) -> None:
    await bureau.published()
    other = await bureau.approved(document=document("t-2"))

    told = problem(await bureau.post(f"{other}/publish", bureau.approver), 409, "effects-overlap")

    assert "version 1 of t-1 prices z-1 x on_street" in told["errors"][0]["message"]
    assert await state(bureau, other) == "approved"
    with pytest.raises(asyncpg.ExclusionViolationError):
        await built.connection.execute(
            "INSERT INTO tariff_effect (tariff_id, version, zone_id, lot_type, effective)"
            " VALUES ('t-2', 1, 'z-1', 'on_street', tstzrange('2027-01-01', '2027-01-02'))"
        )
    garage = {"zones": ["z-1"], "lot_types": ["underground"]}
    await bureau.published(document=document("t-3", 100), applies_to=garage)
    assert [await fee(bureau, lot) for lot in ("street", "garage")] == [300, 100]


async def test_a_lot_has_its_own_tariff_before_its_zones(bureau: Bureau) -> None:
    await bureau.published()
    await bureau.published(document=document("own", 900), applies_to={"lots": ["street"]})
    assert await fee(bureau) == 900


async def test_times_must_lie_ahead(bureau: Bureau) -> None:
    path = await bureau.approved()
    for times in (
        {"effective_from": "2026-11-22T09:29:59+08:00"},
        {"effective_from": LATER, "effective_to": SOON},
        {"effective_from": LATER, "effective_to": LATER},
    ):
        told = await bureau.post(f"{path}/schedule", bureau.approver, **times)
        problem(told, 422, "effective-times")
    await bureau.act(path, "schedule", bureau.approver, effective_from=SOON, effective_to=LATER)
    assert await fee(bureau, entry=SOON) == 300
    assert await fee(bureau, entry=LATER) == "urn:onelot:problem:lot-without-tariff"
    second = await bureau.version("t-1", document=document(price=400))
    told = await bureau.post(f"{second}/publish", bureau.approver)
    assert "withdraw it first" in problem(told, 409, "version-state")["detail"]


async def test_one_person_does_not_go_back_to_what_was_approved_before(bureau: Bureau) -> None:
    await bureau.published()
    cheaper = await bureau.version("t-1", document=document(price=100))
    dearer = await bureau.version("t-1", document=document(price=500))
    bureau.clock.now += timedelta(minutes=1)
    await bureau.act(dearer, "publish", bureau.approver)
    bureau.clock.now += timedelta(minutes=1)

    told = await bureau.post(f"{cheaper}/publish", bureau.approver)

    assert "draft a copy" in problem(told, 409, "version-state")["detail"]
    assert await fee(bureau, entry=bureau.clock.now.isoformat()) == 500


async def test_two_approvals_at_once(bureau: Bureau, database_url: str, built: Builder) -> None:
    third = await person(database_url, "zhou", "bureau_approver")
    for number in range(4):
        drafted = await bureau.draft(document=document(f"t-{number}"))
        path = drafted.headers["location"]
        await bureau.act(path, "submit", bureau.drafter)
        answers = await asyncio.gather(
            bureau.post(f"{path}/approve", bureau.approver), bureau.post(f"{path}/approve", third)
        )
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert won.status_code == 200
        assert "is approved, not in review" in problem(lost, 409, "version-state")["detail"]
    entries = await built.connection.fetchval(
        "SELECT count(*) FROM audit_entry WHERE action = 'tariff.approve'"
    )
    assert entries == 4


async def test_an_approval_waits_for_the_one_under_way(bureau: Bureau, database_url: str) -> None:
    """Two connections: the second approval is held until the first commits, then told."""
    path = (await bureau.draft()).headers["location"]
    await bureau.act(path, "submit", bureau.drafter)
    other = await asyncpg.connect(database_url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute(
        "UPDATE tariff_version SET state = 'approved', approved_by = 'zhou', approved_at = now()"
    )
    asked = asyncio.create_task(bureau.post(f"{path}/approve", bureau.approver))
    await until_somebody_waits(other)
    assert not asked.done()
    await transaction.commit()
    await other.close()
    problem(await asked, 409, "version-state")


async def test_two_publications_at_once(bureau: Bureau, built: Builder) -> None:
    paths = [await bureau.approved(document=document(f"t-{number}")) for number in range(4)]
    answers = await asyncio.gather(
        *(bureau.post(f"{path}/publish", bureau.approver) for path in paths)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, 409, "effects-overlap")
    assert await built.connection.fetchval("SELECT count(*) FROM tariff_effect") == 1


async def test_one_who_drafts_beside_another_gets_the_next_number(bureau: Bureau) -> None:
    await bureau.draft()
    answers = await asyncio.gather(
        *(
            bureau.post(
                "/v1/tariffs/t-1/versions", bureau.drafter, document=document(price=100 + number)
            )
            for number in range(4)
        )
    )
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5]
    problem(await bureau.draft(), 409, "tariff-exists")
    nobody = await bureau.post("/v1/tariffs/none/versions", bureau.drafter, copy_of=1)
    problem(nobody, 404, "tariff-unknown")
    wrong = await bureau.post("/v1/tariffs/t-1/versions", bureau.drafter, document=document("t-2"))
    told = problem(wrong, 422, "tariff-invalid")
    assert told["errors"] == [{"parameter": "document.id", "message": "should be t-1"}]


async def test_lists_and_pages(bureau: Bureau) -> None:
    await bureau.published()
    await bureau.draft(document=document("t-2"))
    own = {"lots": ["garage"]}
    await bureau.published(document=document("t-3"), applies_to=own)

    everyone = await get(bureau, "/v1/tariffs")
    assert [item["tariff_id"] for item in everyone["items"]] == ["t-1", "t-3"]
    whole = await get(bureau, "/v1/tariffs?limit=2", **bureau.approver)
    assert [item["tariff_id"] for item in whole["items"]] == ["t-1", "t-2"]
    rest = await get(bureau, whole["next"], **bureau.approver)
    assert [item["tariff_id"] for item in rest["items"]] == ["t-3"]
    assert rest["next"] is None
    for query, found in {
        "zone=z-1&lot_type=on_street": ["t-1", "t-2"],
        "lot=garage": ["t-3"],
        "state=draft": ["t-2"],
        "state=in_force": ["t-1", "t-3"],
        "tariff=t-3": ["t-3"],
        "zone=z-2": [],
    }.items():
        listed = await get(bureau, f"/v1/tariffs?{query}", **bureau.drafter)
        assert [item["tariff_id"] for item in listed["items"]] == found, query


async def test_the_time_of_the_state_is_the_clocks(bureau: Bureau) -> None:
    path = await bureau.published()
    told = await get(bureau, path)
    assert datetime.fromisoformat(told["effective_from"]) == bureau.clock.now
    assert datetime.fromisoformat(told["published_at"]).astimezone(UTC) == bureau.clock.now
