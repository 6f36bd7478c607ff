"""FastAPI with Redis: GEOSEARCH within 2 km, 20 at most, then HMGET of what is found.

Environment: `PEER_REDIS`, its URL. `geo` has the places of lots, `lots` each one's JSON.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

import orjson
from fastapi import FastAPI, Response
from redis.asyncio import Redis

_FOUND = 20
_REACH_M = 2000


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with Redis.from_url(os.environ["PEER_REDIS"]) as redis:
        app.state.redis = redis
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/v1/nearest")
async def nearest(lon: float, lat: float, limit: int = 10) -> Response:
    """Find lots with free spaces, nearest first."""
    redis: Redis = app.state.redis
    near = await redis.geosearch(
        "geo",
        longitude=lon,
        latitude=lat,
        radius=_REACH_M,
        unit="m",
        sort="ASC",
        count=_FOUND,
        withdist=True,
    )
    # With `withdist` it gives pairs; its types know of more.
    found = cast("list[tuple[bytes, float]]", near)
    lots = []
    if found:
        texts = cast("list[bytes]", await redis.hmget("lots", [lot_id for lot_id, _ in found]))
        for (_, distance_m), text in zip(found, texts, strict=True):
            lot = orjson.loads(text)
            if lot["free_spaces"]:
                lots.append(lot | {"distance_m": round(distance_m, 3)})
    body = orjson.dumps({"lots": lots[:limit], "as_of": datetime.now(UTC)})
    return Response(body, media_type="application/json")
