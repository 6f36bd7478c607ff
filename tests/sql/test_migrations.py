import asyncio

import asyncpg

from sql.migrate import downgrade, upgrade
from tests.ingest_mqtt.conftest import CITY


async def test_down_and_up_again_on_a_populated_database(owner_url: str) -> None:
    db = await asyncpg.connect(owner_url)
    await db.execute(CITY)
    await db.execute("INSERT INTO space_event VALUES ('bays', 1, 'free', now(), now())")
    await asyncio.to_thread(downgrade, owner_url, "base")
    left = await db.fetchval(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND relname NOT IN ('spatial_ref_sys', 'alembic_version')"
    )
    assert left == 0
    await asyncio.to_thread(upgrade, owner_url)
    await db.execute(CITY)
    assert await db.fetchval("SELECT count(*) FROM lot_now WHERE data_state = 'unknown'") == 3
    await db.close()


async def test_messages_refused_before_they_were_masked_leave_only_what_we_said_of_them(
    owner_url: str,
) -> None:
    db = await asyncpg.connect(owner_url)
    await db.execute(CITY)
    await db.close()
    await asyncio.to_thread(downgrade, owner_url, "0008-1")
    db = await asyncpg.connect(owner_url)
    old = [
        (b"1", "onelot/v1/feeds/gw-a/bays/spaces", "gw-a", "bays", '{"plate": "B12345"}'),
        (b"2", "onelot/v1/feeds/gw-a/b12345/spaces", "gw-a", "b12345", "{}"),
        (b"3", "onelot/v1/feeds/gw-a/bays/b12345", "gw-a", "bays", "{}"),
        (b"4", "onelot/v1/feeds/gw-b12345", "gw-b12345", "", ""),
    ]
    await db.executemany(
        "INSERT INTO dead_letter (digest, topic, gateway_id, lot_id, reason, detail, payload,"
        " times, received_at, last_received_at)"
        " VALUES ($1, $2, $3, $4, 'invalid', 'no field B12345', $5::text::bytea, 7, now(), now())",
        old,
    )
    before = await db.fetchval("SELECT pg_relation_filenode('dead_letter')")
    await db.close()

    await asyncio.to_thread(upgrade, owner_url)

    db = await asyncpg.connect(owner_url)
    rows = await db.fetch("SELECT * FROM dead_letter ORDER BY dead_letter_id")
    after = await db.fetchval("SELECT pg_relation_filenode('dead_letter')")
    await db.close()
    assert [(row["topic"], row["gateway_id"], row["lot_id"]) for row in rows] == [
        ("onelot/v1/feeds/gw-a/bays/spaces", "gw-a", "bays"),
        ("onelot/v1/feeds/", "gw-a", ""),
        ("onelot/v1/feeds/", "gw-a", "bays"),
        ("onelot/v1/feeds/", "", ""),
    ]
    assert [row["payload_bytes"] for row in rows] == [19, 2, 2, 0]
    assert len({row["digest"] for row in rows} - {b"1", b"2", b"3", b"4"}) == 4
    for row in rows:
        assert (row["reason"], row["times"], row["payload"], row["whole"]) == (
            *("invalid", 7),
            *("", False),
        )
        assert "12345" not in str([value for name, value in row.items() if name != "digest"])
    # Written anew: the old texts do not lie in the file of the table any longer.
    assert after != before
