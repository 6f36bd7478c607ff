"""Every answer of the API is the one that was recorded, byte for byte.

What is asked stands in `recorded.walk`, of the city of `recorded.city`. Where an answer changes on
purpose, record anew and look at the difference before it is committed:

    RECORD_BODIES=1 pytest tests/parking_api/test_recorded_bodies.py
    git diff tests/parking_api/data/recorded

That chooses the examples of the OpenAPI document anew, too.
"""

import os
import re
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from parking_api.calendar.service import CALENDAR
from parking_api.city import hour
from parking_api.city.hour import Hour, Look
from parking_api.city.queries import Applied
from parking_api.decisions import service as decisions
from parking_api.decisions.service import DECISIONS
from parking_api.enrolments import codes
from parking_api.enrolments.service import ENROLMENTS
from parking_api.mechanisms.service import MECHANISMS, REVIEWS
from parking_api.price_controls.service import CONTROLS
from parking_api.tariffs.service import VERSIONS
from parking_api.tariffs.suspensions import SUSPENSIONS
from parking_api.workflow import Act, Workflow
from parking_api.zones.service import DRAFTS, ZONES
from tests.parking_api.builders import Builder
from tests.parking_api.recorded import examples
from tests.parking_api.recorded.city import START, pin, settle
from tests.parking_api.recorded.recording import Recorder, differences, recorded, write
from tests.parking_api.recorded.walk import CHAPTERS, Walk, away, ending, slow, starting
from tests.parking_api.serving import app_of, close_streams, serving
from tests.polling import until
from tests.servers import Databases

# What the walk has left in the database: everything that people have decided, and its audit.
TABLES = {
    "audit_entry": "entry_id, at, person_id, action, subject, before, after, reason",
    "zone": "zone_id, name_zh, name_en, zone_class, valid_from, valid_to, st_astext(geom)",
    "zone_draft": "*",
    "tariff": "*",
    "tariff_version": "*",
    "tariff_effect": "*",
    "tariff_suspension": "*",
    "decision": "*",
    "price_control": "*",
    "city_calendar": "*",
    "price_mechanism": "*",
    "price_mechanism_target": "*",
    "mechanism_review": "*",
    "enrolment": (
        "enrolment_id, kind, person_id, name, roles, operator_id, state, started_by, started_at,"
        " confirmed_by, confirmed_at, code_expires_at, tries, completed_at, key_id"
    ),
    "person": "*",
    "api_key": "key_id, person_id, created_at, expires_at, revoked_at, last_used_at, replaced_by",
    "lot": "lot_id, zone_id",
}
MOST_SHOWN = 40
# What the audit keeps beside the steps of workflows.
NO_STEPS = {
    *("price.leave", "lot.change", "person.add", "person.grant_roles", "person.withdraw_role"),
    *("gateway.issue_password", "gateway.revoke_password"),
    *("api_key.issue", "api_key.rotate", "api_key.revoke"),
}
WORKFLOWS: list[Workflow[Any, Any]] = [
    *(DRAFTS, ZONES, VERSIONS, CONTROLS, CALENDAR),
    *(MECHANISMS, REVIEWS, ENROLMENTS, DECISIONS, SUSPENSIONS),
]


class Taken:
    """What the walk takes: steps of workflows, and all that an act keeps for the audit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: set[str] = set()
        self.actions: set[str] = set()
        keep_step, keep_action = Workflow.keep, Act.keep

        def step_taken(workflow: Workflow[Any, Any], act: Act, step: str, *things: Any) -> None:
            keep_step(workflow, act, step, *things)
            self.steps.add(f"{workflow.kind}.{step}")

        def action_taken(act: Act, action: str, *entry: Any) -> None:
            keep_action(act, action, *entry)
            self.actions.add(action)

        monkeypatch.setattr(Workflow, "keep", step_taken)
        monkeypatch.setattr(Act, "keep", action_taken)


async def test_answers_are_as_recorded(
    databases: Databases, database_url: str, built: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Taken(monkeypatch)
    ids = count(0x5D1C07A3E9F2)
    monkeypatch.setattr(decisions, "new_id", lambda: f"{next(ids):x}")
    monkeypatch.setattr(codes, "new_id", lambda: f"{next(ids):x}")
    monkeypatch.setattr(codes, "new", lambda: "JBSW-Y3DP-EHPK-3PXP")
    await pin(built.connection)
    people = await settle(built)
    # What is seen of an hour is what this test has it see.
    monkeypatch.setattr(hour, "LOOK_EVERY_S", 7200.0)
    now = START

    def clock() -> datetime:
        return now

    def tell(at: datetime) -> None:
        nonlocal now
        now = at

    async with serving(database_url, clock, reload_interval_s=3600.0) as api:
        paths = (await api.get("/openapi.json")).json()["paths"]
        operations = [f"{method.upper()} {path}" for path in paths for method in paths[path]]
        recorder = Recorder(api, people, operations)
        _see_an_hour(app_of(api).state.hour)
        walk = Walk(recorder, built, tell)
        for chapter in CHAPTERS:
            recorder.chapter = chapter.__name__
            await chapter(walk)
        await _keep_tables(recorder, built)
        recorder.chapter = "ending"
        close_streams(api)
        await ending(walk)
    await walk.turn(START)
    recorder.chapter = "slow"
    async with serving(database_url, clock, query_timeout_s=0.3) as recorder.api:
        await slow(walk)
    recorder.chapter = "away"
    async with serving(database_url, clock) as recorder.api:
        await built.connection.close()
        await databases.drop(database_url)
        await until_degraded(recorder.api)
        await away(walk)
    recorder.chapter = "starting"
    async with serving(database_url, clock, has_database=False) as recorder.api:
        await starting(walk)

    if os.environ.get("RECORD_BODIES"):
        write(recorder.chapters)
    found = differences(recorded(), recorder.chapters)
    if found:
        more = [f"... and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else []
        pytest.fail("\n\n".join([*found[:MOST_SHOWN], *more]), pytrace=False)
    # Whoever acts goes through a workflow, whose table says where each of its steps may lead.
    steps = {f"{workflow.kind}.{step}" for workflow in WORKFLOWS for step in workflow.steps}
    assert taken.steps == steps
    assert taken.actions == steps | NO_STEPS


def _see_an_hour(seen: Hour) -> None:
    """Note a quarter of an hour in which the ingester was started again."""
    for minute in range(15, -1, -1):
        at = START - timedelta(minutes=minute)
        applied = Applied(at, 120_000 - 8_000 * minute if minute > 7 else 57_600 - 7_200 * minute)
        seen.note(at, Look(2.5 + 10 * (minute == 7), 7 - (minute == 7), int(minute < 8), applied))


async def until_degraded(api: httpx.AsyncClient) -> None:
    async def is_degraded() -> bool:
        return bool((await api.get("/v1/city")).json()["degraded"])

    await until(is_degraded)


async def _keep_tables(recorder: Recorder, built: Builder) -> None:
    recorder.chapter = "tables"
    for table, columns in TABLES.items():
        rows = await built.connection.fetch(
            "SELECT row_to_json(one)::text"
            f" FROM (SELECT {columns} FROM public.{table} ORDER BY 1) AS one"
        )
        kept = [recorder.masked(text) for (text,) in rows]
        if table != "audit_entry":
            kept.sort()
        recorder.keep(table, {str(number): row for number, row in enumerate(kept, 1)})


def test_no_sentence_has_a_state_as_the_database_writes_it() -> None:
    problems = re.compile(r'"detail":"([^"]*)"')
    sentences = [
        sentence
        for known in recorded().values()
        for kept in known.values()
        if isinstance(kept, dict) and isinstance(kept.get("body"), str)
        for sentence in problems.findall(kept["body"])
    ]
    assert len(sentences) > 100
    raw = re.compile(r"\b(is|not|or) draft\b|\bin_(review|force)\b")
    assert [sentence for sentence in sentences if raw.search(sentence)] == []


def test_the_examples_of_openapi_are_recorded_answers() -> None:
    text = examples.written(examples.chosen(recorded()))
    if os.environ.get("RECORD_BODIES"):
        examples.FILE.write_text(text, encoding="utf-8")

    assert examples.FILE.read_text(encoding="utf-8") == text


def test_every_route_has_been_recorded() -> None:
    """Each operation has an answer that is no refusal, and each that is for some has a refusal."""
    chapters = recorded()
    operations = chapters["whole"]["operations"]
    answered: dict[str, set[int]] = {one: set() for one in operations}
    for known in chapters.values():
        for kept in known.values():
            if kept.get("route") in answered:
                answered[kept["route"]].add(kept["status"])
    lacking = [one for one, statuses in answered.items() if not statuses & {200, 201, 202, 204}]
    # It is answered by the ingester: tests/parking_api/feeds/test_posts.py.
    assert lacking == ["POST /v1/feeds/{gateway_id}/{lot_id}/{kind}"]
