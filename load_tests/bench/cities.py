"""Ten cities in one database against one city: import, start, memory, questions, reloads."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

from load_tests.bench.asking import BenchError, ask
from load_tests.bench.city import PLACES, City, api_settings
from load_tests.bench.latency import asked_at
from load_tests.bench.moved import move_city
from load_tests.bench.results import Figure, Goal, Part, figure
from load_tests.bench.servers import Contender, api
from load_tests.machine import with_children
from sql.engine import connected
from sql.migrate import upgrade

_ONE, _ALL = "one city", "all cities"
_DATABASE: Final = "onelot_cities"
# Away from the first city, and each from the other: none is 200 km wide.
_DEGREES_WEST: Final = 2.0
_SLOWER: Final = Goal(1.5, is_most=True)
_READ_S: Final = Goal(2, is_most=True)
_MB: Final = Goal(250, is_most=True)
_STOP_MS: Final = Goal(5, is_most=True)
_STARTS: Final = 3
_SATURATION_S: Final = 2.0
# Of what can be answered at most, so much is asked.
_SHARE: Final = 0.5
_RELOADS_WITHIN_S: Final = 180.0


@dataclass(frozen=True)
class _Side:
    """One city, or all: where its database is, and as whom its API follows the broker."""

    name: str
    owner_url: str
    settings: Mapping[str, str]


def ten_cities(city: City) -> Part:
    """Measure what further cities cost, each like the first, in a database of their own.

    The broker is the first city's, and so is what comes from it: both APIs follow that.
    """
    part = Part(f"{city.cities} cities in one database")
    one = _Side(_ONE, city.owner_url, api_settings(city.target, "platform-api-12"))
    both = one, _all_cities(city, one)
    part.figures.append(_imported(city, both[1], part))
    reports = city.reports / "cities"
    reports.mkdir()
    starts: dict[str, list[float]] = {side.name: [] for side in both}
    for side in both * (min(city.rounds, _STARTS) - 1):
        with _started(side, reports, starts[side.name]):
            pass
    with ExitStack() as stack:
        apis = [stack.enter_context(_started(side, reports, starts[side.name])) for side in both]
        part.figures[:0] = _questions(city, apis, reports, part)
        for side, server in zip(both, apis, strict=True):
            what = f"{side.name}: start, until it answers"
            part.figures += [
                figure(_key("start", side), what, starts[side.name], unit="s"),
                _memory(side, server, _MB if side is one else None),
            ]
    for side in both:
        part.figures += _readings(side, city.seconds, part, _READ_S if side is one else None)
    return part


def _key(what: str, side: _Side) -> str:
    return f"cities_{what}_{'one' if side.name == _ONE else 'all'}"


def _all_cities(city: City, one: _Side) -> _Side:
    owner_url, url = (
        urlsplit(each)._replace(path=_DATABASE).geturl()
        for each in (city.owner_url, city.target.database_url)
    )
    settings = {**api_settings(city.target, "platform-api-13"), "DATABASE_URL": url}
    return _Side(_ALL, owner_url, {**one.settings, **settings})


def _imported(city: City, side: _Side, part: Part) -> Figure:
    """Make the database, and import one city after another; then their states."""
    asyncio.run(_create(city))
    upgrade(side.owner_url, "head")
    taken: list[float] = []
    with TemporaryDirectory(prefix="onelot-cities-", dir=city.target.directory) as name:
        for number in range(city.cities):
            directory = city.target.directory / "city"
            if number:
                directory = Path(name) / str(number)
                source, east = city.target.directory / "city", -_DEGREES_WEST * number
                move_city(source, directory, _prefix(number), east)
            began_s = time.perf_counter()
            command = [sys.executable, "-m", "parking_api", "import", str(directory)]
            environment = {**os.environ, "DATABASE_URL": side.settings["DATABASE_URL"]}
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise BenchError(f"the import of city {number}: {done.stdout}{done.stderr}")
            taken.append(time.perf_counter() - began_s)
    lots, bays = asyncio.run(_copy_states(city, side))
    part.notes.append(f"{lots:,} lots, {bays:,} bays, in {city.cities} cities")
    note = f"all, one after another: {sum(taken):.0f} s"
    return figure("cities_import", "import of a city", taken, unit="s", note=note)


def _prefix(number: int) -> str:
    return f"c{number}-" if number else ""


async def _create(city: City) -> None:
    at = urlsplit(city.owner_url)
    superuser = (
        f"postgresql://postgres:{city.secrets['database_superuser']}@{at.hostname}:{at.port}"
    )
    async with connected(f"{superuser}/postgres", "bench") as db:
        await db.execute(f"CREATE DATABASE {_DATABASE} OWNER onelot")
    async with connected(f"{superuser}/{_DATABASE}", "bench") as db:
        await db.execute("CREATE EXTENSION postgis")


async def _copy_states(city: City, side: _Side) -> tuple[int, int]:
    """Give each city's lots the states that the first one's have; return all lots and bays.

    By SQL: what an ingester does is measured elsewhere, and ten cities' gateways would take longer
    than all that is measured here.
    """
    async with (
        connected(city.owner_url, "bench") as source,
        connected(side.owner_url, "bench") as target,
    ):
        states = [dict(row) for row in await source.fetch("SELECT * FROM lot_state")]
        for number in range(city.cities):
            prefix = _prefix(number)
            records = [
                tuple((each | {"lot_id": prefix + each["lot_id"]}).values()) for each in states
            ]
            await target.copy_records_to_table("lot_state", records=records, columns=[*states[0]])
        await target.execute("ANALYZE lot_state")
        lots = await target.fetchval("SELECT count(*) FROM lot")
        return int(lots), int(await target.fetchval("SELECT sum(capacity) FROM lot"))


@contextmanager
def _started(side: _Side, reports: Path, taken: list[float]) -> Iterator[Contender]:
    """Run an API; note the seconds until it has read everything and answers."""
    began_s = time.perf_counter()
    # /readyz waits for an ingester, which all cities together have none of.
    with api(side.name, side.settings, reports, ready="/v1/city") as server:
        taken.append(time.perf_counter() - began_s)
        yield server


def _memory(side: _Side, server: Contender, goal: Goal | None) -> Figure:
    sizes = [process.memory_full_info() for process in with_children(server.pid)]
    rss, pss = max(each.rss for each in sizes), sum(each.pss for each in sizes)
    note = f"with the process that starts it, shared pages once: {pss / 1e6:.0f} MB"
    what = f"{side.name}: memory of the process (RSS)"
    return figure(_key("rss", side), what, [rss / 1e6], unit="MB", goal=goal, note=note)


def _questions(city: City, apis: list[Contender], reports: Path, part: Part) -> list[Figure]:
    """Ask both in turns, in an open loop at half of what one can answer, near their own lots."""
    several = replace(city, target=replace(city.target, http=apis[1].url), reports=reports)
    paths = {
        _ONE: city.paths("/v1/nearest"),
        _ALL: several.paths("/v1/nearest", PLACES * city.cities),
    }
    most = min(ask(each.url, paths[each.name], _SATURATION_S).per_s for each in apis)
    # Runs so short are a trial, beside other tests.
    share = _SHARE if city.seconds > 1 else _SHARE / 10
    part.notes.append(f"questions: {share * most:,.0f}/s, {share:g} of what 16 connections got")
    p99_ms: dict[str, list[float]] = {_ONE: [], _ALL: []}
    for number in range(city.rounds):
        for each in apis if number % 2 else apis[::-1]:
            found = asked_at(each, paths[each.name], share * most, city.seconds)
            p99_ms[each.name].append(found["p99_ms"])
            part.runs.append({"cities": each.name, "round": number, **found})
    ratios = [several / one for one, several in zip(p99_ms[_ONE], p99_ms[_ALL], strict=True)]
    what = "`/v1/nearest` p99"
    return [
        figure("cities_ratio", f"{what}, {city.cities} cities / one", ratios, goal=_SLOWER),
        figure("cities_p99_one", f"{what}, one city", p99_ms[_ONE], unit="ms"),
        figure("cities_p99_all", f"{what}, {city.cities} cities", p99_ms[_ALL], unit="ms"),
    ]


def _readings(side: _Side, seconds: float, part: Part, most: Goal | None) -> list[Figure]:
    """Measure the first reading, and the loop's longest stop while all is read again."""
    command = [sys.executable, "-m", "load_tests.bench.reloads", "--seconds", str(seconds)]
    environment = {**os.environ, **side.settings, "OWNER_DATABASE_URL": side.owner_url}
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_RELOADS_WITHIN_S,
    )
    if done.returncode:
        raise BenchError(f"reloads, {side.name}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    part.runs.append({"cities": side.name, **found})
    note = (
        f"{found['reload_wall_ms']:.1f} ms with what the machine gave to others; "
        f"while nothing is read {found['still_ms']:.1f} ms; "
        f"{found['renamed_s']:.1f} s from a change to the table that has it"
    )
    stop, read = (
        f"{side.name}: {what}"
        for what in (
            "longest stop of the loop at a reload",
            "all is read, from the start of the app",
        )
    )
    return [
        figure(_key("read", side), read, [found["read_s"]], unit="s", goal=most),
        figure(_key("stop", side), stop, [found["reload_ms"]], unit="ms", goal=_STOP_MS, note=note),
    ]
