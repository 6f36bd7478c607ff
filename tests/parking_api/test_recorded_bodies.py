"""Every answer of the API is the one that was recorded, byte for byte.

What is asked stands in `recorded.walk`, of the city of `recorded.city`. Where an answer changes on
purpose, record anew and look at the difference before it is committed:

    RECORD_BODIES=1 pytest tests/parking_api/test_recorded_bodies.py
    git diff tests/parking_api/data/recorded
"""

import os
from datetime import datetime

import pytest

from tests.parking_api.builders import Builder
from tests.parking_api.recorded.city import START, pin, settle
from tests.parking_api.recorded.recording import Recorder, differences, recorded, write
from tests.parking_api.recorded.walk import CHAPTERS, Walk, away, slow, starting
from tests.parking_api.serving import serving
from tests.servers import Databases

# What the walk has left in the database: everything that people have decided, and its audit.
TABLES = {
    "audit_entry": "entry_id, at, person_id, action, subject, before, after, reason",
    "zone": "zone_id, name_zh, name_en, zone_class, valid_from, valid_to, st_astext(geom)",
    "zone_draft": "*",
    "tariff": "*",
    "tariff_version": "*",
    "tariff_effect": "*",
    "price_control": "*",
    "city_calendar": "*",
    "price_mechanism": "*",
    "price_mechanism_target": "*",
    "mechanism_review": "*",
    "person": "*",
    "api_key": "key_id, person_id, created_at, expires_at, revoked_at, last_used_at, replaced_by",
    "lot": "lot_id, zone_id",
}
MOST_SHOWN = 40


async def test_answers_are_as_recorded(
    databases: Databases, database_url: str, built: Builder
) -> None:
    await pin(built)
    people = await settle(built)
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
        walk = Walk(recorder, built, tell)
        for chapter in CHAPTERS:
            recorder.chapter = chapter.__name__
            await chapter(walk)
        await _keep_tables(recorder, built)
    await walk.turn(START)
    recorder.chapter = "slow"
    async with serving(database_url, clock, query_timeout_s=0.3) as recorder.api:
        await slow(walk)
    recorder.chapter = "away"
    async with serving(database_url, clock) as recorder.api:
        await built.connection.close()
        await databases.drop(database_url)
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


def test_every_route_has_been_recorded() -> None:
    """Each operation has an answer that is no refusal, and each that is for some has a refusal."""
    chapters = recorded()
    operations = chapters["whole"]["operations"]
    answered: dict[str, set[int]] = {one: set() for one in operations}
    for known in chapters.values():
        for kept in known.values():
            if kept.get("route") in answered:
                answered[kept["route"]].add(kept["status"])
    lacking = [one for one, statuses in answered.items() if not statuses & {200, 201, 204}]
    assert lacking == []
