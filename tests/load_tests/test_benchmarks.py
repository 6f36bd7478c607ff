"""The benchmarks run, and measure what they say; their figures are not asserted."""

import json
import sys

import asyncpg
import pytest

from load_tests import nearest_bench, pricing_bench
from tests.load_tests.conftest import CITY
from tests.parking_api.bureau import document

PRICED = """
INSERT INTO zone VALUES ('z-1', '一区', 'Zone 1', 1, '2020-01-01Z', null, st_multi(
    st_makeenvelope(120.3, 36.0, 120.5, 36.1, 4326)));
UPDATE lot SET zone_id = 'z-1';
INSERT INTO lot_state (
    lot_id, epoch, seq, version, capacity, free_spaces, unknown_spaces, observed_at, received_at,
    committed_at, history_at
)
SELECT lot_id, 1, 1, 1, capacity, 5, 0, now(), now(), now(), now() FROM lot;
INSERT INTO tariff VALUES ('t-1', 'test', now());
"""
VERSION = """
INSERT INTO tariff_version (
    tariff_id, version, document, content_hash, zones, lot_types, state, imported, drafted_by,
    drafted_at
)
VALUES ('t-1', 1, $1, 'hash', '{z-1}', '{surface}', 'published', true, 'test', now())
"""
EFFECT = """
INSERT INTO tariff_effect (tariff_id, version, zone_id, lot_type, effective)
VALUES ('t-1', 1, 'z-1', 'surface', tstzrange('2025-01-01Z', null))
"""


async def test_nearest_is_asked_with_prices_and_without(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(CITY)
    await connection.execute(PRICED)
    await connection.execute(VERSION, json.dumps(document()))
    await connection.execute(EFFECT)
    await connection.close()

    found = await nearest_bench.measure(database_url, 10)

    # All ten lots lie within reach of each other, and each has a price.
    assert found.quotes == 10
    assert found.priced_ms > 0
    assert found.plain_ms > 0


def test_quotes_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pricing_bench", "--seconds", "0.02"])
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None)
    # Whether the targets are met is not asserted: this machine has other things to do.
    assert pricing_bench.main() in {0, 1}
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["tariff", "road", "caps", "fractions", "target"]
