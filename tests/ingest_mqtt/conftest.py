from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from sql.engine import Db

AT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)

# Two operators, a gateway each; op-a has a lot of twelve bays and one that counts.
CITY = """
INSERT INTO operator VALUES ('op-a', '甲', 'A'), ('op-b', '乙', 'B');
INSERT INTO gateway (gateway_id, operator_id) VALUES ('gw-a', 'op-a'), ('gw-b', 'op-b');
INSERT INTO lot (
    lot_id, operator_id, gateway_id, name_zh, name_en, lot_type, reporting, report_interval_s,
    capacity, geog
) VALUES
    ('bays', 'op-a', 'gw-a', '位', 'Bays', 'surface', 'bays', 900, 12, 'POINT(120.38 36.06)'),
    ('gates', 'op-a', 'gw-a', '闸', 'Gates', 'surface', 'count', 900, 50, 'POINT(120.39 36.06)'),
    ('other', 'op-b', 'gw-b', '他', 'Other', 'surface', 'bays', 900, 8, 'POINT(120.40 36.06)');
INSERT INTO space
SELECT 'bays', n, 0, CASE WHEN n <= 2 THEN 'ev' ELSE 'standard' END, 'POINT(120.38 36.06)'
FROM generate_series(1, 12) AS n;
"""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Db]:
    """A connection to a database with the three lots of `CITY`."""
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
    await connection.execute(CITY)
    yield connection
    await connection.close()
