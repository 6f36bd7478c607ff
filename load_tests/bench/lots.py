"""`/v1/nearest` against what someone could pick instead."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from load_tests.bench.alike import compare
from load_tests.bench.city import OURS, City
from load_tests.bench.results import Goal, Part
from load_tests.bench.servers import Contender, body, peer, redis_server
from load_tests.peers import tables

_REDIS: Final = "FastAPI + Redis"
_KNN: Final = "FastAPI + asyncpg KNN"
_CONSTANT: Final = "Starlette, constant"
_IDIOMATIC: Final = "idiomatic FastAPI, same memory"
_RATIOS: Final = (
    ("nearest_redis", _REDIS, Goal(3, 4)),
    ("nearest_knn", _KNN, Goal(3.5, 5)),
    ("nearest_constant", _CONSTANT, Goal(0.35, 0.6)),
    ("nearest_idiomatic", _IDIOMATIC, Goal(3)),
)


def nearest_lots(city: City) -> Part:
    """Measure `/v1/nearest`, ten lots with prices, and the peers."""
    asked = city.paths("/v1/nearest")
    # The peers know no opening hours.
    listed = [lot for lot in city.listed() if lot["status"] != "closed"]
    paths = asked.read_text().split()
    database, logs = {"PEER_DATABASE": city.target.database_url}, city.reports
    with ExitStack() as stack:
        url, redis = stack.enter_context(redis_server(logs))
        tables.fill_redis(url, listed)
        asyncio.run(tables.fill_lots(city.owner_url, listed))
        constant = logs / "constant.json"
        constant.write_bytes(_middling(city.api, paths))
        peers = (
            (_REDIS, "geo_redis", {"PEER_REDIS": url}),
            (_KNN, "knn", database),
            (_CONSTANT, "constant", {"PEER_BODY": str(constant)}),
            (_IDIOMATIC, "idiomatic", database),
        )
        started = [stack.enter_context(peer(*one, logs)) for one in peers]
        for one in started:
            if one.name != _CONSTANT:
                compare(city.api, one, paths, "lots")
        duel = city.turns(redis=redis).measure([city.api, *started], asked)
    part = Part("/v1/nearest")
    for key, name, goal in _RATIOS:
        part.figures.append(duel.ratio(key, OURS, name, f"/v1/nearest / {name}", goal))
    for key, name in (("nearest", OURS), *((f"{key}_peer", name) for key, name, _ in _RATIOS)):
        part.figures.append(duel.speed(key, name, f"{name}, answers a second"))
    part.runs += [run.as_dict() for run in duel.runs]
    return part


def _middling(api: Contender, paths: Sequence[str]) -> bytes:
    """Return an answer of the middle length."""
    bodies = sorted((body(api, path) for path in paths[:99]), key=len)
    return bodies[len(bodies) // 2]
