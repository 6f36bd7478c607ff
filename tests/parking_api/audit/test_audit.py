"""The audit: rows in a chain that nobody can change, and that shows it when somebody did."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy import postgres
from parking_api.__main__ import main
from parking_api.audit import queries
from parking_api.audit.service import (
    AuditValueError,
    ChainBrokenError,
    Head,
    entry_hash,
    record,
    verify,
)
from parking_api.command_line import connected
from sql.engine import Db, Transaction
from sql.migrate import downgrade, upgrade
from tests.parking_api.audit.adding import AT, add
from tests.parking_api.audit.attacks import RIGHTLY_HASHED
from tests.servers import as_role


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no seals at the usual place."""
    monkeypatch.chdir(tmp_path)


async def test_a_chain_is_whole(db: Db) -> None:
    assert await verify(db) == Head(0, bytes(32))
    values: list[Any] = [None, {}, {"b": 1, "a": [1.0, 1e22, 1e-7, -0.0, "元\u2028"]}, "x", 0, []]
    for value in values:
        await add(db, before=value, after=value, reason="因为 \\u0000", at=AT + timedelta(hours=1))

    head = await verify(db)

    assert head.entries == len(values)
    assert await db.fetchval("SELECT max(entry_id) FROM audit_entry") == len(values)
    stored = await db.fetchval("SELECT hash FROM audit_entry ORDER BY entry_id DESC LIMIT 1")
    assert stored == head.hash


async def test_an_entry_goes_with_the_change_it_tells_of(db: Db) -> None:
    with pytest.raises(RuntimeError):
        await record(
            Transaction(db),
            person_id="a",
            action="a",
            subject="a",
            before=0,
            after=0,
            reason=None,
            at=AT,
        )
    change = db.transaction()
    await change.start()
    await add(db)
    await change.rollback()

    assert await db.fetchval("SELECT count(*) FROM audit_entry") == 0
    assert await add(db) == 1


async def test_what_needs_too_much_memory_is_refused(db: Db) -> None:
    await add(db, after="x" * 2**22, before=["y" * (2**22 - 99)])
    with pytest.raises(AuditValueError):
        await add(db, after="x" * 2**22, before=["y" * 2**22])
    await add(db)
    assert (await verify(db)).entries == 2


@pytest.mark.parametrize("value", [{"a": "\0"}, {"a": float("nan")}, {"a": "\ud800"}])
async def test_what_json_cannot_hold_is_refused(db: Db, value: Any) -> None:
    with pytest.raises(AuditValueError):
        await add(db, after=value)
    assert await db.fetchval("SELECT count(*) FROM audit_entry") == 0


async def test_those_who_record_at_once_make_one_chain(db: Db, database_url: str) -> None:
    async def many(name: str) -> None:
        async with connected(database_url, "test") as own:
            for _ in range(20):
                await add(own, person_id=name)

    await asyncio.gather(*(many(f"person-{number}") for number in range(5)))

    assert (await verify(db)).entries == 100


FORBIDDEN = [
    "UPDATE audit_entry SET reason = 'other'",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "MERGE INTO audit_entry USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE",
    "INSERT INTO audit_entry TABLE audit_entry ON CONFLICT (entry_id) DO UPDATE SET reason = 'x'",
    "SELECT * FROM audit_entry FOR UPDATE",
    "ALTER TABLE audit_entry ADD COLUMN more text",
    "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_stays",
    "ALTER TABLE audit_entry OWNER TO onelot_app",
    "DROP TRIGGER audit_entry_stays ON audit_entry",
    "DROP TABLE audit_entry",
    "DROP SCHEMA public CASCADE",
    "CREATE TABLE mine (a integer)",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_entry EXECUTE FUNCTION audit_entry_stays()",
    "CREATE RULE mine AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
    "CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS ''",
    "DROP FUNCTION audit_entry_stays CASCADE",
    "SET ROLE onelot",
    "SET SESSION AUTHORIZATION onelot",
    "SET session_replication_role = replica",
    "SELECT make_partition('audit_entry', '2026-11-22', '2026-11-23')",
    "SELECT drop_partition('audit_entry', 'audit_entry_p20261122')",
    "SELECT drop_partition('space_event', 'audit_entry')",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_application_cannot_change_it(db: Db, statement: str) -> None:
    await add(db)
    before = await db.fetch("SELECT * FROM audit_entry")
    assert await db.fetchval("SELECT current_user") == "onelot_app"

    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.RaiseError)):
        await db.execute(statement)

    assert await db.fetch("SELECT * FROM audit_entry") == before


async def test_the_application_has_no_way_round_its_role(db: Db) -> None:
    roles = await db.fetchrow(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,"
        " EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS is_member"
        " FROM pg_roles AS r WHERE rolname = current_user"
    )
    # Without the right to grant, this only warns.
    await db.execute("GRANT UPDATE, DELETE, TRUNCATE, TRIGGER ON audit_entry TO onelot_app")
    for right in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
        assert not await db.fetchval("SELECT has_table_privilege('audit_entry', $1)", right)
    owned = await db.fetchval(
        "SELECT count(*) FROM pg_class WHERE relowner = 'onelot_app'::regrole"
    )

    assert roles is not None
    assert not any(roles.values())
    assert owned == 0


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entry SET reason = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
)
async def test_even_its_owner_is_stopped_by_the_trigger(
    db: Db, owner_url: str, statement: str
) -> None:
    await add(db)
    async with connected(owner_url, "test") as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never changed or removed"):
            await owner.execute(statement)
    assert (await verify(db)).entries == 1


DIRECTLY = """
INSERT INTO audit_entry (
    entry_id, at, person_id, action, subject, previous_hash, hash, format, recorded_at, recorded_by
) VALUES ($1, now(), 'li', 'a', 'b', $2, sha256('x'), 2, now(), 'onelot_app')
"""


async def test_an_entry_goes_nowhere_but_to_the_end(
    db: Db, database_url: str, owner_url: str
) -> None:
    """The highest number would leave none for those who write next."""
    await add(db)
    last = (await verify(db)).hash
    at_the_end = (2, last)
    elsewhere = [(2**63 - 1, last), (3, last), (2, b"\1" * 32)]
    async with connected(database_url, "test") as thief:
        for place in (at_the_end, *elsewhere):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await thief.execute(DIRECTLY, *place)
    async with connected(owner_url, "test") as thief:
        for place in elsewhere:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="follows the last one"):
                await thief.execute(DIRECTLY, *place)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="made by add_audit_entry"):
            await thief.execute(DIRECTLY, *at_the_end)

    assert await add(db) == 2
    assert (await verify(db)).entries == 2


# What the owner would say of the entry that it writes at the chain's end, with a right hash.
LIES = {
    "another time": "now() - interval '1 hour', 'onelot', 2",
    "a time to come": "now() + interval '1 hour', 'onelot', 2",
    "another role": "clock_timestamp(), 'onelot_app', 2",
    "no time": "NULL::timestamptz, NULL, 1",
}


@pytest.mark.parametrize("lie", LIES)
async def test_even_its_owner_says_when_and_by_whom_it_writes(
    db: Db, owner_url: str, lie: str
) -> None:
    await add(db)
    async with connected(owner_url, "test") as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="made by add_audit_entry"):
            await owner.execute(RIGHTLY_HASHED.format(LIES[lie]))
        await owner.execute(RIGHTLY_HASHED.format("clock_timestamp(), 'onelot', 2"))

    assert (await verify(db)).entries == 2


async def test_the_database_says_when_and_by_whom_it_was_recorded(db: Db, owner_url: str) -> None:
    before = await db.fetchval("SELECT clock_timestamp()")
    for setting in ("SET timezone = 'Asia/Shanghai'", "SET datestyle = 'SQL, DMY'"):
        await db.execute(setting)
    await add(db, at=AT - timedelta(days=9_000))
    async with connected(owner_url, "test") as owner:
        await add(owner)
    rows = await db.fetch("SELECT at, recorded_at, recorded_by, format FROM audit_entry")

    first, second = sorted(rows, key=lambda row: row["recorded_at"])
    assert first["at"] == AT - timedelta(days=9_000)
    assert before < first["recorded_at"] < second["recorded_at"] < before + timedelta(minutes=1)
    assert [first["recorded_by"], second["recorded_by"]] == ["onelot_app", "onelot"]
    assert (await verify(db)).entries == 2


@pytest.mark.parametrize("at", ["infinity", "-infinity", "20000-01-01Z", "0044-03-15Z BC"])
async def test_a_time_that_clients_cannot_read_is_refused(db: Db, owner_url: str, at: str) -> None:
    await add(db)
    with pytest.raises(asyncpg.DataError):
        await db.execute(f"SELECT add_audit_entry('a', 'b', 'c', NULL, NULL, NULL, '{at}')")
    async with connected(owner_url, "test") as owner:
        await owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_stays")
        await owner.execute(f"UPDATE audit_entry SET at = '{at}'")

    with pytest.raises(ChainBrokenError):
        await verify(db)


OTHERS = [postgres.INGESTER, postgres.ANALYSIS, postgres.LOGINS, postgres.SEAL]


@pytest.mark.parametrize("role", OTHERS)
async def test_nobody_else_can_keep_those_who_record_waiting(
    db: Db, database_url: str, role: str
) -> None:
    await db.execute("SET lock_timeout = '1s'")
    async with connected(as_role(database_url, role), "test") as thief:
        await thief.execute("SET default_transaction_read_only = off")
        if role == postgres.INGESTER:
            locks = "SELECT pg_advisory_lock(n) FROM generate_series(370200, 370209) AS n"
            await thief.execute(locks)
        for mode in ("SHARE UPDATE EXCLUSIVE", "ACCESS EXCLUSIVE", "ROW EXCLUSIVE"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await thief.execute(f"BEGIN; LOCK TABLE audit_entry IN {mode} MODE")
            await thief.execute("ROLLBACK")
        assert await add(db) == 1


# Of the first format, with the hashes that the program gave them.
OLD = """
INSERT INTO audit_entry (
    entry_id, at, person_id, action, subject, before, after, reason, previous_hash, hash
)
SELECT
    n, '2026-11-22T01:30:00.123456Z'::timestamptz + n * interval '1 microsecond', 'wang',
    'tariff.approve', 'tariff/a/' || n, before::jsonb, after::jsonb, reason,
    coalesce(lag(decode(hash, 'hex')) OVER (ORDER BY n), decode(repeat('00', 32), 'hex')),
    decode(hash, 'hex')
FROM (VALUES
    (1, NULL, '{"b": 1, "a": [1.0, 10000000000000000000000, 1e-7, "元"]}', '首次',
        '5ca28f8015f927efd10980d19aa7e95a2085ce65b0cc7fe1fa95f1612fd0fcac'),
    (2, '{"state": "in_review"}', '{"state": "approved"}', NULL,
        '73e651a090ec5962370004d59d95101c7835de1ab8195bff60ed155be30bd73c'),
    (3, '"x"', NULL, 'a \\u0000 b',
        '9d5b2792c725ceabdb06ba41ce16d3bb86d341d4c32fe02333f34f783629b30e')
) AS old (n, before, after, reason, hash)
ORDER BY n
"""


async def test_a_chain_of_before_verifies_and_goes_on(owner_url: str, database_url: str) -> None:
    await asyncio.to_thread(downgrade, owner_url, "0016")
    async with connected(owner_url, "test") as owner:
        await owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_follows")
        await owner.execute(OLD)
    await asyncio.to_thread(upgrade, owner_url)
    async with connected(database_url, "test") as db:
        assert (await verify(db)).entries == 3
        assert await add(db) == 4
        assert (await verify(db)).entries == 4
    async with connected(owner_url, "test") as owner:
        await owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_stays")
        await owner.execute("UPDATE audit_entry SET reason = NULL WHERE entry_id = 3")
        with pytest.raises(ChainBrokenError, match="entry 3 was changed"):
            await verify(owner)


async def test_the_first_format_does_not_come_back(db: Db, owner_url: str) -> None:
    """It has neither the database's time nor its role."""
    await add(db)
    async with connected(owner_url, "test") as owner:
        await owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
        await owner.execute(RIGHTLY_HASHED.format(LIES["no time"]))
        (entry,) = await queries.entries(owner, 1, 1, 1)
        await owner.execute(
            "UPDATE audit_entry SET hash = $1 WHERE entry_id = 2", entry_hash(entry)
        )

    with pytest.raises(ChainBrokenError, match="entry 2 is of the first format"):
        await verify(db)


TAMPERINGS = {
    "UPDATE audit_entry SET reason = 'other' WHERE entry_id = 2": "entry 2 was changed",
    "UPDATE audit_entry SET at = at - interval '1 microsecond' WHERE entry_id = 3": "entry 3 was",
    "UPDATE audit_entry SET after = '{}' WHERE entry_id = 1": "entry 1 was changed",
    "DELETE FROM audit_entry WHERE entry_id = 2": "entry 2 is missing: 3 comes instead",
    "DELETE FROM audit_entry WHERE entry_id = 1": "entry 1 is missing",
    "UPDATE audit_entry SET hash = sha256('x') WHERE entry_id = 2": "entry 2 was changed",
    "UPDATE audit_entry SET recorded_at = recorded_at + interval '1 microsecond'": "entry 1 was",
    "UPDATE audit_entry SET recorded_by = 'onelot' WHERE entry_id = 2": "entry 2 was changed",
    "UPDATE audit_entry SET after = '{\"state\": 1.00000000000000000001}'": "entry 1 was changed",
    "UPDATE audit_entry SET previous_hash = sha256('x') WHERE entry_id = 3": "entry 3 does not",
}


@pytest.mark.parametrize("statement", TAMPERINGS)
async def test_what_somebody_above_it_all_changed_shows(
    db: Db, owner_url: str, statement: str
) -> None:
    for _ in range(4):
        await add(db)
    async with connected(owner_url, "test") as owner:
        await owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_stays")
        await owner.execute(statement)

    with pytest.raises(ChainBrokenError, match=TAMPERINGS[statement]):
        await verify(db)


async def test_a_cut_end_shows_to_who_noted_the_head(db: Db, owner_url: str) -> None:
    for _ in range(3):
        await add(db)
    noted = (await verify(db)).hash
    await add(db)
    assert (await verify(db, noted)).entries == 4
    async with connected(owner_url, "test") as owner:
        await owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_stays")
        await owner.execute("DELETE FROM audit_entry WHERE entry_id >= 3")

    assert (await verify(db)).entries == 2
    with pytest.raises(ChainBrokenError, match="cut off or written anew"):
        await verify(db, noted)


@pytest.mark.usefixtures("elsewhere")
async def test_the_command(
    db: Db, database_url: str, owner_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await add(db)
    await add(db)
    head = await verify(db)
    command = ["audit", "verify", "--database-url", database_url]

    assert await asyncio.to_thread(main, command) == 0
    assert capsys.readouterr().out.startswith(f"2 entries, head {head.hash.hex()}\n")
    assert await asyncio.to_thread(main, [*command, "--head", head.hash.hex()]) == 0
    assert await asyncio.to_thread(main, [*command, "--head", "00" * 31 + "01"]) == 1
    async with connected(owner_url, "test") as owner:
        await owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_stays")
        await owner.execute("UPDATE audit_entry SET person_id = 'zhao' WHERE entry_id = 1")

    assert await asyncio.to_thread(main, command) == 1
    assert "entry 1 was changed" in capsys.readouterr().err
