"""What each role of the database may do, tried: what it needs, and what a thief would want."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from deploy import postgres
from sql.engine import Db
from tests.parking_api.builders import Builder
from tests.servers import as_role

SECRETS = ("api_key.hash", "gateway.password_hash")
# What nobody may who is not the owner. Each is tried by every role.
DEEDS = {
    "grant itself the owner's role": "GRANT onelot TO CURRENT_USER",
    "become superuser": "ALTER ROLE CURRENT_USER SUPERUSER",
    "become the owner": "SET ROLE onelot",
    "make a role": "CREATE ROLE thief LOGIN",
    "read a file of the server": "SELECT pg_read_file('/etc/passwd')",
    "run a program": "COPY lot TO PROGRAM 'cat'",
    "make a table": "CREATE TABLE public.mine (a integer)",
    "make a function": "CREATE FUNCTION public.lower(a text) RETURNS text RETURN a",
    "switch a trigger off": "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "switch all triggers off": "SET session_replication_role = replica",
    "keep a large object": "SELECT lo_from_bytea(0, 'x')",
    "drop a table": "DROP TABLE lot",
    "empty the audit": "TRUNCATE audit_entry",
    "cut the audit's end": "DELETE FROM audit_entry",
    "write the audit anew": "UPDATE audit_entry SET person_id = 'li'",
    "add to the audit": "INSERT INTO audit_entry (entry_id) VALUES (9223372036854775807)",
    "change how long is kept": "UPDATE retention SET days = 1",
    "change the revision": "UPDATE alembic_version SET version_num = '0'",
    "delete a tariff version": "DELETE FROM tariff_version",
    "change a published calendar": "UPDATE city_calendar SET holidays = '{}'",
}
# What only the API's office or the commands may.
FURTHER_DEEDS = {
    "read keys": "SELECT hash FROM api_key",
    "read passwords": "SELECT password_hash FROM gateway",
    "read people": "SELECT * FROM person",
    "read the audit": "SELECT * FROM audit_entry",
    "record in another's name": ("SELECT add_audit_entry('li', 'a', 'b', NULL, NULL, NULL, now())"),
    "make a person": "INSERT INTO person (person_id) VALUES ('thief')",
    "overwrite a key's hash": "UPDATE api_key SET hash = decode(repeat('00', 32), 'hex')",
    "insert a published version": (
        "INSERT INTO tariff_version (tariff_id, state) VALUES ('t', 'published')"
    ),
    "repoint an effect": "UPDATE tariff_effect SET lot_id = 'a'",
    "clear a ceiling": "UPDATE price_control SET ceiling_minor = NULL",
    "draw a zone": "UPDATE zone SET valid_to = now()",
    "freeze a mechanism": "UPDATE price_mechanism SET mode = 'frozen'",
    "reassign a gateway": "UPDATE gateway SET operator_id = 'op-b'",
    "reassign a lot": "UPDATE lot SET operator_id = 'op-b'",
    "retire a lot": "UPDATE lot SET retired_at = now()",
    "add a lot": "INSERT INTO lot (lot_id) VALUES ('mine')",
    "delete lots": "DELETE FROM lot",
    "add a bay": "INSERT INTO space (lot_id) VALUES ('a')",
    "make a partition of all that comes": (
        "SELECT make_partition('space_event', current_date + 100, '2100-01-01')"
    ),
    "make a table for a while": "CREATE TEMPORARY TABLE mine (a integer)",
}
READERS_DEEDS = {
    "write a state": "UPDATE lot_state SET free_spaces = 0",
    "write history": "INSERT INTO space_event VALUES ('a', 1, 'free', now(), now())",
    "stop all publishing": "SELECT pg_advisory_lock(370203)",
    "stop the ingester": "SELECT pg_try_advisory_xact_lock_shared(370200)",
    "read messages": "SELECT * FROM dead_letter",
    "drop the past": "SELECT drop_partition('space_event', 'space_event_p20200101')",
}
# What a stolen office may not, of all that it has to do with; and the commands.
OFFICES_DEEDS = (
    *("overwrite a key's hash", "insert a published version", "repoint an effect"),
    *("clear a ceiling", "reassign a gateway", "reassign a lot", "add a lot", "delete lots"),
    *("add a bay", "write a state", "write history", "drop the past"),
    *("make a partition of all that comes", "make a table for a while"),
)
COMMANDS_DEEDS = ("make a person", "overwrite a key's hash", "drop the past")
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)


@asynccontextmanager
async def connected_as(url: str, role: str) -> AsyncIterator[Db]:
    connection = await asyncpg.connect(as_role(url, role))
    try:
        yield connection
    finally:
        await connection.close()


EVERY = FURTHER_DEEDS | READERS_DEEDS
# What is tried as each role beside DEEDS, and what of it a role is for.
TRIED = {
    postgres.APPLICATION: COMMANDS_DEEDS,
    postgres.OFFICE: OFFICES_DEEDS,
    postgres.INGESTER: FURTHER_DEEDS,
    postgres.PUBLIC: EVERY,
    postgres.ANALYSIS: EVERY,
    postgres.LOGINS: EVERY,
    postgres.SEAL: EVERY,
}
MAY = {
    # It checks the passwords of gateways that post.
    postgres.PUBLIC: {"read passwords"},
    # It and `credentials` write the broker's files in turn.
    postgres.LOGINS: {"read passwords", "stop all publishing", "stop the ingester"},
    postgres.SEAL: {"read the audit"},
}


@pytest.mark.parametrize("role", TRIED)
async def test_what_no_program_may(database_url: str, built: Builder, role: str) -> None:
    await built.lot("a")
    deeds = DEEDS | {deed: EVERY[deed] for deed in TRIED[role]}
    done = set()
    async with connected_as(database_url, role) as db:
        if role in (postgres.ANALYSIS, postgres.SEAL):
            # It is no more than a default, which a thief would change first.
            await db.execute("SET default_transaction_read_only = off")
        for deed, statement in deeds.items():
            try:
                await db.execute(statement)
            except REFUSED:
                continue
            done.add(deed)
    assert done == MAY.get(role, set()), f"{role} could"


@pytest.mark.parametrize("role", [postgres.APPLICATION, postgres.OFFICE])
async def test_a_key_only_ends(database_url: str, built: Builder, role: str) -> None:
    await built.connection.execute(
        "INSERT INTO person (person_id, name, roles, created_at) VALUES ('li', 'Li', '{}', now());"
        "INSERT INTO api_key (key_id, person_id, hash, created_at, expires_at, revoked_at)"
        " VALUES ('ended', 'li', sha256('a'), now(), now() + interval '1 day', now())"
    )
    async with connected_as(database_url, role) as db:
        for deed in (
            "revoked_at = NULL",
            "revoked_at = now() + interval '1 hour'",
            "expires_at = expires_at + interval '1 s'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only ever ends"):
                await db.execute(f"UPDATE api_key SET {deed} WHERE key_id = 'ended'")


async def test_what_analysts_read(database_url: str, built: Builder) -> None:
    await built.lot("a")
    await built.report("a", 3)
    async with connected_as(database_url, postgres.ANALYSIS) as db:
        assert await db.fetchval("SELECT free_spaces FROM lot_now WHERE lot_id = 'a'") == 3
        for table in (
            "space_now",
            "lot_occupancy",
            "lot_occupancy_fed",
            "space_event",
            "tariff_version",
            "zone",
        ):
            await db.fetch(f"SELECT * FROM {table}")
        assert await db.fetchval("SHOW statement_timeout") == "5min"


async def test_no_function_of_the_owners_can_be_turned(owner_url: str) -> None:
    """Functions that run as the owner look for names in fixed places, and are for named roles."""
    db = await asyncpg.connect(owner_url)
    try:
        found = await db.fetch(
            """
            SELECT p.proname, p.proconfig::text AS settings, p.proacl::text AS rights
            FROM pg_proc AS p
            WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
            """
        )
    finally:
        await db.close()
    assert {row["proname"] for row in found} == {
        "analyze_registration",
        "suspend_space_checks",
        "resume_space_checks",
        "make_partition",
        "drop_partition",
        "pack_steps",
        "empty_partition",
        "add_audit_entry",
    }
    for row in found:
        assert "search_path=pg_catalog, public, pg_temp" in row["settings"], row["proname"]
        # An empty name before the equals sign stands for everybody.
        assert not row["rights"].startswith("{="), row["proname"]
        assert ",=" not in row["rights"], row["proname"]
