"""The scenarios for real, for a moment each; and that every bay is afterwards as it was."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace

import asyncpg
import pytest

from load_tests import report, scenarios, stages
from load_tests.kinds import HELD_PER_S, NEAREST, RESYNC
from load_tests.plan import Mix
from load_tests.stages import Session, Stage
from load_tests.watching import with_states

MIX = Mix(
    nearest_per_s=20.0,
    follow_share=0.5,
    observations_per_s=100.0,
    bays_per_message=4,
    city_every_s=0.5,
    count_share=0.1,
)
States = dict[str, tuple[int, bytes | None]]


async def states(session: Session) -> States:
    """Free spaces and bays of each lot, as committed."""
    db = await asyncpg.connect(session.target.database_url)
    rows = await db.fetch("SELECT lot_id, free_spaces, occupied_bits FROM lot_state")
    await db.close()
    return {row["lot_id"]: (row["free_spaces"], row["occupied_bits"]) for row in rows}


@pytest.fixture
async def session(session: Session) -> Session:
    """The session once each of its lots has a state, half of the bays occupied."""
    db = await asyncpg.connect(session.target.database_url)
    await db.execute("""
        INSERT INTO lot_state (
            lot_id, epoch, seq, version, capacity, free_spaces, unknown_spaces, occupied_bits,
            unknown_bits, free_standard, free_accessible, free_ev, free_large, observed_at,
            received_at, committed_at, history_at
        )
        SELECT lot_id, 1, 1, 1, capacity, capacity / 2, 0,
            CASE WHEN reporting = 'bays' THEN '\\x5555555555'::bytea END,
            CASE WHEN reporting = 'bays' THEN '\\x0000000000'::bytea END,
            CASE WHEN reporting = 'bays' THEN 18 END, CASE WHEN reporting = 'bays' THEN 0 END,
            CASE WHEN reporting = 'bays' THEN 2 END, CASE WHEN reporting = 'bays' THEN 0 END,
            now(), now(), now(), now()
        FROM lot
        ON CONFLICT (lot_id) DO NOTHING
    """)
    await db.close()
    return replace(session, lots=await with_states(session.lots, session.target.database_url))


def played(stage: Stage) -> tuple[int, int]:
    """How many drivers' questions were answered, and how many reports were applied."""
    questions = stage.samples.figures(f"GET {NEAREST}", stage.length_s)
    assert questions is not None
    applied = sum(n for name, n in stage.counted.items() if name.startswith("messages applied"))
    return questions.number, applied


@pytest.mark.parametrize(
    "run",
    [
        lambda session: stages.mixed(session, MIX, 3.0),
        lambda session: stages.freshness(session, MIX, 5, 20.0),
        lambda session: stages.ingest(session, 200.0, 4, 2.0),
        lambda session: scenarios.morning_peak(session, MIX, 5.0),
    ],
    ids=["mixed", "freshness", "ingest", "morning"],
)
async def test_every_bay_is_afterwards_as_it_was(
    session: Session, run: Callable[[Session], Stage]
) -> None:
    before = await states(session)
    stage = await asyncio.to_thread(run, session)
    assert stage.failures == []
    assert sum(stage.counted.values()) > 0
    assert await states(session) == before


async def test_a_load_that_is_interrupted_puts_the_bays_back(session: Session) -> None:
    before = await states(session)
    plan = session.plan(replace(MIX, observations_per_s=400.0), 600.0, session.operators())

    def interrupted() -> None:
        with stages.engine("publisher", plan, session.reports / "cut") as made:
            made.send()
            while asyncio.run(states(session)) == before:
                pass
            os.kill(made.process.pid, signal.SIGINT)
            made.finish(60.0)

    await asyncio.to_thread(interrupted)
    assert await states(session) == before


async def test_a_crowd_asks_at_one_place(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "CROWD_PER_S", 60.0)
    stage = await asyncio.to_thread(scenarios.burst, session, MIX, 5.0)
    assert stage.failures == []
    # The everyday's are a hundred in five seconds, the crowd's twice as many more.
    assert played(stage)[0] > 150


async def test_the_ramp_says_what_was_held(session: Session) -> None:
    stage = await asyncio.to_thread(scenarios.ramp, session, MIX, 14.0)
    assert stage.notes
    assert stage.notes[0].startswith("200 drivers' questions/s wanted")
    assert stage.counted[HELD_PER_S] >= 0
    (served,) = report.goals([stage])
    assert served.name.startswith("drivers served")
    assert "12 questions an hour" in served.measured


async def test_all_gateways_come_back_in_a_storm(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenarios, "STORM_EVERY_S", 0.5)
    before = await states(session)
    stage = await asyncio.to_thread(scenarios.storm, session, MIX, 3.0)
    assert stage.failures == []
    questions, applied = played(stage)
    assert questions > 10
    # Each of the nine lots at the start, and at least once more.
    assert applied >= 18
    assert RESYNC in stage.samples.by_kind
    (answers, resync) = report.goals([stage])
    assert answers.name.startswith("storm: /v1/nearest")
    assert resync.target == "2 s"
    assert await states(session) == before
