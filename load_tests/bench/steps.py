"""What the steps of an answer of `/v1/nearest` cost, inside a process: microseconds of a core."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import process_time
from typing import Final

from load_tests.bench.city import City
from load_tests.bench.results import Part, figure
from load_tests.peers.memory import memory
from parking_api.city.distances import distances_m
from parking_api.city.search import Near, Wanted, nearest_lots
from parking_api.city.states import micros
from parking_api.hot_routes import read_query
from parking_api.lots.models import NearestLotsAsk
from parking_api.lots.writing import Writer

_WANTED: Final = Wanted()


def steps(city: City) -> Part:
    """Measure the steps; each alone, on all questions, so that what it needs is in the caches."""
    queries = [path.partition("?")[2] for path in city.paths("/v1/nearest").read_text().split()]
    part = Part("steps of /v1/nearest")
    found = asyncio.run(_measured(city, [query.encode() for query in queries]))
    for name, rounds in found.items():
        key = f"step_{name.replace(' ', '_')}"
        part.figures.append(figure(key, name, rounds, unit="us"))
    return part


async def _measured(city: City, queries: Sequence[bytes]) -> dict[str, list[float]]:
    async with memory(city.target.database_url) as (copy, prices):
        writer, table, now = Writer(copy, prices), copy.table, datetime.now(UTC)
        at = micros(now)
        asks = [NearestLotsAsk.model_validate(read_query(NearestLotsAsk, one)) for one in queries]
        nears = [Near(ask.lon, ask.lat, ask.radius_m, ask.limit) for ask in asks]
        found = [nearest_lots(table, near, _WANTED, at).indices for near in nears]
        pairs = [
            (near.lon, near.lat, table.lons[some], table.lats[some])
            for near, some in zip(nears, found, strict=True)
        ]
        measures: dict[str, Callable[[], object]] = {
            "the query is read": lambda: [read_query(NearestLotsAsk, one) for one in queries],
            "the lots are found": lambda: [nearest_lots(table, one, _WANTED, at) for one in nears],
            "of which exact distances": lambda: [distances_m(*pair) for pair in pairs],
            "found, priced and written": lambda: [
                writer.nearest(ask, now, degraded=False) for ask in asks
            ],
        }
        gc.freeze()
        for run in measures.values():
            run()
        return {
            name: [_us(run, len(queries)) for _ in range(city.rounds)]
            for name, run in measures.items()
        }


def _us(run: Callable[[], object], number: int) -> float:
    before = process_time()
    run()
    return (process_time() - before) * 1e6 / number
