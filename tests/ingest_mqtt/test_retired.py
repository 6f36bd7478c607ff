"""Lots that are retired: nothing of them is taken, nothing is retained, until they come back."""

import json
from datetime import UTC, datetime

from msgspec import structs

from ingest_mqtt.decide import decide
from ingest_mqtt.lots import Registry
from sql.engine import Db
from tests.ingest_mqtt.builders import GATES, REGISTRY, message, results
from tests.ingest_mqtt.running import Ingester, client
from tests.polling import until
from tests.servers import Broker

# The promise is 2 s; other tests may keep the machine busy.
WITHIN_S = 10.0


async def retire(db: Db, at: str) -> None:
    async with db.transaction():
        await db.execute(f"UPDATE lot SET retired_at = {at} WHERE lot_id = 'gates'")
        await db.execute("SELECT pg_notify('registry', 'gates')")


async def test_a_retired_lot_takes_no_report_and_comes_back_as_it_was(
    ingester: Ingester, broker: Broker, db: Db
) -> None:
    now = datetime.now(UTC).isoformat()
    async with (
        client(broker, "gw-a", "onelot/v1/acks/gw-a/+") as gateway,
        client(broker, "platform-api", "onelot/v1/state/+") as api,
    ):
        await gateway.send("gates", "count", free=7, observed_at=now)
        await until(lambda: "gates" in api.states, "the state")
        known = api.states["gates"]

        await retire(db, "now()")

        await until(
            lambda: ("onelot/v1/state/gates", b"") in api.heard, "the cleared state", WITHIN_S
        )
        for seq in (1, 2):
            await gateway.send("gates", "count", seq=seq, free=8, observed_at=now)
        await until(lambda: len(gateway.results) == 3, "the refusals")
        acks = [json.loads(payload) for _, payload in gateway.heard]
        assert [ack.get("reason") for ack in acks] == [None, "retired_lot", "retired_lot"]
        assert await db.fetchval("SELECT array_agg(reason) FROM dead_letter") == ["retired_lot"] * 2
        assert ingester.counters()['ingest_messages_total{result="rejected"}'] == 2

        await retire(db, "null")

        await until(lambda: json.loads(api.heard[-1][1] or b"{}") == known, "its state", WITHIN_S)
        await gateway.send("gates", "count", seq=2, free=8, observed_at=now)
        await until(lambda: gateway.results[-1] == "applied", "the next report")

        # Retired while nobody was there to clear what the broker keeps.
        await ingester.stop()
        api.heard.clear()
        await retire(db, "now()")
        await ingester.start()
        await until(lambda: ("onelot/v1/state/gates", b"") in api.heard, "the cleared state")


def test_whose_lot_it_was_is_said_first() -> None:
    foreign = message("gates", "count", "gw-b", free=1)
    wrong = message("gates", "spaces", free=[1])
    own = message("gates", "count", free=1)
    registry = Registry({"gates": structs.replace(GATES, is_retired=True)}, REGISTRY.operators)
    assert results(decide([foreign, wrong, own], registry, {})) == [
        "foreign_lot", "retired_lot", "retired_lot"
    ]  # fmt: skip
