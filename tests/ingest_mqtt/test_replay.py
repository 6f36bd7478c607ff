"""What was refused by a fault of ours, taken in again."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from ingest_mqtt import decide as deciding
from ingest_mqtt import replay
from ingest_mqtt.effects import Received
from sql.engine import Db
from tests.ingest_mqtt.builders import AT, message
from tests.ingest_mqtt.parts import keeper
from tests.ingest_mqtt.running import Bench, client, totals
from tests.polling import until


async def refuse_internally(db: Db, *batch: Received) -> None:
    box = await keeper(db)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding, "advance", lambda *_, **__: 1 / 0)
        await box.refuse(batch)


def count(seq: int, free: int, **fields: Any) -> Received:
    return message("gates", "count", seq=seq, free=free, **fields)


@asynccontextmanager
async def command(database_url: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ingest_mqtt", "replay", "--database-url", database_url),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    yield process
    await process.wait()


async def run_command(database_url: str, *arguments: str) -> tuple[int | None, str]:
    async with command(database_url, *arguments) as process:
        output, _ = await process.communicate()
    return process.returncode, output.decode()


async def results(db: Db) -> list[str | None]:
    rows = await db.fetch("SELECT replay_result FROM dead_letter ORDER BY lot_id, epoch, seq")
    return [row["replay_result"] for row in rows]


async def test_the_running_ingester_takes_them_in_each_lot_in_its_order(
    bench: Bench, db: Db, database_url: str
) -> None:
    await refuse_internally(
        db,
        count(3, 30),
        count(2, 20),
        message("bays", "spaces", seq=1, occupied=[1]),
        count(9, 99),
        message("bays", "spaces", seq=2, occupied=[2], plate="B12345"),
    )
    reasons = [row["reason"] for row in await db.fetch("SELECT reason FROM dead_letter")]
    assert sorted(reasons) == ["internal"] * 4 + ["invalid"]
    acks, states = "onelot/v1/acks/gw-a/+", "onelot/v1/state/+"
    async with (
        bench.running() as ingester,
        client(bench.broker, "gw-a", acks) as gateway,
        client(bench.broker, "platform-api", states) as api,
    ):
        status, output = await run_command(database_url)
        assert status == 0, output
        assert [line.split() for line in output.splitlines()[-2:]] == [
            ["3", "applied"],
            ["1", "rejected:", "out_of_range"],
        ]
        await until(lambda: {"gates", "bays"} <= set(api.states), "both lots' states")
        assert api.states["gates"]["free_spaces"] == 30
        counters = await asyncio.to_thread(ingester.counters)
        assert totals(counters, "replayed", "result") == {"applied": 3, "rejected": 1}
        # They are not received again: the other counters add up without them.
        assert counters["ingest_received_total"] == 0
        assert gateway.heard == []
    assert await results(db) == [
        *("applied", None, "applied", "applied", "rejected: out_of_range"),
    ]
    frees = await db.fetch("SELECT free_spaces FROM count_event ORDER BY 1")
    assert [row["free_spaces"] for row in frees] == [20, 30]
    assert await db.fetchval("SELECT count(*) FROM dead_letter") == 5


async def test_what_is_newer_stays(bench: Bench, db: Db, database_url: str) -> None:
    await refuse_internally(db, count(2, 20), count(3, 30))
    async with (
        bench.running(),
        client(bench.broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway,
    ):
        await gateway.send("gates", "count", seq=3, free=7)
        await until(lambda: gateway.results == ["applied"], "the newer message")
        status, output = await run_command(database_url, "--gateway", "gw-a")
    assert (status, await results(db)) == (0, ["superseded", "duplicate"]), output
    assert await db.fetchval("SELECT free_spaces FROM lot_state") == 7


async def test_what_its_sender_did_wrong_is_asked_for_once(
    bench: Bench, db: Db, database_url: str
) -> None:
    await refuse_internally(db, count(1, 10), count(2, 99))
    async with bench.running():
        assert (await run_command(database_url))[0] == 0
        first = await db.fetchval("SELECT max(replayed_at) FROM dead_letter")
        status, output = await run_command(database_url)
    assert (status, await results(db)) == (0, ["applied", "rejected: out_of_range"])
    assert [line.split() for line in output.splitlines()[1:]] == [["gw-a", "0", "1", "1", "0"]]
    assert await db.fetchval("SELECT max(replayed_at) FROM dead_letter") == first


async def test_without_an_ingester_it_waits_for_one(
    bench: Bench, db: Db, database_url: str
) -> None:
    await refuse_internally(db, count(1, 10))
    status, output = await run_command(database_url, "--wait", "0.1")
    assert (status, await results(db)) == (1, [None])
    assert "not taken in yet" in output
    async with bench.running():

        async def is_applied() -> bool:
            return await results(db) == ["applied"]

        await until(is_applied, "the message applied")


async def test_only_what_is_chosen_is_asked_for(db: Db, database_url: str) -> None:
    await refuse_internally(db, count(1, 10), message("other", "spaces", "gw-b", free=[1]))
    late = Received(count(2, 20).topic, count(2, 20).payload, AT + timedelta(days=1))
    await refuse_internally(db, late)

    async def chosen(*arguments: str) -> list[str]:
        await run_command(database_url, "--wait", "0", *arguments)
        rows = await db.fetch(
            "SELECT lot_id || seq AS name FROM dead_letter WHERE replay_requested_at IS NOT NULL"
            " ORDER BY 1"
        )
        await db.execute("UPDATE dead_letter SET replay_requested_at = NULL")
        return [row["name"] for row in rows]

    assert await chosen("--dry-run") == []
    assert await chosen("--gateway", "gw-b") == ["other1"]
    assert await chosen("--since", (AT + timedelta(hours=1)).isoformat()) == ["gates2"]
    assert await chosen("--since", AT.isoformat(), "--gateway", "gw-a") == ["gates1", "gates2"]
    assert await chosen() == ["gates1", "gates2", "other1"]


async def test_what_is_there_is_told_by_gateway(db: Db, database_url: str) -> None:
    assert await run_command(database_url, "--dry-run") == (
        *(0, "no message was refused by a fault of the platform\n"),
    )
    await refuse_internally(db, count(1, 10), count(2, 20))
    _, output = await run_command(database_url, "--dry-run")
    assert [line.split() for line in output.splitlines()] == [
        ["gateway", "to", "replay", "replayed", "refused", "masked"],
        ["gw-a", "2", "0", "0", "0"],
    ]


@pytest.mark.parametrize("since", ["yesterday", "2026-11-22T09:30:00", ""])
def test_a_time_needs_its_offset(since: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        replay.parser().parse_args(["--since", since])
    assert caught.value.code == 2
    assert "a time with its offset" in capsys.readouterr().err


async def test_a_database_that_is_away_is_told() -> None:
    lines: list[str] = []
    url = "postgresql://nobody@127.0.0.1:1/none"
    assert await asyncio.to_thread(replay.main, ["--database-url", url], lines.append) == 1
    assert lines == ["the database is away: ConnectionRefusedError"]


async def test_what_cannot_be_stored_is_refused_again_and_stops_nothing(
    bench: Bench, db: Db, database_url: str, owner_url: str
) -> None:
    await refuse_internally(db, count(1, 13), count(2, 14))
    owner = await asyncpg.connect(owner_url)
    await owner.execute("ALTER TABLE count_event ADD CONSTRAINT thirteen CHECK (free_spaces <> 13)")
    await owner.close()
    async with bench.running():
        status, output = await run_command(database_url)
        assert (status, await results(db)) == (0, ["rejected: internal", "applied"]), output
        owner = await asyncpg.connect(owner_url)
        await owner.execute("ALTER TABLE count_event DROP CONSTRAINT IF EXISTS thirteen")
        await owner.close()
        status, output = await run_command(database_url)
    assert output.splitlines()[1].split() == ["gw-a", "1", "1", "0", "0"]
    # Asked for once more, now that it is mended: the newer one stays.
    assert (status, await results(db)) == (0, ["superseded", "applied"]), output
