"""A stand-in for the platform: applies feeds in their order and acks them, over MQTT or without."""

import asyncio
import base64
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiomqtt
import numpy as np
import orjson

from simulators.gateway import NO_DELAY


@dataclass
class KeptLot:
    """A lot as the platform knows it."""

    last: tuple[int, int] = (-1, 0)
    free: int | None = None
    occupied: dict[int, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Feed:
    gateway: str
    lot: str
    kind: str
    body: dict[str, Any]

    @property
    def number(self) -> tuple[int, int]:
        return self.body["epoch"], self.body["seq"]


def bays_of(body: dict[str, Any]) -> dict[int, bool]:
    bits = np.frombuffer(base64.b64decode(body["occupied_bits"]), np.uint8)
    assert len(bits) == (body["capacity"] + 7) // 8
    unpacked = np.unpackbits(bits, bitorder="little")
    assert not unpacked[body["capacity"] :].any()
    return {n + 1: bool(unpacked[n]) for n in range(body["capacity"])}


class Rules:
    """The promises of docs/contract/feeds.md, on a few dictionaries.

    Attributes:
        lots: by lot id.
        capacities: of lots that are registered with one; others take any.
    """

    def __init__(self) -> None:
        self.lots: dict[str, KeptLot] = defaultdict(KeptLot)
        self.capacities: dict[str, int] = {}

    def take(self, feed: Feed) -> dict[str, Any]:
        """Apply a message, and give its ack."""
        lot = self.lots[feed.lot]
        epoch, seq = feed.number
        ack = {"epoch": epoch, "seq": seq, "at": datetime.now(UTC).isoformat()}
        if feed.number == lot.last:
            return ack | {"result": "duplicate"}
        if feed.number < lot.last:
            last = dict(zip(("epoch", "seq"), lot.last, strict=True))
            return ack | {"result": "superseded", "last": last}
        if self._is_too_large(feed):
            return ack | {"result": "rejected", "reason": "capacity_mismatch"}
        self._apply(feed, lot)
        return ack | {"result": "applied", "age_s": 0.0}

    def _is_too_large(self, feed: Feed) -> bool:
        capacity = self.capacities.get(feed.lot)
        if capacity is None:
            return False
        bays = [*feed.body.get("occupied", []), *feed.body.get("free", [])]
        highest = max(bays) if feed.kind == "spaces" else feed.body.get("capacity", 0)
        return bool(highest > capacity)

    def _apply(self, feed: Feed, lot: KeptLot) -> None:
        lot.last = feed.number
        if feed.kind == "count":
            lot.free = feed.body["free"]
        elif feed.kind == "snapshot":
            lot.occupied = bays_of(feed.body)
        else:
            assert not set(feed.body["occupied"]) & set(feed.body["free"])
            lot.occupied |= dict.fromkeys(feed.body["occupied"], True)
            lot.occupied |= dict.fromkeys(feed.body["free"], False)


Answer = Callable[[Feed], dict[str, Any] | None]


class PlatformDouble:
    """The rules behind a broker; `answer` may be replaced to answer otherwise, or not at all."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.rules = Rules()
        self.answer: Answer = self.rules.take
        self.feeds: list[Feed] = []
        self.statuses: list[tuple[str, str]] = []
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Answer until cancelled."""
        async with aiomqtt.Client(
            "127.0.0.1",
            self._port,
            protocol=aiomqtt.ProtocolVersion.V5,
            identifier="platform",
            socket_options=[NO_DELAY],
        ) as client:
            client.pending_calls_threshold = 10_000
            await client.subscribe("onelot/v1/feeds/#", qos=1)
            self.ready.set()
            async for message in client.messages:
                await self._take(client, message)

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        gateway, lot, kind = str(message.topic).split("/")[3:]
        assert isinstance(message.payload, bytes)
        body = orjson.loads(message.payload)
        if kind == "status":
            self.statuses.append((gateway, body["status"]))
            return
        feed = Feed(gateway, lot, kind, body)
        self.feeds.append(feed)
        ack = self.answer(feed)
        if ack is not None:
            topic = f"onelot/v1/acks/{gateway}/{lot}"
            await client.publish(topic, orjson.dumps(ack), qos=1)

    def of(self, lot: str) -> list[Feed]:
        """Give the messages received of a lot."""
        return [feed for feed in self.feeds if feed.lot == lot]
