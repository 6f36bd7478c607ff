"""The stages for real, for a moment each: real broker, ingester, database, API and Locust."""

import asyncio

from load_tests import stages
from load_tests.kinds import LOT, NEAREST
from load_tests.plan import Mix
from load_tests.stages import Session

MIX = Mix(
    nearest_per_s=30.0,
    follow_share=0.5,
    observations_per_s=100.0,
    bays_per_message=4,
    city_every_s=0.5,
)


async def test_the_mix_is_answered_rightly_and_counted(session: Session) -> None:
    stage = await asyncio.to_thread(stages.mixed, session, MIX, 3.0)
    assert stage.failures == []
    kinds = set(stage.samples.by_kind)
    assert {f"GET {NEAREST}", f"GET {LOT}", "GET /v1/city", "ACK spaces"} <= kinds
    nearest = stage.samples.figures(f"GET {NEAREST}", stage.length_s)
    assert nearest is not None
    assert 15 < nearest.per_s < 50
    assert stage.ingested is not None
    assert 40 < stage.ingested.observations_per_s < 200
    assert (session.reports / "mixed" / "report.html").stat().st_size > 10_000
    assert not (session.reports / "mixed" / "plan.json").exists()


async def test_freshness_is_measured_for_each_marked_change(session: Session) -> None:
    stage = await asyncio.to_thread(stages.freshness, session, MIX, 10, 20.0)
    assert stage.failures == []
    fresh = {kind: len(pair[0]) for kind, pair in stage.samples.by_kind.items() if "FRESH" in kind}
    assert sorted(fresh.values()) == [5, 5]


async def test_what_is_acked_is_counted_and_stored(session: Session) -> None:
    stage = await asyncio.to_thread(stages.ingest, session, 400.0, 4, 2.0)
    assert stage.failures == []
    acked, counted, stored = (part.split()[0] for part in stage.notes[0].split(", "))
    assert acked == counted == stored
    assert int(acked.replace(",", "")) > 200
