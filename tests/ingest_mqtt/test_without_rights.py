"""With the broker's rights switched off, the ingester still keeps operators apart."""

import json

from sql.engine import Db
from tests.ingest_mqtt.running import UNHURRIED, Bench, client
from tests.polling import until

ROOT = "onelot/v1"
REPORTS: dict[str, dict[str, object]] = {
    "spaces": {"occupied": [1], "free": [2], "unknown": []},
    "snapshot": {"capacity": 8, "occupied_bits": "AQ=="},
    "count": {"free": 1},
}


async def test_a_gateway_applies_nothing_to_another_operators_lot(bench: Bench, db: Db) -> None:
    """Under its own name, however it is sent: each is refused as another operator's lot."""
    bench.broker.lift_rights()
    foreign = await db.fetch(
        "SELECT lot_id FROM lot WHERE operator_id <> "
        "(SELECT operator_id FROM gateway WHERE gateway_id = 'gw-b')"
    )
    assert foreign
    before = await db.fetch("SELECT * FROM lot_state ORDER BY lot_id")
    number = 0
    async with (
        bench.running(**UNHURRIED),
        client(bench.broker, "gw-b", f"{ROOT}/#") as intruder,
    ):
        for lot in (row["lot_id"] for row in foreign):
            for kind, fields in REPORTS.items():
                for qos in (0, 1, 2):
                    number += 1
                    at = "2026-11-22T09:30:00+08:00"
                    report = {"epoch": 100, "seq": number, "observed_at": at, **fields}
                    await intruder.client.publish(
                        f"{ROOT}/feeds/gw-b/{lot}/{kind}",
                        json.dumps(report),
                        qos=qos,
                        retain=number % 2 == 0,
                    )
        await until(lambda: len(intruder.results) == number, "the acks")
    acks = [json.loads(payload) for topic, payload in intruder.heard if "/acks/" in topic]
    assert {ack["reason"] for ack in acks} == {"foreign_lot"}
    assert await db.fetch("SELECT * FROM lot_state ORDER BY lot_id") == before
