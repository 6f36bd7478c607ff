"""Imports that change lots under their states, while feeds come in: nothing is lost or put back."""

import asyncio
import base64
import json
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ingest_mqtt.publish import state_payload
from ingest_mqtt.wire import StateMessage
from parking_api.command_line import connected as connect_database
from parking_api.importing.lots_file import LotOptions
from parking_api.importing.service import import_lots
from sql.engine import Db
from sql.lot_state_store import bitmap_bytes, load_lots, load_states
from sql.lot_states import LotState, misfits
from tests.ingest_mqtt.builders import AT
from tests.ingest_mqtt.running import Bench, Client, Ingester, client
from tests.polling import DEADLINE_S, until
from tests.servers import Broker

APPLIED = "applied"
MOST_IN_FLIGHT = 128
HEADER = "lot_id,name,longitude,latitude,capacity,reporting"


class Importer:
    """Imports lots of gateway gw-a, as the command does."""

    def __init__(self, connection: Any, path: Path) -> None:
        self.connection, self.path = connection, path

    async def load(self, *lots: tuple[str, int, str], owner: str = "a") -> None:
        rows = [f"{key},{key},120.38,36.06,{capacity},{kind}" for key, capacity, kind in lots]
        self.path.write_text("\n".join((HEADER, *rows)) + "\n")
        given = LotOptions({"operator_id": f"op-{owner}", "gateway_id": f"gw-{owner}"})
        await import_lots(self.connection, self.path, given, at=AT)


@asynccontextmanager
async def importing(database_url: str, directory: Path) -> AsyncIterator[Importer]:
    async with connect_database(database_url, "test") as connection:
        yield Importer(connection, directory / "lots.csv")


def bits(occupied: int, capacity: int) -> str:
    return base64.b64encode(bitmap_bytes(occupied, capacity) or b"").decode()


def now() -> str:
    return datetime.now(UTC).isoformat()


async def test_capacity_lowered_while_bays_are_taken_is_published_full(
    ingester: Ingester, broker: Broker, db: Db, database_url: str, tmp_path: Path
) -> None:
    """Eight of twelve bays are free, the first five taken: of five, none is free."""
    del ingester
    async with (
        client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway,
        client(broker, "platform-api", "onelot/v1/state/+") as api,
        importing(database_url, tmp_path) as importer,
    ):
        await gateway.send(
            "bays", "snapshot", capacity=12, occupied_bits=bits(0b11111, 12), observed_at=now()
        )
        await until(lambda: gateway.results == ["applied"], "the snapshot")
        await importer.load(("bays", 5, "bays"))
        row = await db.fetchrow("SELECT * FROM lot_now WHERE lot_id = 'bays'")
        assert row is not None
        assert (row["capacity"], row["free_spaces"], row["status"]) == (5, 0, "full")
        await until(lambda: api.states.get("bays", {}).get("capacity") == 5, "the state")
        assert api.states["bays"]["version"] == f"{row['version']:020d}"

        await importer.load(("bays", 8, "bays"))
        await until(lambda: api.states["bays"]["capacity"] == 8, "the state of the larger lot")
        assert (api.states["bays"]["free_spaces"], api.states["bays"]["unknown_spaces"]) == (0, 3)
        # The numbering goes on, and what is known of five bays is kept.
        await gateway.send("bays", "spaces", seq=2, free=[8], observed_at=now())
        await until(lambda: gateway.results == ["applied"] * 2, "the report of a new bay")
        state = (await load_states(db))["bays"].state
        assert (state.occupied, state.unknown) == (0b11111, 0b110_0000)


async def test_a_lot_that_is_removed_leaves_nothing_retained(
    ingester: Ingester, broker: Broker, db: Db
) -> None:
    del ingester
    async with (
        client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway,
        client(broker, "platform-api", "onelot/v1/state/+") as api,
    ):
        await gateway.send("gates", "count", free=7)
        await until(lambda: "gates" in api.states, "the state")
        async with db.transaction():
            await db.execute("DELETE FROM lot WHERE lot_id = 'gates'")
            await db.execute("SELECT pg_notify('registry', 'gates')")
        await until(lambda: ("onelot/v1/state/gates", b"") in api.heard, "the cleared state")


async def test_a_lot_that_goes_to_another_operator_is_numbered_anew(
    bench: Bench, broker: Broker, db: Db, database_url: str, tmp_path: Path
) -> None:
    async with (
        bench.running(),
        client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as before,
        client(broker, "gw-b", "onelot/v1/acks/gw-b/+") as after,
        client(broker, "platform-api", "onelot/v1/state/+") as api,
        importing(database_url, tmp_path) as importer,
    ):
        await before.send("gates", "count", epoch=1_764_000_000, seq=9, free=7)
        await until(lambda: before.results == ["applied"], "the report of the old gateway")
        # What changes something else leaves the numbering as it is.
        await importer.load(("gates", 40, "count"))
        assert (await load_states(db))["gates"].state.order == (1_764_000_000, 9)
        known = (await load_states(db))["gates"]

        await importer.load(("gates", 50, "count"), owner="b")

        taken_over = (await load_states(db))["gates"]
        assert taken_over.state.order == (0, 0)
        assert taken_over.version > known.version
        assert taken_over.state.observed_at == known.state.observed_at
        await until(
            lambda: api.states["gates"]["version"] == f"{taken_over.version:020d}", "the state"
        )
        msgspec.json.decode(json.dumps(api.states["gates"]), type=StateMessage)
        await before.send("gates", "count", epoch=1_764_000_000, seq=10, free=8)
        await until(lambda: len(before.results) == 2, "the answer to a late message")
        late = json.loads(before.heard[1][1])
        assert (late["result"], late["reason"]) == ("rejected", "foreign_lot")
        await after.send("gates", "count", "gw-b", epoch=5, seq=1, free=3)
        await after.send("gates", "count", "gw-b", epoch=5, seq=1, free=4)
        await until(lambda: after.results == ["applied", "duplicate"], "the new gateway's reports")
        assert (await load_states(db))["gates"].state.order == (5, 1)
        assert (await load_states(db))["gates"].state.free_spaces == 3


async def test_a_gateway_that_goes_with_its_lots_numbers_on(
    db: Db, database_url: str, tmp_path: Path
) -> None:
    """The same device: what it sent before must not come after what it sent since."""
    await db.execute(
        "INSERT INTO lot_state (lot_id, epoch, seq, version, capacity, free_spaces, "
        "unknown_spaces, observed_at, received_at, committed_at, history_at) "
        "VALUES ('bays', 7, 3, 1, 12, 0, 12, $1, $1, $1, $1)",
        AT,
    )
    async with importing(database_url, tmp_path) as importer:
        await db.execute("UPDATE gateway SET operator_id = 'op-b' WHERE gateway_id = 'gw-a'")
        importer.path.write_text(
            "lot_id,name,longitude,latitude,capacity,operator_id,gateway_id\n"
            "bays,bays,120.38,36.06,12,op-b,gw-a\n"
        )
        await import_lots(importer.connection, importer.path, LotOptions(), at=AT)

    assert await db.fetchval("SELECT operator_id FROM lot WHERE lot_id = 'bays'") == "op-b"
    assert (await load_states(db))["bays"].state.order == (7, 3)


class Feed:
    """Reports at full rate for lots whose registration changes meanwhile; keeps what was said."""

    def __init__(self, gateway: Client, dice: random.Random) -> None:
        self.gateway, self.dice = gateway, dice
        self.sent: dict[tuple[str, int], dict[str, Any]] = {}
        self._seqs: Counter[str] = Counter()

    @property
    def in_flight(self) -> int:
        """How many messages have no ack yet."""
        return len(self.sent) - len(self.gateway.heard)

    def acks(self) -> dict[tuple[str, int], list[dict[str, Any]]]:
        found = defaultdict(list)
        for topic, payload in self.gateway.heard:
            ack = json.loads(payload)
            found[topic.rpartition("/")[2], ack["seq"]].append(ack)
        return found

    async def report(self, lot: str) -> None:
        self._seqs[lot] += 1
        kind, fields = self._fields()
        self.sent[lot, self._seqs[lot]] = fields
        await self.gateway.send(lot, kind, seq=self._seqs[lot], observed_at=now(), **fields)

    def _fields(self) -> tuple[str, dict[str, Any]]:
        chosen = self.dice.random()
        if chosen < 0.3:
            return "count", {"free": self.dice.randint(0, 8)}
        if chosen < 0.5:
            size = self.dice.choice([5, 8])
            taken = self.dice.getrandbits(size)
            return "snapshot", {"capacity": size, "occupied_bits": bits(taken, size)}
        bays = self.dice.sample(range(1, 9), 3)
        return "spaces", {"occupied": bays[:1], "free": bays[1:2], "unknown": bays[2:]}


def said_of_bays(applied: list[dict[str, Any]]) -> dict[int, str]:
    """What was last said of each bay, by the messages that were applied, in their order."""
    said: dict[int, str] = {}
    for fields in applied:
        if "occupied_bits" in fields:
            taken = int.from_bytes(base64.b64decode(fields["occupied_bits"]), "little")
            for bay in range(1, 9):
                covered = bay <= fields["capacity"]
                known = "occupied" if taken >> (bay - 1) & 1 else "free"
                said[bay] = known if covered else "unknown"
        if "occupied" in fields:
            for what in ("occupied", "free", "unknown"):
                said |= dict.fromkeys(fields[what], what)
    return said


def check_bays(state: LotState, said: dict[int, str]) -> None:
    """A bay is as it was last said to be, or unknown: an import may have taken it out since."""
    if state.occupied is None or state.unknown is None:
        return
    for bay in range(1, state.capacity + 1):
        bit = 1 << (bay - 1)
        if not state.unknown & bit:
            assert said[bay] == ("occupied" if state.occupied & bit else "free")


async def test_a_stream_of_imports_and_feeds_at_full_rate_lose_nothing(
    ingester: Ingester, broker: Broker, db: Db, database_url: str, tmp_path: Path
) -> None:
    dice = random.Random(11)
    lots = ["bays", "gates", *(f"new-{n}" for n in range(6))]
    async with (
        client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway,
        client(broker, "platform-api", "onelot/v1/state/+") as api,
        importing(database_url, tmp_path) as importer,
    ):
        feed = Feed(gateway, dice)

        async def import_on() -> None:
            for _ in range(20):
                chosen = dice.sample(lots, 3)
                kinds = dice.choices(["bays", "bays", "count"], k=3)
                await importer.load(
                    *(
                        (lot, dice.choice([5, 8]), kind)
                        for lot, kind in zip(chosen, kinds, strict=True)
                    )
                )

        imports = asyncio.create_task(import_on())
        while not imports.done():
            await feed.report(dice.choice(lots))
            await until(lambda: feed.in_flight < MOST_IN_FLIGHT, "acks")
        await imports
        await until(lambda: feed.in_flight == 0, "every ack")
        acks = feed.acks()
        assert {len(one) for one in acks.values()} == {1}
        results = {key: one[0]["result"] for key, one in acks.items()}
        assert set(results.values()) == {APPLIED, "rejected"}
        reasons = {one[0].get("reason") for one in acks.values()}
        assert reasons <= {
            None, "wrong_kind", "out_of_range", "capacity_mismatch", "unknown_lot"
        }  # fmt: skip

        # A first report may have met the registration before: it is fitted right after.
        async with asyncio.timeout(DEADLINE_S):
            while misfits(await load_lots(db), await load_states(db)):  # noqa: ASYNC110 - as in `until`
                await asyncio.sleep(0.02)
        states = await load_states(db)
        for lot, committed in states.items():
            applied = {
                seq for (of, seq), result in results.items() if of == lot and result == APPLIED
            }
            assert committed.state.order == (100, max(applied))
            said = said_of_bays([feed.sent[lot, seq] for seq in sorted(applied)])
            check_bays(committed.state, said)

        def retained() -> bool:
            told = {lot: json.loads(state_payload(lot, one)) for lot, one in states.items()}
            return told == api.states

        await until(retained, "the last states")
    assert await db.fetchval("SELECT max(covered_s) FROM lot_occupancy") <= 300
    assert "Traceback" not in ingester.log.read_text()
