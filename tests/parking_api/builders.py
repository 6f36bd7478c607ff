"""A few lots for a test, or a whole city's worth of them, written straight into the tables."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

OCCUPIED_SHARE = 0.85

BIG_REGISTRATION = """
INSERT INTO operator SELECT 'op-' || i, '运营' || i, 'Operator ' || i
FROM generate_series(1, 40) AS i;
INSERT INTO gateway SELECT 'gw-' || i, 'op-' || (1 + i % 40), true
FROM generate_series(1, 200) AS i;
SELECT setseed(0.37);
-- A fifth strewn over the whole of Qingdao's box, the others around its centre.
INSERT INTO lot (
    lot_id, operator_id, gateway_id, name_zh, name_en, lot_type, reporting, report_interval_s,
    capacity, height_limit_m, geog
)
SELECT
    'lot-' || lpad(i::text, 4, '0'), 'op-' || (1 + i % 40), 'gw-' || (1 + i % 200), '车场' || i,
    'Lot ' || i, (array['on_street', 'surface', 'underground', 'multi_storey'])[1 + i % 4],
    CASE WHEN i % 10 < 7 THEN 'bays' ELSE 'count' END, 86400, 20 + (523 * random())::integer,
    CASE WHEN i % 3 = 0 THEN 1.9 END,
    st_point(
        CASE WHEN i % 5 = 0 THEN 119.5 + 1.6 * random()
            ELSE 120.38 + 0.12 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) END,
        CASE WHEN i % 5 = 0 THEN 35.5 + 1.7 * random()
            ELSE 36.12 + 0.1 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) END,
        4326
    )::geography
FROM generate_series(1, $LOTS) AS i;
-- Some share their place with the lot before, some are closed at this hour.
UPDATE lot AS l SET geog = b.geog FROM lot AS b
WHERE l.lot_id LIKE '%7' AND b.lot_id = 'lot-' || lpad((right(l.lot_id, 4)::int - 1)::text, 4, '0')
    AND right(l.lot_id, 4)::int % 5 = 2;
UPDATE lot SET
    opens_at = (now() AT TIME ZONE timezone + interval '2 hours')::time,
    closes_at = (now() AT TIME ZONE timezone + interval '3 hours')::time
WHERE right(lot_id, 4)::int % 23 = 0;
-- Some are closed for a time that is over, that runs, that begins soon or has no end; some are
-- retired.
UPDATE lot AS l SET
    closed_from = now() + c.begins, closed_until = now() + c.ends, closed_reason = c.why
FROM (
    VALUES
    (0, interval '-3 days', interval '-1 day', '检修'),
    (1, interval '-1 day', interval '1 day', '周末检修 "B2"'),
    (2, interval '30 minutes', interval '90 minutes', NULL),
    (3, interval '-1 day', NULL, NULL),
    (4, interval '20 days', NULL, '拆除')
) AS c (kind, begins, ends, why)
WHERE right(l.lot_id, 4)::int % 17 = 0 AND right(l.lot_id, 4)::int / 17 % 5 = c.kind;
UPDATE lot SET retired_at = now() - interval '1 day' WHERE right(lot_id, 4)::int % 41 = 0;
"""

# On two levels that lie one above the other, 2.5 m by 5 m a bay.
BIG_BAYS = """
INSERT INTO space
SELECT
    lot_id, n, -(n % 2),
    (array['standard', 'standard', 'standard', 'standard', 'standard', 'standard', 'standard',
        'accessible', 'ev', 'large'])[1 + n / 2 % 10],
    st_point(
        st_x(geog::geometry) + 0.00003 * (n / 2 % 30),
        st_y(geog::geometry) + 0.00005 * (n / 60),
        4326
    )::geography
FROM lot, generate_series(1, capacity) AS n
WHERE reporting = 'bays';
"""

# A few bays unknown, one lot in nine stale, one in eleven long silent, one in thirteen never heard.
BIG_STATE = """
INSERT INTO lot_state (
    lot_id, epoch, seq, version, capacity, free_spaces, unknown_spaces, occupied_bits,
    unknown_bits, observed_at, received_at, committed_at, history_at
)
SELECT
    l.lot_id, 1, 1, 1, l.capacity, coalesce(b.free, (l.capacity * random() * 0.3)::integer),
    coalesce(b.unknown, 0), b.occupied_bits, b.unknown_bits, t.at, t.at, t.at, t.at
FROM lot AS l
CROSS JOIN LATERAL (
    SELECT now() - CASE
        WHEN right(l.lot_id, 4)::int % 9 = 0 THEN interval '2 days'
        WHEN right(l.lot_id, 4)::int % 11 = 0 THEN interval '20 days'
        ELSE interval '1 minute' END AS at
) AS t
LEFT JOIN LATERAL (
    SELECT
        sum(free)::integer AS free,
        sum(not_known)::integer AS unknown,
        decode(string_agg(lpad(to_hex(taken), 2, '0'), '' ORDER BY byte), 'hex') AS occupied_bits,
        decode(string_agg(lpad(to_hex(unknown), 2, '0'), '' ORDER BY byte), 'hex') AS unknown_bits
    FROM (
        SELECT
            (n - 1) / 8 AS byte,
            count(*) FILTER (WHERE dice BETWEEN $OCCUPIED AND 0.99) AS free,
            count(*) FILTER (WHERE dice > 0.99) AS not_known,
            coalesce(sum(1 << (n - 1) % 8) FILTER (WHERE dice < $OCCUPIED), 0)::int AS taken,
            coalesce(sum(1 << (n - 1) % 8) FILTER (WHERE dice > 0.99), 0)::int AS unknown
        FROM (SELECT n, random() AS dice FROM generate_series(1, l.capacity) AS n) AS bay
        GROUP BY byte
    ) AS bytes
) AS b ON l.reporting = 'bays'
WHERE right(l.lot_id, 4)::int % 13 <> 0;
-- Of some that count little or nothing is known.
UPDATE lot_state SET
    free_spaces = 0, unknown_spaces = CASE right(lot_id, 4)::int % 2 WHEN 0 THEN capacity ELSE 3 END
WHERE occupied_bits IS NULL AND right(lot_id, 4)::int % 19 = 0;
UPDATE lot_state AS s SET
    free_standard = c.standard, free_accessible = c.accessible, free_ev = c.ev, free_large = c.large
FROM (
    SELECT
        lot_id,
        count(*) FILTER (WHERE space_class = 'standard') AS standard,
        count(*) FILTER (WHERE space_class = 'accessible') AS accessible,
        count(*) FILTER (WHERE space_class = 'ev') AS ev,
        count(*) FILTER (WHERE space_class = 'large') AS large
    FROM space_now WHERE state = 'free' GROUP BY lot_id
) AS c
WHERE s.lot_id = c.lot_id;
"""


async def build_big_city(connection: "asyncpg.Connection[Any]", lots: int = 1670) -> None:
    """Write a city of `lots` lots, those of them that sense their bays with all bays."""
    await connection.execute(BIG_REGISTRATION.replace("$LOTS", str(lots)))
    await connection.execute(BIG_BAYS)
    await connection.execute(BIG_STATE.replace("$OCCUPIED", str(OCCUPIED_SHARE)))
    await connection.execute("VACUUM ANALYZE")


def bits(numbers: list[int], capacity: int) -> bytes:
    """Pack bay numbers as a `snapshot` does."""
    packed = bytearray((capacity + 7) // 8)
    for number in numbers:
        packed[(number - 1) // 8] |= 1 << (number - 1) % 8
    return bytes(packed)


@dataclass
class Builder:
    """Writes lots and what they report; `now` is when the latest reports came."""

    connection: "asyncpg.Connection[Any]"
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    version: int = 1_764_000_000_000_000

    async def prepare(self) -> None:
        """Register an operator, a gateway of its own and a simulated one, a district, a zone."""
        await self.connection.execute(
            """
            INSERT INTO operator VALUES ('op-a', '甲', 'A'), ('op-b', '乙', 'B');
            INSERT INTO gateway (gateway_id, operator_id, simulated)
            VALUES ('gw-a', 'op-a', false), ('gw-s', 'op-b', true);
            INSERT INTO district VALUES ('370202', '市南区', 'Shinan', st_multi(
                st_makeenvelope(120.3, 36.0, 120.5, 36.1, 4326)));
            INSERT INTO zone VALUES ('z-1', '一区', 'Zone 1', 1, '2020-01-01Z', null, st_multi(
                st_makeenvelope(120.3, 36.0, 120.5, 36.1, 4326)));
            """
        )

    async def lot(self, lot_id: str, lon: float = 120.38, lat: float = 36.06, **values: Any) -> str:
        """Register a lot: 10 spaces, gates that count, unless `values` say otherwise."""
        columns = {
            "lot_id": lot_id,
            "operator_id": "op-a",
            "gateway_id": "gw-a",
            "name_zh": f"车场 {lot_id}",
            "name_en": f"Lot {lot_id}",
            "lot_type": "surface",
            "reporting": "count",
            "report_interval_s": 600,
            "capacity": 10,
        } | values
        marks = ", ".join(f"${place}" for place in range(3, 3 + len(columns)))
        await self.connection.execute(
            f"INSERT INTO lot (geog, {', '.join(columns)}) "
            f"VALUES (st_point($1, $2, 4326)::geography, {marks})",
            lon,
            lat,
            *columns.values(),
        )
        return lot_id

    async def bays(self, lot_id: str, *bays: tuple[float, float, str]) -> None:
        """Register bays from number 1 on: longitude, latitude and class of each."""
        await self.connection.executemany(
            "INSERT INTO space VALUES ($1, $2, $2 - 1, $5, st_point($3, $4, 4326)::geography)",
            [(lot_id, number, *bay) for number, bay in enumerate(bays, 1)],
        )

    async def report(self, lot_id: str, free_spaces: int, **values: Any) -> None:
        """Write a lot's state, received `age_s` (default 60) seconds ago."""
        at = self.now - timedelta(seconds=values.pop("age_s", 60))
        self.version += 1
        columns = {
            "lot_id": lot_id,
            "epoch": 1,
            "seq": 1,
            "version": self.version,
            "capacity": 10,
            "free_spaces": free_spaces,
            "unknown_spaces": 0,
            "observed_at": at,
            "received_at": at,
            "committed_at": at,
            "history_at": at,
        } | values
        marks = ", ".join(f"${place}" for place in range(1, 1 + len(columns)))
        await self.connection.execute(
            f"INSERT INTO lot_state ({', '.join(columns)}) VALUES ({marks})", *columns.values()
        )

    async def report_bays(
        self, lot_id: str, capacity: int, occupied: list[int], unknown: list[int], **values: Any
    ) -> None:
        """Write the state of a lot whose bays, all of class standard, are sensed."""
        await self.report(
            lot_id,
            capacity - len(occupied) - len(unknown),
            **{
                "capacity": capacity,
                "unknown_spaces": len(unknown),
                "occupied_bits": bits(occupied, capacity),
                "unknown_bits": bits(unknown, capacity),
                "free_standard": capacity - len(occupied) - len(unknown),
                "free_accessible": 0,
                "free_ev": 0,
                "free_large": 0,
            }
            | values,
        )

    async def step(self, lot_id: str, step_at: datetime, **values: Any) -> None:
        """Write a step of history: known all through, 4 of 10 spaces free, unless `values` say."""
        columns: dict[str, Any] = {
            "lot_id": lot_id,
            "step_at": step_at,
            "capacity": 10,
            "covered_s": 300.0,
            "free_space_s": 1200.0,
            "free_last": 4,
            "free_min": 4,
            "free_max": 4,
        } | values
        space_s = columns["capacity"] * columns["covered_s"]
        columns = {"space_s": space_s, "known_space_s": space_s} | columns
        marks = ", ".join(f"${place}" for place in range(1, 1 + len(columns)))
        await self.connection.execute(
            f"INSERT INTO lot_occupancy ({', '.join(columns)}) VALUES ({marks})", *columns.values()
        )


def square(west: float, south: float, size: float = 0.1) -> dict[str, Any]:
    """A square as GeoJSON, degrees."""
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
