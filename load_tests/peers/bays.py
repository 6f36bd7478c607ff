"""FastAPI with asyncpg: the ten nearest free bays by `<->` on one flat table of bays.

The index, in projected metres, holds the free ones alone. Environment: `PEER_DATABASE`, its URL.
`peers.bay` is made by `load_tests.peers.tables`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import orjson
from fastapi import FastAPI, Response

_NEAREST = """
SELECT b.*, b.geom <-> here.geom AS distance_m
FROM peers.bay AS b,
    (SELECT st_transform(st_setsrid(st_makepoint($1, $2), 4326), 32651) AS geom) AS here
WHERE b.is_free
ORDER BY b.geom <-> here.geom
LIMIT $3
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["PEER_DATABASE"]) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/v1/spaces/nearest")
async def nearest_spaces(lon: float, lat: float, limit: int = 10) -> Response:
    """Find single free bays, nearest first."""
    rows = await app.state.pool.fetch(_NEAREST, lon, lat, limit)
    spaces = [
        {
            "space_id": row["space_id"],
            "lot_id": row["lot_id"],
            "number": row["number"],
            "level": row["level"],
            "space_class": row["space_class"],
            "location": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
            "distance_m": round(row["distance_m"], 3),
            "observed_at": row["observed_at"],
        }
        for row in rows
    ]
    body = orjson.dumps({"spaces": spaces, "as_of": datetime.now(UTC)})
    return Response(body, media_type="application/json")
