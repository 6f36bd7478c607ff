"""The API's `/v1/nearest` as FastAPI's documentation would have it, from the same memory.

A function that returns its answer as objects, which FastAPI checks against the response model and
serialises. Environment: `PEER_DATABASE`, from which it reads the city and the tariffs.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Query

from load_tests.peers.memory import memory
from parking_api.city.search import Near, Wanted, nearest_lots
from parking_api.city.states import micros
from parking_api.lots.models import NearestLots, NearestLotsAsk
from parking_api.lots.service import closing, nearest_lot, stay_answer


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with memory(os.environ["PEER_DATABASE"]) as (app.state.city, app.state.prices):
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/v1/nearest", response_model=NearestLots, response_model_exclude_unset=True)
async def nearest(ask: Annotated[NearestLotsAsk, Query()]) -> dict[str, Any]:
    """Find lots with free spaces, nearest first."""
    city, now = app.state.city, datetime.now(UTC)
    stay, at = ask.stay(now), micros(now)
    near = Near(ask.lon, ask.lat, ask.radius_m, ask.limit)
    wanted = Wanted(ask.min_free, ask.space_class, ask.height_m)
    lots = []
    found = nearest_lots(city.table, near, wanted, at)
    for index, distance_m in zip(found.indices, found.distances_m.tolist(), strict=True):
        lot = city.table.lots[index]
        answer = nearest_lot(city.table.at(lot, at), distance_m) | closing(lot.facts, stay)
        lots.append(answer | {"quote": app.state.prices.glance(lot.facts.lot_id, stay)})
    return {"lots": lots, "stay": stay_answer(stay), "as_of": city.as_of, "degraded": False}
