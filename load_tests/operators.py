"""Operators: gateways that report over MQTT and wait for the platform's own acks."""

import time
from time import perf_counter
from typing import Any, ClassVar, Final

import gevent
from locust import task
from locust.contrib.mqtt import MqttClient, MqttUser
from paho.mqtt.client import Client, MQTTMessage

from load_tests.arrivals import Arrivals
from load_tests.feeding import GatewayFeed, Message, Settled
from load_tests.kinds import ACK, APPLIED, HELD_BACK, READY
from load_tests.sockets import send_at_once
from load_tests.target import Gateway
from load_tests.world import World
from simulators.feeds import ack_filter

_OPENING_WITHIN_S: Final = 120.0
_LAST_ACKS_WITHIN_S: Final = 10.0
# Opening snapshots of one gateway that wait for their acks.
_OPENING_IN_FLIGHT: Final = 8
# One report in so many is a count, where some lots count: each every minute or so.
_COUNT_SHARE: Final = 0.05
_LOOK_EVERY_S: Final = 0.005


class GatewayClient(MqttClient):
    """Locust's MQTT client: its events are named by what they are, not by each lot's topic."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Let more messages wait for the broker than paho does by itself."""
        super().__init__(*args, **kwargs)
        self.max_inflight_messages_set(1000)
        self.on_socket_open = send_at_once

    def _generate_event_name(self, event_type: str, qos: int, topic: str) -> str:
        del qos
        return f"{event_type} {topic.rpartition('/')[2] if event_type == 'publish' else 'acks'}"


class Operator(MqttUser):
    """One operator's gateway, reporting for all of the operator's lots.

    A message's latency is from publishing to the platform's ack, which comes after COMMIT; an ack
    that says anything but `applied` is a failure, and so is one that does not come.
    """

    world: ClassVar[World]
    gateways: ClassVar[list[Gateway]]
    running: ClassVar[list["Operator"]]
    client_cls = GatewayClient

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take the next gateway, and a share of the rate by its lots."""
        gateway = self.gateways.pop()
        plan = self.world.plan
        self.host, self.port = plan.mqtt_host, plan.mqtt_port
        # Locust's class says None where a string may stand.
        self.client_id = self.username = gateway.username  # type: ignore[assignment]
        self.password = gateway.password  # type: ignore[assignment]
        super().__init__(*args, **kwargs)
        _, self.random = self.world.new_user()
        self.feed = GatewayFeed(
            gateway.username, plan.lots_of(gateway), int(time.time()), self.random
        )
        self.arrivals = Arrivals(self._messages_per_s(), self.random)
        self.client.on_message = self._hear
        self.running.append(self)

    def _messages_per_s(self) -> float:
        plan = self.world.plan
        sensing = {lot.lot_id for lot in plan.lots if lot.reporting == "bays"}
        everyone = sum(len(sensing & set(gateway.lots)) for gateway in plan.gateways)
        share = self.feed.sensing_lots / max(everyone, 1)
        rate = plan.mix.observations_per_s / plan.mix.bays_per_message * share
        return max(rate / (1 - _COUNT_SHARE), 0.01)

    def wait_time(self) -> float:
        """Report at the moments of a Poisson process."""
        return self.arrivals.wait_s(perf_counter())

    def on_start(self) -> None:
        """Connect, tell every lot's state, and wait for the others to have done so."""
        with gevent.Timeout(_OPENING_WITHIN_S):
            while not self.client.is_connected():
                gevent.sleep(_LOOK_EVERY_S)
            self.client.subscribe(ack_filter(self.feed.gateway), qos=1)
            gevent.sleep(0.2)
            for message in self.feed.opening(perf_counter):
                self._publish(message)
                while self.feed.in_flight >= _OPENING_IN_FLIGHT:
                    gevent.sleep(_LOOK_EVERY_S)
            while self.feed.in_flight:
                gevent.sleep(_LOOK_EVERY_S)
        self.world.counted[READY] += 1
        self.world.ready.wait()

    @task
    def report(self) -> None:
        """Tell of some bays of the next lot, or now and then of a lot's count."""
        if self.world.stopping.is_set():
            return
        message = None
        if self.random.random() < _COUNT_SHARE:
            message = self.feed.count(perf_counter())
        else:
            bays = self.world.plan.mix.bays_per_message
            message = self.feed.change(bays, perf_counter())
            if message is None:
                self.world.counted[HELD_BACK] += 1
        if message is not None:
            self._publish(message)

    def last_acks(self) -> None:
        """Wait for what is still in flight; what does not come is a failure."""
        deadline = perf_counter() + _LAST_ACKS_WITHIN_S
        while self.feed.in_flight and perf_counter() < deadline:
            gevent.sleep(_LOOK_EVERY_S)
        for sent in self.feed.abandon():
            late_s = perf_counter() - sent.sent_s
            self._tell(Settled(sent, late_s, "no ack came"))
        self.client.disconnect()

    def _publish(self, message: Message) -> None:
        self.client.publish(message.topic, message.payload, qos=1)

    def _hear(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        del client, userdata
        settled = self.feed.settle(message.topic, message.payload, perf_counter())
        if settled is not None:
            self._tell(settled)

    def _tell(self, settled: Settled) -> None:
        if settled.problem is None:
            self.world.counted[APPLIED] += settled.sent.observations
        self.environment.events.request.fire(
            request_type=ACK,
            name=settled.sent.kind,
            response_time=settled.latency_s * 1000,
            response_length=0,
            exception=None if settled.problem is None else AssertionError(settled.problem),
            context={},
        )
