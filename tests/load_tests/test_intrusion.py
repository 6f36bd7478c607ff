"""A gateway that the broker lets do everything applies nothing to another operator's lot."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from random import Random

from paho.mqtt.client import MQTTv5

from load_tests.catalogue import Lot
from load_tests.forgeries import ROOT, Door, client, connect, end
from load_tests.intrusion import FOREIGN, Intruder, states
from load_tests.mutations import valid
from load_tests.stages import Session
from tests.servers import Broker

NUMBER = 200


def report(door: Door, gateway: str, lot: Lot) -> None:
    """Report for a lot, so that it has a state."""
    sample = valid(
        *(lot.lot_id, "snapshot", lot.capacity),
        order=(1, 1),
        at=datetime.now(UTC),
        random=Random(1),
    )
    one = connect(client(door, gateway, MQTTv5), door)
    one.publish(f"{ROOT}/feeds/{gateway}/{lot.lot_id}/snapshot", sample.payload, 1)
    end(one)


async def test_without_rights_the_ingester_refuses(
    session: Session, broker: Broker, database_url: str
) -> None:
    broker.lift_rights()
    door = Door(broker.port, broker.password)
    (own,) = [lot for lot in session.lots if lot.operator_id == "op-try"]
    foreign = [lot for lot in session.lots if lot.operator_id == "op-a"]
    bays = next(lot for lot in foreign if lot.reporting == "bays")
    await asyncio.to_thread(report, door, "gw-a", bays)
    intruder = Intruder(door, "gw-try", foreign, Random(1))
    # The report that the gateway hears of was applied before.
    found = await asyncio.to_thread(intruder.report, 1)
    before = await states(database_url, "op-try")
    found = await asyncio.to_thread(intruder.report, NUMBER - 1)
    assert found.acks == Counter({FOREIGN: NUMBER})
    assert len(before) == 1
    assert await states(database_url, "op-try") == before
    # The others were as good.
    found = await asyncio.to_thread(intruder.report_own, own)
    assert found.acks == Counter({FOREIGN: NUMBER, "applied": 1})
