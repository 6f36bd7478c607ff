"""`/v1/spaces/nearest` against a flat table of bays, with many free and with few."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Final

import httpx

from load_tests.bench.alike import compare
from load_tests.bench.city import OURS, City, until
from load_tests.bench.results import Goal, Part
from load_tests.bench.servers import peer
from load_tests.peers import tables
from load_tests.plan import Mix, Plan, operators_gateways
from load_tests.publisher import Publisher
from load_tests.samples import Recorder

_PEER: Final = "FastAPI + asyncpg, free bays"
_GOAL: Final = Goal(2, 3)
_SCARCE: Final = 0.005
_ACKED_WITHIN_S: Final = 60.0


def nearest_bays(city: City) -> Part:
    """Measure `/v1/spaces/nearest`, ten bays, as the simulator has left it and at 0.5 % free."""
    part = Part("/v1/spaces/nearest")
    # Standing still: the peer's table is of one moment.
    with city.simulator_aside():
        _measure(city, part, "demo")
        _fill(city, _SCARCE)
        _measure(city, part, "scarce")
    return part


def _measure(city: City, part: Part, state: str) -> None:
    bays, free = asyncio.run(tables.fill_bays(city.owner_url))
    share = f"{free / bays:.1%} free"
    asked = city.paths("/v1/spaces/nearest")
    database = {"PEER_DATABASE": city.target.database_url}
    with peer(_PEER, "bays", database, city.reports) as other:
        compare(city.api, other, asked.read_text().split(), "spaces")
        duel = city.turns().measure([city.api, other], asked)
    part.figures += [
        duel.ratio(f"spaces_{state}", OURS, _PEER, f"/v1/spaces/nearest / {_PEER}, {share}", _GOAL),
        duel.speed(f"spaces_{state}_ours", OURS, f"{OURS}, {share}"),
        duel.speed(f"spaces_{state}_peer", _PEER, f"{_PEER}, {share}"),
    ]
    part.runs += [{"state": state, "free": free / bays, **run.as_dict()} for run in duel.runs]


def _fill(city: City, free: float) -> None:
    """Let all gateways report that so small a share of their bays is free."""
    gateways = operators_gateways(city.target, tuple(city.lots), simulated=True)
    plan = Plan(city.target.http, city.target.mqtt, Mix(), 0.0, 0.0, tuple(city.lots), (), 1)
    plan = replace(plan, gateways=tuple(gateways))
    publishers: Sequence[Publisher] = [
        Publisher(plan, one, Recorder(), busy=1 - free) for one in gateways
    ]
    deadline = perf_counter() + _ACKED_WITHIN_S
    for one in publishers:
        one.open(deadline)
    for one in publishers:
        one.close(deadline)
    # The API follows each commit; the database has them all.
    until(lambda: _free_spaces(city) == _free_spaces(city, "database"), "what gateways report")


def _free_spaces(city: City, source: str = "memory") -> int:
    with httpx.Client(base_url=city.target.http, trust_env=False, timeout=30.0) as client:
        answer = client.get("/v1/city", params={"source": source}).raise_for_status().json()
        return int(answer["free_spaces"])
