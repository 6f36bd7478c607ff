"""FastAPI with asyncpg: the ten nearest by `<->` on a flat table, whose index is in metres.

Environment: `PEER_DATABASE`, its URL. `peers.lot` is made by `load_tests.peers.tables`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import orjson
from fastapi import FastAPI, Response

_NEAREST = """
SELECT l.*, l.geom <-> here.geom AS distance_m
FROM peers.lot AS l,
    (SELECT st_transform(st_setsrid(st_makepoint($1, $2), 4326), 32651) AS geom) AS here
WHERE l.free_spaces > 0
ORDER BY l.geom <-> here.geom
LIMIT $3
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["PEER_DATABASE"]) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/v1/nearest")
async def nearest(lon: float, lat: float, limit: int = 10) -> Response:
    """Find lots with free spaces, nearest first."""
    rows = await app.state.pool.fetch(_NEAREST, lon, lat, limit)
    lots = [
        {
            "lot_id": row["lot_id"],
            "name": {"zh": row["name_zh"], "en": row["name_en"]},
            "lot_type": row["lot_type"],
            "location": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
            "distance_m": round(row["distance_m"], 3),
            "capacity": row["capacity"],
            "free_spaces": row["free_spaces"],
            "unknown_spaces": row["unknown_spaces"],
            "status": row["status"],
            "data_state": row["data_state"],
            "observed_at": row["observed_at"],
            "age_s": row["age_s"],
            "zone_id": row["zone_id"],
            "quote": orjson.Fragment(row["quote"]),
        }
        for row in rows
    ]
    body = orjson.dumps({"lots": lots, "as_of": datetime.now(UTC)})
    return Response(body, media_type="application/json")
