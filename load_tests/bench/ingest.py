"""Durable ingest beside raw COPY of the same rows, and how soon a whole city is known again."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from time import perf_counter
from typing import Final

from load_tests.bench.asking import BenchError
from load_tests.bench.city import City
from load_tests.bench.results import Goal, Part, figure
from load_tests.kinds import APPLIED
from load_tests.machine import Usage
from load_tests.plan import Mix
from load_tests.publisher import Publisher
from load_tests.samples import Recorder
from load_tests.stages import Session
from sql.engine import connected

_BAYS: Final = 64
# Messages that a gateway has under way; there is one gateway an operator.
_UNDER_WAY: Final = 16
_WITHIN_S: Final = 120.0
_TICK_S: Final = 0.002
_ROWS: Final = "SELECT * FROM space_event WHERE received_at >= $1"
# The table of the history, with the same index.
_EMPTY: Final = """
CREATE SCHEMA IF NOT EXISTS peers;
DROP TABLE IF EXISTS peers.event;
CREATE TABLE peers.event (LIKE space_event INCLUDING DEFAULTS);
CREATE INDEX ON peers.event (lot_id, received_at);
"""


def ingest(city: City) -> Part:
    """Measure with the simulator aside: the load plays its gateways."""
    part = Part("ingest")
    with city.simulator_aside():
        session = Session(city.target, tuple(city.lots), city.reports, drives_all=True, seed=1)
        publishers = _publishers(session)
        _against_copy(city, publishers, part)
        _resync(city, publishers, part)
        for one in publishers:
            one.close(perf_counter() + _WITHIN_S)
    problems = sum((one.problems for one in publishers), Counter())
    part.notes += [f"{problem}: {times} times" for problem, times in problems.items() if times]
    return part


def _publishers(session: Session) -> list[Publisher]:
    """Connect all gateways, and report every lot's state."""
    plan = session.plan(Mix(), 0.0, session.operators())
    made = [Publisher(plan, one, Recorder()) for one in plan.gateways]
    for one in made:
        one.open(perf_counter() + _WITHIN_S)
    return made


def _against_copy(city: City, publishers: Sequence[Publisher], part: Part) -> None:
    acked, copied = [], []
    for _ in range(city.rounds):
        before, began_s = Usage.now(city.target.processes), time.time()
        acked.append(_acked_per_s(publishers, max(city.seconds, 1.0)))
        cores = Usage.now(city.target.processes).cores_since(before)
        copied.append(asyncio.run(_copied_per_s(city.owner_url, began_s)))
        used = ", ".join(f"{name} {share:.2f}" for name, share in cores.items())
        part.notes.append(f"{acked[-1]:,.0f} observations/s acked: cores: {used}")
    ratios = [one / two for one, two in zip(acked, copied, strict=True)]
    what = "acked observations a second, 64 bays a message"
    part.figures += [
        figure("ingest_copy", "durable ingest / COPY", ratios, goal=Goal(0.5)),
        figure("ingest", what, acked, unit="observations/s", goal=Goal(100_000)),
        figure("copy", "COPY of the same rows, one statement", copied, unit="observations/s"),
    ]


def _acked_per_s(publishers: Sequence[Publisher], seconds: float) -> float:
    """Keep a number of messages under way for some time, then wait for the last acks.

    Raises:
        BenchError: Nothing is acked.
    """

    def acked() -> int:
        return sum(one.counted[f"{APPLIED}, spaces"] for one in publishers)

    before, began = acked(), perf_counter()
    while perf_counter() < began + seconds:
        idle = [one for one in publishers if one.feed.in_flight < _UNDER_WAY]
        for one in idle:
            one.change(_BAYS, perf_counter())
        if not idle:
            time.sleep(_TICK_S)
    _await_acks(publishers)
    if acked() == before:
        raise BenchError("nothing was acked")
    return (acked() - before) / (perf_counter() - began)


def _await_acks(publishers: Sequence[Publisher]) -> None:
    deadline = perf_counter() + _WITHIN_S
    while any(one.feed.in_flight for one in publishers):
        if perf_counter() > deadline:
            raise BenchError("acks do not come")
        time.sleep(_TICK_S)


async def _copied_per_s(owner_url: str, began_s: float) -> float:
    """Copy the rows that were received since a Unix second into an empty table, indexed alike."""
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)

    async with connected(owner_url, application="peers") as db:
        await db.execute(_EMPTY)
        began_at = datetime.fromtimestamp(began_s, UTC)
        await db.copy_from_query(_ROWS, began_at, output=take, format="binary")
        source = BytesIO(b"".join(parts))
        began = perf_counter()
        await db.copy_to_table("event", schema_name="peers", source=source, format="binary")
        passed_s = perf_counter() - began
        rows = int(await db.fetchval("SELECT count(*) FROM peers.event"))
    return rows / passed_s


def _resync(city: City, publishers: Sequence[Publisher], part: Part) -> None:
    """Let all gateways report every lot's whole state at once, as after a broker's failure."""
    passed_s = []
    for _ in range(city.rounds):
        began = perf_counter()
        for one in publishers:
            for message in one.feed.opening(perf_counter):
                one.publish(message)
        _await_acks(publishers)
        passed_s.append(perf_counter() - began)
    what = f"resync of {len(city.lots):,} lots, first publish to last ack"
    part.figures.append(figure("resync", what, passed_s, unit="s", goal=Goal(2, is_most=True)))
