import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from sql.engine import Db
from sql.migrate import NotOwnerError, RevisionUnknownError, downgrade, upgrade
from tests.ingest_mqtt.builders import CITY
from tests.servers import Databases

OURS = """
SELECT c.oid::regclass::text FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'alembic_version%'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
    AND c.relkind IN ('r', 'p', 'v', 'S')
UNION ALL
SELECT p.oid::regprocedure::text FROM pg_proc AS p
WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
UNION ALL
SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
"""
STATE = """
INSERT INTO lot_state (
    lot_id, epoch, seq, version, capacity, free_spaces, unknown_spaces, observed_at, received_at,
    committed_at, history_at
) VALUES ('gates', 1, 1, 1, 50, $1, $2, $3, $4, $4, $4)
"""
STEP = """
INSERT INTO lot_occupancy (
    lot_id, step_at, capacity, covered_s, free_space_s, free_last, free_min, free_max, space_s,
    known_space_s
) VALUES ('gates', $1, 50, $2, 0, 0, 0, 0, 0, 0)
"""
NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Db]:
    connection = await asyncpg.connect(database_url)
    await connection.execute(CITY)
    yield connection
    await connection.close()


def command_upgrade(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sql", "upgrade"]
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


async def test_down_and_up_again_on_a_populated_database(
    databases: Databases, owner_url: str
) -> None:
    before = databases.dump(owner_url)
    db = await asyncpg.connect(owner_url)
    await db.execute(CITY)
    await db.execute("INSERT INTO space_event VALUES ('bays', 1, 'free', now(), now())")
    await asyncio.to_thread(downgrade, owner_url, "base")
    assert await db.fetch(OURS) == []
    await asyncio.to_thread(upgrade, owner_url)
    assert databases.dump(owner_url) == before
    await db.execute(CITY)
    assert await db.fetchval("SELECT count(*) FROM lot_now WHERE data_state = 'unknown'") == 3
    await db.close()


async def test_keys_of_a_database_before_get_an_end_and_stay(owner_url: str) -> None:
    db = await asyncpg.connect(owner_url)
    await asyncio.to_thread(downgrade, owner_url, "0011")
    await db.execute("""
        INSERT INTO person (person_id, name, roles, created_at)
        VALUES ('li', 'Li', '{operations}', now());
        INSERT INTO api_key (key_id, person_id, hash, created_at, expires_at) VALUES
        ('endless', 'li', decode(repeat('ab', 32), 'hex'), now() - interval '3 years', null),
        ('ending', 'li', decode(repeat('cd', 32), 'hex'), now(), now() + interval '1 hour');
    """)
    await asyncio.to_thread(upgrade, owner_url)
    keys = await db.fetch(
        "SELECT key_id, expires_at - now() AS left, revoked_at FROM api_key ORDER BY key_id"
    )
    left = {row["key_id"]: row["left"] for row in keys if row["revoked_at"] is None}
    assert timedelta(days=364) < left["endless"] <= timedelta(days=365)
    assert left["ending"] < timedelta(hours=1)
    await db.close()


async def test_up_again_changes_nothing_and_brings_what_is_missing(
    databases: Databases, owner_url: str
) -> None:
    before = databases.dump(owner_url)
    db = await asyncpg.connect(owner_url)
    await db.execute(CITY)
    await asyncio.to_thread(upgrade, owner_url)
    assert databases.dump(owner_url) == before
    await db.execute("DROP VIEW space_now; ALTER TABLE audit_entry DISABLE TRIGGER ALL")
    await asyncio.to_thread(upgrade, owner_url)
    assert databases.dump(owner_url) == before
    assert await db.fetchval("SELECT count(*) FROM lot_now") == 3
    await db.close()


async def test_a_database_of_a_revision_that_is_not_ours_is_left_as_it_is(
    databases: Databases, owner_url: str
) -> None:
    db = await asyncpg.connect(owner_url)
    await db.execute("UPDATE alembic_version SET version_num = '0005'; DROP VIEW space_now")
    await db.close()
    before = databases.dump(owner_url)
    with pytest.raises(RevisionUnknownError, match="at revision 0005"):
        await asyncio.to_thread(downgrade, owner_url, "base")
    done = command_upgrade(owner_url)
    assert done.returncode == 2
    said = "at revision 0005, which this release does not know: upgrade it with the release before"
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert databases.dump(owner_url) == before


async def test_only_the_owner_may_migrate(
    databases: Databases, database_url: str, owner_url: str
) -> None:
    before = databases.dump(owner_url)
    done = command_upgrade(database_url)
    assert done.returncode == 2
    assert "Only the owner may change the schema" in done.stderr
    assert "Traceback" not in done.stderr
    with pytest.raises(NotOwnerError):
        await asyncio.to_thread(downgrade, database_url, "base")
    assert databases.dump(owner_url) == before


@pytest.mark.parametrize(
    ("statement", "values", "constraint"),
    [
        # By clocks that run wild.
        (STATE, (0, 0, datetime(9999, 12, 31, tzinfo=UTC), NOW), "lot_state_observed_at_check"),
        (STATE, (0, 0, NOW + timedelta(seconds=1), NOW), "lot_state_observed_at_check"),
        (STATE, (0, 0, datetime(1, 1, 2, tzinfo=UTC), NOW), "lot_state_observed_at_check"),
        # More than the lot has.
        (STATE, (51, 0, NOW, NOW), "lot_state_counts_check"),
        (STATE, (30, 21, NOW, NOW), "lot_state_counts_check"),
        (STATE, (-1, 0, NOW, NOW), "lot_state_counts_check"),
        # More than a step of 300 s has.
        (STEP, (NOW, 6000.0), "lot_occupancy_covered_s_check"),
        (STEP, (NOW, -1.0), "lot_occupancy_covered_s_check"),
    ],
)
async def test_states_and_steps_that_cannot_be_are_refused(
    db: Db, statement: str, values: tuple[Any, ...], constraint: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await db.execute(statement, *values)
    assert refused.value.constraint_name == constraint


async def test_states_and_steps_at_their_limits_are_taken(db: Db) -> None:
    await db.execute(STATE, 30, 20, NOW, NOW)
    await db.execute(STEP, NOW, 300.0)
