"""What the ingester tells by the broker, as a test would have it."""

import aiomqtt
import orjson

from tests.parking_api.builders import Builder
from tests.servers import Broker


def state(lot_id: str, version: int, free_spaces: int, built: Builder) -> bytes:
    at = built.now.isoformat()
    told = {"lot": lot_id, "epoch": 1, "seq": 2, "version": f"{version:020d}", "capacity": 10}
    told |= {"free_spaces": free_spaces, "unknown_spaces": 0}
    told |= {"observed_at": at, "received_at": at, "committed_at": at}
    return orjson.dumps(told)


def ingester(broker: Broker) -> aiomqtt.Client:
    password = broker.password("platform-ingest")
    return aiomqtt.Client(broker.host, broker.port, username="platform-ingest", password=password)
