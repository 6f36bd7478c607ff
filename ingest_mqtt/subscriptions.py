"""The ingester's subscriptions, and why a message arrived over them.

Two subscriptions cover the feeds. `LIVE` stands: it shows the retain flag as it was published, so
that a feed published with it can be cleared from the broker, and it does not bring our own
clearing back. `SWEEP` lives for a moment after each connect, for the copies that the broker still
holds; without "retain as published", only those carry the flag. A subscription's options cannot be
changed in mosquitto 2.0 (a second SUBSCRIBE sets the QoS alone), so that the sweep uses the filter
that earlier versions subscribed to: its end also ends that.
"""

from enum import Enum

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest_mqtt.wire import FEEDS, HEARTBEAT, PUSHES, ROOT, Reply, feed_of_push, is_push

LIVE = f"{ROOT}/feeds/+/+/+"
SWEEP = FEEDS
SWEEP_ID = 2


class Arrival(Enum):
    """Why a message arrived."""

    # It was published just now, or while we were away.
    PLAIN = "plain"
    # The same, with the retain flag: the broker holds a copy.
    RETAINED = "retained"
    # A retained copy from before.
    STORED = "stored"
    # A clearing message, or what the sweep brings a second time.
    IGNORED = "ignored"

    @property
    def clears(self) -> bool:
        """Whether the broker's copy is to be cleared."""
        return self in (Arrival.RETAINED, Arrival.STORED)


def arrival(message: MQTTMessage) -> Arrival:
    """Return why a message arrived, by its subscription and its retain flag."""
    if getattr(message.properties, "SubscriptionIdentifier", []) == [SWEEP_ID]:
        return Arrival.STORED if message.retain and message.payload else Arrival.IGNORED
    if not message.retain:
        return Arrival.PLAIN
    return Arrival.RETAINED if message.payload else Arrival.IGNORED


def addressed(message: MQTTMessage) -> tuple[str, Reply | None]:
    """Return a message's topic, and whom to answer where the API handed it on.

    A push has its feed's topic from here on: it is judged, decided, kept and counted like the same
    message over MQTT. One whose correlation data are not the API's keeps its own topic.
    """
    if not is_push(message.topic):
        return message.topic, None
    reply = Reply.read(getattr(message.properties, "CorrelationData", None))
    return (message.topic if reply is None else feed_of_push(message.topic)), reply


def subscribe(client: Client) -> None:
    """Subscribe to feeds, pushes and heartbeat; receive the broker's retained feeds once.

    At QoS 1, which turns QoS 2 into 1: what comes twice changes nothing, by its (epoch, seq), so
    that the second handshake would buy nothing.
    """
    quiet = SubscribeOptions.RETAIN_DO_NOT_SEND
    live = SubscribeOptions(1, noLocal=True, retainAsPublished=True, retainHandling=quiet)
    client.subscribe(
        [(LIVE, live), (PUSHES, live), (HEARTBEAT, SubscribeOptions(1, retainHandling=quiet))]
    )
    identifier = Properties(PacketTypes.SUBSCRIBE)  # type: ignore[no-untyped-call]
    identifier.SubscriptionIdentifier = SWEEP_ID
    once = SubscribeOptions(1, retainHandling=SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE)
    client.subscribe(SWEEP, options=once, properties=identifier)
    client.unsubscribe(SWEEP)
