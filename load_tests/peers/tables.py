"""Fills what the peers answer from: flat tables in the city's database, and Redis."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from redis import Redis

from sql.engine import Db, connected

_LOTS: Final = """
CREATE SCHEMA IF NOT EXISTS peers;
DROP TABLE IF EXISTS peers.lot;
CREATE TABLE peers.lot (
    lot_id text PRIMARY KEY, name_zh text, name_en text, lot_type text, lon float8, lat float8,
    capacity integer, free_spaces integer, unknown_spaces integer, status text, data_state text,
    observed_at timestamptz, age_s float8, zone_id text, quote text,
    geom geometry(point, 32651)
        GENERATED ALWAYS AS (st_transform(st_setsrid(st_makepoint(lon, lat), 4326), 32651)) STORED
);
CREATE INDEX ON peers.lot USING gist (geom);
GRANT USAGE ON SCHEMA peers TO onelot_app;
GRANT SELECT ON peers.lot TO onelot_app;
"""
_LOT_COLUMNS: Final = (
    *("lot_id", "name_zh", "name_en", "lot_type", "lon", "lat"),
    *("capacity", "free_spaces", "unknown_spaces", "status", "data_state"),
    *("observed_at", "age_s", "zone_id", "quote"),
)
_BAYS: Final = """
CREATE SCHEMA IF NOT EXISTS peers;
DROP TABLE IF EXISTS peers.bay;
CREATE TABLE peers.bay AS
SELECT
    n.lot_id || '-' || lpad(n.number::text, 4, '0') AS space_id, n.lot_id, n.number, n.level,
    n.space_class::text AS space_class, s.observed_at,
    -- Peers know no opening hours.
    n.state = 'free' AND l.status <> 'closed' AS is_free,
    st_x(n.geog::geometry) AS lon, st_y(n.geog::geometry) AS lat,
    st_transform(n.geog::geometry, 32651)::geometry(point, 32651) AS geom
FROM space_now AS n JOIN lot_state AS s USING (lot_id) JOIN lot_now AS l USING (lot_id);
ALTER TABLE peers.bay ADD PRIMARY KEY (lot_id, number);
CREATE INDEX ON peers.bay USING gist (geom) WHERE is_free;
GRANT USAGE ON SCHEMA peers TO onelot_app;
GRANT SELECT ON peers.bay TO onelot_app;
"""


async def fill_lots(owner_url: str, lots: Sequence[dict[str, Any]]) -> None:
    """Make `peers.lot` of lots as `/v1/lots` lists them."""
    async with connected(owner_url, application="peers") as db:
        await db.execute(_LOTS)
        rows = [_row(lot) for lot in lots]
        columns, schema = list(_LOT_COLUMNS), "peers"
        await db.copy_records_to_table("lot", records=rows, columns=columns, schema_name=schema)
        await _settle(db, "peers.lot")


async def fill_bays(owner_url: str) -> tuple[int, int]:
    """Make `peers.bay` of the present state; return how many bays there are, and how many free."""
    async with connected(owner_url, application="peers") as db:
        await db.execute(_BAYS)
        await _settle(db, "peers.bay")
        counts = await db.fetchrow(
            "SELECT count(*), count(*) FILTER (WHERE is_free) FROM peers.bay"
        )
        return (0, 0) if counts is None else (counts[0], counts[1])


def fill_redis(url: str, lots: Sequence[dict[str, Any]]) -> None:
    """Put lots, as `/v1/lots` lists them, where the peer looks for them."""
    with Redis.from_url(url) as redis:
        redis.flushall()
        for lot in lots:
            lon, lat = lot["location"]["coordinates"]
            redis.geoadd("geo", (lon, lat, lot["lot_id"]))
            redis.hset("lots", lot["lot_id"], orjson.dumps(_nearest(lot)))


async def _settle(db: Db, table: str) -> None:
    await db.execute(f"VACUUM ANALYZE {table}")


def _nearest(lot: dict[str, Any]) -> dict[str, Any]:
    """Return a lot as `/v1/nearest` tells of it, but for the distance."""
    names = (
        *("lot_id", "name", "lot_type", "location", "capacity", "free_spaces", "unknown_spaces"),
        *("status", "data_state", "observed_at", "age_s", "zone_id", "quote"),
    )
    return {name: lot[name] for name in names}


def _row(lot: dict[str, Any]) -> tuple[Any, ...]:
    lon, lat = lot["location"]["coordinates"]
    observed_at = lot["observed_at"] and datetime.fromisoformat(lot["observed_at"])
    quote = orjson.dumps(lot["quote"]).decode()
    given = {"name_zh": lot["name"]["zh"], "name_en": lot["name"]["en"], "lon": lon, "lat": lat}
    made = {**lot, **given, "observed_at": observed_at, "quote": quote}
    return tuple(made[column] for column in _LOT_COLUMNS)
