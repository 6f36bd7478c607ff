"""A small city that never changes, at a clock that stands still; for recordings of the API."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from tests.parking_api.builders import Builder

START: Final = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
# Who asks: roles and operator.
PEOPLE: Final[dict[str, tuple[list[str], str | None]]] = {
    "wang": (["bureau_drafter"], None),
    "li": (["bureau_approver"], None),
    "zhao": (["bureau_approver", "bureau_drafter"], None),
    "sun": (["operations"], None),
    "chen": (["operator"], "op-a"),
    "qian": (["operator"], "op-b"),
}
# `now()` of the database, wherever the API's statements, views and functions say it.
PINNED: Final = """
CREATE SCHEMA pinned;
CREATE TABLE pinned.clock (at timestamptz NOT NULL);
INSERT INTO pinned.clock VALUES ('-infinity');
CREATE FUNCTION pinned.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS 'SELECT at FROM pinned.clock';
GRANT USAGE ON SCHEMA pinned TO public;
GRANT SELECT ON pinned.clock TO public;
"""
VIEWS: Final = """
SELECT format('CREATE OR REPLACE VIEW %s AS %s', oid::regclass, pg_get_viewdef(oid))
FROM pg_class AS c
WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e'
)
"""
FUNCTIONS: Final = """
SELECT pg_get_functiondef(oid)
FROM pg_proc AS p
WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e'
)
"""
DEAD_LETTER: Final = """
INSERT INTO dead_letter (
    digest, topic, gateway_id, lot_id, epoch, seq, reason, detail, payload, whole, payload_bytes,
    fault_at, times, received_at, last_received_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
HISTORY: Final = """
INSERT INTO lot_occupancy (
    lot_id, step_at, capacity, covered_s, space_s, known_space_s, free_space_s, free_last,
    free_min, free_max, full_s
)
SELECT $1, at, 10, 300, 3000, 3000, 150, 0, 0, 10, 90
FROM generate_series($2::timestamptz, $3::timestamptz - interval '5 minutes', '5 minutes') AS at
"""


def key_of(person_id: str) -> str:
    """The key that a person has from the start, as it is sent."""
    digest = hashlib.sha256(person_id.encode()).hexdigest()
    return f"ok_{digest[:12]}_{digest[:43]}"


async def pin(connection: "asyncpg.Connection[Any]", at: datetime = START) -> None:
    """Have the database say that it is `at`, to whoever connects from now on."""
    await connection.execute(PINNED)
    for statement in (VIEWS, FUNCTIONS):
        for (definition,) in await connection.fetch(statement):
            if "now()" in definition.lower():
                await connection.execute(definition.replace("now()", "pinned.now()"))
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET search_path = pinned, pg_catalog, public")
    await set_clock(connection, at)


async def set_clock(connection: "asyncpg.Connection[Any]", at: datetime) -> None:
    """Have the pinned database say another time."""
    await connection.execute("UPDATE pinned.clock SET at = $1", at)


async def settle(built: Builder) -> dict[str, dict[str, str]]:
    """Write the city and its people; give the headers that each of them sends."""
    built.now = START
    await _lots(built)
    await _history(built)
    await _dead_letters(built)
    return await _people(built)


async def _lots(built: Builder) -> None:
    connection = built.connection
    await connection.execute(
        "INSERT INTO gateway VALUES ('gw-a2', 'op-a', false, 'hash');"
        "INSERT INTO operator VALUES ('op-none', '空', 'None');"
        "INSERT INTO ingester_status (ingester, heartbeat_at)"
        " VALUES ('ingester', '2026-11-22T01:29:55Z');"
        "INSERT INTO place VALUES ('p-1', '五四广场', 'May Fourth Square', '370202',"
        " st_point(120.382, 36.06, 4326)::geography)"
    )
    here: dict[str, Any] = {"district": "370202"}
    other = {"operator_id": "op-b", "gateway_id": "gw-s"}
    await built.lot("street", lot_type="on_street", **here)
    await built.lot(
        "garage",
        lon=120.381,
        lot_type="underground",
        reporting="bays",
        capacity=5,
        levels=2,
        height_limit_m=1.9,
        land_use="hospital",
        **here,
    )
    await built.lot("full", lon=120.382, lot_type="multi_storey", **here)
    hours = {"opens_at": _time(20), "closes_at": _time(22)}
    await built.lot("closed", lon=120.383, lat=36.061, **hours, **here)
    hours = {"opens_at": _time(7), "closes_at": _time(10)}
    await built.lot("closing", lon=120.384, lat=36.061, **hours, **here)
    await built.lot("stale", lon=120.385, lat=36.062, **here)
    await built.lot("silent", lon=120.386, lat=36.062, **here)
    await built.lot("unheard", lon=120.387, lat=36.062, **here)
    await built.lot("sim", lon=120.388, lat=36.063, lot_type="on_street", **here, **other)
    await built.lot("east", lon=120.55, lat=36.05)
    await built.lot("outside", lon=121.0, lat=37.0, lot_type="on_street", **other)
    classes = ("standard", "standard", "accessible", "ev", "large")
    places = [(120.381 + n / 1e5, 36.06, one) for n, one in enumerate(classes)]
    await built.bays("garage", *places)
    await built.report_bays(
        "garage", 5, [1], [5], free_standard=1, free_accessible=1, free_ev=1, free_large=0
    )
    for lot_id, free, age_s in (
        ("street", 5, 60.5),
        ("full", 0, 30),
        ("closed", 10, 45),
        ("closing", 3, 80),
        ("stale", 4, 1000),
        ("silent", 4, 5000),
        ("sim", 7, 10),
        ("outside", 2, 20),
    ):
        await built.report(lot_id, free, age_s=age_s, epoch=5, seq=9)


def _time(hour: int) -> Any:
    return START.replace(hour=hour, minute=0, tzinfo=None).time()


async def _history(built: Builder) -> None:
    step = timedelta(minutes=5)
    begin = START - timedelta(hours=1)
    await built.step("street", begin)
    await built.step("street", begin + step, covered_s=100.0, free_space_s=310.0)
    await built.step("street", begin + 3 * step, free_last=0, free_min=0, free_max=7)
    await built.step("garage", begin, capacity=5, known_space_s=900.0, free_space_s=600.0)


async def _dead_letters(built: Builder) -> None:
    for number, (gateway, lot, reason, payload, times, whole) in enumerate(
        [
            ("gw-a", "street", "invalid", "{}", 1, True),
            ("gw-a", "garage", "foreign_lot", '{"free":1}', 3, True),
            ("gw-a", "street", "not_json", "{" + "车" * 1200, 1, False),
            ("gw-s", "sim", "invalid", '{"free":"<masked>"}', 2, True),
            ("gw-a2", "nowhere", "unknown_lot", "é\n", 1, True),
        ]
    ):
        topic = f"onelot/v1/feeds/{gateway}/{lot}/count"
        first = START - timedelta(days=2, minutes=number)
        last = first if times == 1 else START - timedelta(hours=times)
        await built.connection.execute(
            DEAD_LETTER,
            hashlib.sha256((topic + payload).encode()).digest(),
            *(topic, gateway, lot, 7, number or None),
            *(reason, f"it is {reason}", payload, whole, len(payload.encode())),
            *(None if whole else 1, times, first, last),
        )


async def _people(built: Builder) -> dict[str, dict[str, str]]:
    at = START - timedelta(days=30)
    sent: dict[str, dict[str, str]] = {"nobody": {}}
    for person_id, (roles, operator_id) in PEOPLE.items():
        key = key_of(person_id)
        _, key_id, secret = key.split("_", 2)
        await built.connection.execute(
            "INSERT INTO person (person_id, name, roles, operator_id, created_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            *(person_id, f"人 {person_id}", roles, operator_id, at),
        )
        await built.connection.execute(
            "INSERT INTO api_key (key_id, person_id, hash, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $4::timestamptz + interval '365 days')",
            *(key_id, person_id, hashlib.sha256(secret.encode()).digest(), at),
        )
        sent[person_id] = {"Authorization": f"Bearer {key}"}
    return sent


async def remember(built: Builder, lot_id: str, end: datetime) -> None:
    """Write the history of the 28 days before `end`, nearly full, for reviews of prices."""
    await built.connection.execute(HISTORY, lot_id, end - timedelta(days=28), end)
