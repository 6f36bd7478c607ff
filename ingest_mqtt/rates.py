"""Rate limits of gateways: a message over the rate is deferred, one far over it is dropped.

Each gateway has two token buckets, one of messages and one of bytes. Behind each is a wider bucket:
when that is empty too, messages are dropped. A message is judged once, when it comes in, by a clock
that never steps; it is parsed only if it may have to be deferred.

Memory is bounded by the registry: all unregistered gateways share one bucket, and a lot is only
remembered where the gateway may report for it.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import msgspec
from pydantic import BaseModel, Field

from ingest_mqtt.lots import GatewaySize, Registry
from ingest_mqtt.messages import MAX_PAYLOAD_BYTES, RejectionError, parse_report
from ingest_mqtt.transition import advance
from ingest_mqtt.wire import MAX_RETRY_S, Epoch, FeedTopic, Seq

# An honest message is at most 300 bytes of frame and 7 bytes a bay.
FRAME_BYTES: Final = 300
BAY_BYTES: Final = 7
# After a reconnect: a lot's complete state, and the most messages of it that wait for their acks.
RECONNECT_MESSAGES: Final = 17
RETRY_S: Final = (1, MAX_RETRY_S)
WHOLE_STATES: Final = frozenset({"snapshot", "count"})
_GATEWAY_LEVEL: Final = 3
_LEVELS: Final = 6
_NOBODY: Final = GatewaySize()


class Rates(BaseModel, frozen=True):
    """What gateways may send; the defaults are the least (docs/contract/feeds.md, Rates)."""

    gateway_messages_per_s: float = Field(
        20.0, ge=20, description="what any gateway may send; beyond it, messages are deferred"
    )
    gateway_burst: float = Field(100.0, ge=100, description="messages at once from any gateway")
    lot_messages_per_s: float = Field(
        5.0, ge=0, description="what a gateway may send for each of its lots, where that is more"
    )
    lot_burst: float = Field(
        40.0,
        ge=RECONNECT_MESSAGES,
        description="messages at once for each of its lots, where that is more",
    )
    message_bytes: float = Field(
        8192.0, ge=1024, description="bytes that each message of these rates may have on average"
    )
    drop_at: float = Field(
        10.0, ge=10, description="above so many times these rates, messages are dropped"
    )


@dataclass(frozen=True, slots=True)
class Deferred:
    """The verdict on a message over the rate, or after such a one: to be sent again.

    `epoch` and `seq` are None where the message was not read.
    """

    epoch: int | None
    seq: int | None
    retry_s: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """The verdict on a message far over the rate: neither parsed nor acknowledged."""


@dataclass(slots=True)
class Bucket:
    """Tokens that grow with time up to a limit.

    Attributes:
        per_s: How fast.
        most: The limit; also what it begins with.
    """

    per_s: float
    most: float
    _tokens: float = field(init=False)
    _at_s: float = field(init=False, default=-math.inf)

    def __post_init__(self) -> None:
        """Begin full."""
        self._tokens = self.most

    def has(self, amount: float, now_s: float) -> bool:
        """Return whether there is so much; an amount above the limit needs a full bucket."""
        if now_s > self._at_s:
            self._tokens = min(self._tokens + (now_s - self._at_s) * self.per_s, self.most)
            self._at_s = now_s
        return self._tokens >= min(amount, self.most)

    def take(self, amount: float) -> None:
        """Take an amount out; call `has` before."""
        self._tokens = max(self._tokens - amount, 0.0)

    def resize(self, per_s: float, most: float) -> None:
        """Change how fast it grows and how much it holds; what was taken stays taken."""
        self._tokens = max(most - (self.most - self._tokens), 0.0)
        self.per_s, self.most = per_s, most


class Allowance:
    """The buckets of one gateway.

    Args:
        rates: The settings.
        size: How much the gateway reports for.
    """

    def __init__(self, rates: Rates, size: GatewaySize) -> None:
        self._buckets = [Bucket(*limits) for limits in _limits(rates, size)]

    def resize(self, rates: Rates, size: GatewaySize) -> None:
        """Follow a change of the registry."""
        for bucket, limits in zip(self._buckets, _limits(rates, size), strict=True):
            bucket.resize(*limits)

    @property
    def retry_s(self) -> int:
        """Seconds until half of a burst is available: then some waiting messages will pass."""
        messages, (least, most) = self._buckets[0], RETRY_S
        return min(max(math.ceil(messages.most / 2 / messages.per_s), least), most)

    def take(self, size: int, now_s: float, *, wide: bool = False) -> bool:
        """Count a message; return False, and count nothing, where it is over the rate.

        Args:
            size: Its bytes.
            now_s: Seconds of a clock that never goes back.
            wide: Count it in the wide buckets: over their rate, it is to be dropped.
        """
        messages, octets = self._buckets[2:] if wide else self._buckets[:2]
        enough = messages.has(1.0, now_s) and octets.has(size, now_s)
        if enough:
            messages.take(1.0)
            octets.take(size)
        return enough


def _limits(rates: Rates, size: GatewaySize) -> list[tuple[float, float]]:
    """Return (per second, most) of messages, of bytes, then of both wide buckets."""
    per_s = max(rates.gateway_messages_per_s, rates.lot_messages_per_s * size.lots)
    burst = max(rates.gateway_burst, rates.lot_burst * size.lots)
    reconnect = RECONNECT_MESSAGES * (FRAME_BYTES * size.lots + BAY_BYTES * size.spaces)
    narrow = [
        (per_s, burst),
        (per_s * rates.message_bytes, max(burst * rates.message_bytes, reconnect)),
    ]
    return narrow + [(rates.drop_at * speed, rates.drop_at * most) for speed, most in narrow]


@dataclass(frozen=True, slots=True)
class _Awaited:
    """The deferred message that a lot waits for, and until when (seconds of the clock)."""

    order: tuple[int, int]
    until_s: float


class Limiter:
    """Decides which messages may be handled now, as they come in.

    Args:
        rates: The settings.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._registry = Registry()
        self._strangers = Allowance(rates, _NOBODY)
        # The registry bounds what both remember: gateways, and lots of gateways.
        self._allowances: dict[str, Allowance] = {}
        self._awaited: dict[tuple[str, str], _Awaited] = {}

    def _follow(self, registry: Registry) -> None:
        """Follow the registry: forget what is no longer registered."""
        self._registry = registry
        for gateway in self._allowances.keys() - registry.operators.keys():
            del self._allowances[gateway]
        for gateway, allowance in self._allowances.items():
            allowance.resize(self._rates, registry.sizes.get(gateway, _NOBODY))
        self._awaited = {key: one for key, one in self._awaited.items() if self._may_report(*key)}

    def judge(
        self, registry: Registry, topic: str, payload: bytes, now_s: float
    ) -> Deferred | Dropped | None:
        """Judge one message.

        Args:
            registry: Who is registered now.
            topic: As published, a feed's or not.
            payload: Its bytes.
            now_s: Seconds of a clock that never goes back.

        Returns:
            The verdict; None where the message may be handled. A message over its rate whose
            epoch and seq cannot be read may be handled: it is refused, and never sent again.
        """
        if registry is not self._registry:
            self._follow(registry)
        gateway, lot, kind = _levels(topic)
        allowance = self._allowance(gateway)
        if not allowance.take(len(payload), now_s, wide=True):
            return Dropped()
        if kind in ("", "status"):
            return None
        awaited = self._live(gateway, lot, now_s) if self._awaited else None
        if awaited is None and allowance.take(len(payload), now_s):
            return None
        feed, order = FeedTopic.parse(topic), _order(payload)
        if feed is None or order is None:
            return None
        if awaited is None:
            return self._defer(feed, order, now_s)
        return self._in_turn(feed, order, payload, now_s)

    def _in_turn(
        self, feed: FeedTopic, order: tuple[int, int], payload: bytes, now_s: float
    ) -> Deferred | None:
        """Judge a message of a lot that waits for a deferred one, which must stay first."""
        key = feed.gateway_id, feed.lot_id
        allowance, awaited = self._allowance(feed.gateway_id), self._awaited[key]
        later = order > awaited.order
        is_complete = later and feed.kind in WHOLE_STATES and self._is_complete(feed, payload)
        if later and not is_complete and feed.kind not in WHOLE_STATES:
            return Deferred(*order, allowance.retry_s)
        if not allowance.take(len(payload), now_s):
            return self._defer(feed, order, now_s)
        if is_complete or order == awaited.order:
            del self._awaited[key]
        return None

    def _is_complete(self, feed: FeedTopic, payload: bytes) -> bool:
        """Return whether a message reports the full lot, so that no earlier one is needed."""
        lot = self._registry.lots[feed.lot_id]
        try:
            report = parse_report(feed.kind, payload)
            advance(lot, None, report, report.observed_at)
        except RejectionError:
            return False
        return report.reporting == lot.reporting

    def _defer(self, feed: FeedTopic, order: tuple[int, int], now_s: float) -> Deferred:
        """Defer a message; its lot then waits for it or for an earlier one."""
        key = feed.gateway_id, feed.lot_id
        retry_s = self._allowance(feed.gateway_id).retry_s
        awaited = self._awaited.get(key)
        if self._may_report(*key) and (awaited is None or order <= awaited.order):
            self._awaited[key] = _Awaited(order, now_s + 2 * retry_s)
        return Deferred(*order, retry_s)

    def _live(self, gateway: str, lot: str, now_s: float) -> _Awaited | None:
        """Return what a lot waits for; forget a wait that has lasted long enough."""
        awaited = self._awaited.get((gateway, lot))
        if awaited is not None and now_s >= awaited.until_s:
            del self._awaited[gateway, lot]
            return None
        return awaited

    def _allowance(self, gateway: str) -> Allowance:
        if gateway not in self._registry.operators:
            return self._strangers
        if gateway not in self._allowances:
            size = self._registry.sizes.get(gateway, _NOBODY)
            self._allowances[gateway] = Allowance(self._rates, size)
        return self._allowances[gateway]

    def _may_report(self, gateway: str, lot: str) -> bool:
        registered = self._registry.lots.get(lot)
        return registered is not None and (
            self._registry.operators.get(gateway) == registered.operator_id
        )


def _levels(topic: str) -> tuple[str, str, str]:
    """Return gateway, lot and kind of a topic; empty where it is not as deep as a feed's."""
    parts = topic.split("/", _LEVELS)
    gateway = parts[_GATEWAY_LEVEL] if len(parts) > _GATEWAY_LEVEL else ""
    return (gateway, parts[-2], parts[-1]) if len(parts) == _LEVELS else (gateway, "", "")


class _Numbers(msgspec.Struct):
    epoch: Epoch
    seq: Seq


_NUMBERS: Final = msgspec.json.Decoder(_Numbers)


def _order(payload: bytes) -> tuple[int, int] | None:
    """Return (epoch, seq); None where the message has none."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        numbers = _NUMBERS.decode(payload)
    except (ValueError, RecursionError):
        return None
    return numbers.epoch, numbers.seq
