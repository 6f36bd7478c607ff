"""What a client sees of the broker's bound on a packet, by either version of MQTT."""

from collections.abc import Callable
from queue import Queue
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.servers import Broker

BOUND = 262_144
TOPIC = "onelot/v1/feeds/gw-a/lot/spaces"
# Topic with its length, number; of the fixed header mosquitto counts the first byte alone.
HEADER = {mqtt.MQTTv311: 1 + 2 + len(TOPIC) + 2, mqtt.MQTTv5: 1 + 2 + len(TOPIC) + 2 + 1}
WAIT_S = 10.0


@pytest.fixture
def connect(broker: Broker) -> Callable[[MQTTProtocolVersion], tuple[mqtt.Client, Any]]:
    broker.add_users("gw-a")

    def connected(version: MQTTProtocolVersion) -> tuple[mqtt.Client, Queue[Any]]:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="gw-a", protocol=version)
        client.username_pw_set("gw-a", broker.password("gw-a"))
        told: Queue[Any] = Queue()
        client.on_connect = lambda *answer: told.put(answer[4])
        client.on_publish = lambda *_: told.put("taken")
        client.on_disconnect = lambda *answer: told.put((answer[2], answer[3]))
        client.connect(broker.host, broker.port)
        client.loop_start()
        return client, told

    return connected


@pytest.mark.parametrize("version", [mqtt.MQTTv311, mqtt.MQTTv5])
def test_too_large_a_packet_ends_the_connection_and_is_never_confirmed(
    connect: Callable[[MQTTProtocolVersion], tuple[mqtt.Client, Queue[Any]]],
    version: MQTTProtocolVersion,
) -> None:
    client, told = connect(version)
    answer = told.get(timeout=WAIT_S)
    if version == mqtt.MQTTv5:
        assert answer.MaximumPacketSize == BOUND
    largest = BOUND - HEADER[version]
    client.publish(TOPIC, bytes(largest), qos=1)
    assert told.get(timeout=WAIT_S) == "taken"
    client.publish(TOPIC, bytes(largest + 1), qos=1)
    flags, reason = told.get(timeout=WAIT_S)
    if version == mqtt.MQTTv5:
        assert flags.is_disconnect_packet_from_server
        assert reason.value == 149
    client.disconnect()
    client.loop_stop()
