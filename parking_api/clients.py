"""Which client a request counts for, and how much one client may ask.

A client is an IPv4 address, or the first 64 bits of an IPv6 address: a household has at least so
many. Behind a reverse proxy it is the address that the proxy tells in `X-Forwarded-For`, where the
settings name the proxy; from anybody else that header is not looked at.
"""

import struct
import time
from asyncio import sleep
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from http import HTTPStatus
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from math import ceil
from mmap import PAGESIZE, mmap
from typing import Annotated, Final

from fastapi import Depends, Request
from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from parking_api.errors import ApiError, problem_of

Network = IPv4Network | IPv6Network

FORWARDED: Final = b"x-forwarded-for"
_IPV6_PREFIX: Final = 64
# A key's count stands in one of so many slots; where others have them all, the least is forgotten.
_NEAR: Final = 8
# A key's digest, the second at which the count ends, and the count.
_SLOT: Final = struct.Struct("<QII")
_MOST: Final = 2**32 - 1
# Wrong keys from one client: answers to those after the third come later and later; after the last
# of a minute no key is looked at that has not been right before.
WRONG_KEYS: Final = parse("10/minute")
_SLOW_AFTER: Final = 3
_SLOWER_S: Final = 0.2
# So many keys that were right are remembered, as digests.
_RIGHT_KEYS: Final = 1000


class TooManyRequestsError(ApiError, status=HTTPStatus.TOO_MANY_REQUESTS, kind="too-many-requests"):
    """More comes from this address at a time than one client may ask."""

    def __init__(self, wait_s: int) -> None:
        super().__init__()
        self._wait_s = wait_s

    @property
    def headers(self) -> dict[str, str]:
        """When to ask again."""
        return {"Retry-After": str(self._wait_s)}


class TooManyWrongKeysError(
    TooManyRequestsError, status=HTTPStatus.TOO_MANY_REQUESTS, kind="too-many-wrong-keys"
):
    """Too many wrong keys came from this address; try again later."""


class SharedCounts(Storage):
    """Counts in memory that processes may share.

    Two that count for one key in the same microsecond may count once; a lock would cost everybody
    more than that.

    Args:
        memory: Of 16 bytes for each client that asks at a time; all zero at first.
    """

    STORAGE_SCHEME = None

    def __init__(self, memory: mmap) -> None:
        super().__init__()
        self._memory = memory
        self._slots = len(memory) // _SLOT.size

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the library would wrap, if it were asked to."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count for a key; return its count in this window of `expiry` seconds."""
        now = int(time.time())
        tag = _tag(key)
        place, count, ends_at = self._find(tag, now)
        count = min(count + amount, _MOST)
        _SLOT.pack_into(self._memory, place, tag, ends_at or (now // expiry + 1) * expiry, count)
        return count

    def get(self, key: str) -> int:
        """Return a key's count."""
        return self._find(_tag(key), int(time.time()))[1]

    def get_expiry(self, key: str) -> float:
        """Return when a key's count ends, seconds since 1970; now, where there is none."""
        now = time.time()
        return self._find(_tag(key), int(now))[2] or now

    def clear(self, key: str) -> None:
        """Forget a key's count."""
        place, _, ends_at = self._find(tag := _tag(key), int(time.time()))
        if ends_at:
            _SLOT.pack_into(self._memory, place, tag, 0, 0)

    def check(self) -> bool:
        """Return whether it can count."""
        return True

    def reset(self) -> int | None:
        """Forget all counts."""
        self._memory[:] = bytes(len(self._memory))
        return None

    def _find(self, tag: int, now: int) -> tuple[int, int, int]:
        """Return a key's slot, its count and when that ends; without one the slot to take, 0, 0."""
        free, least = 0, _MOST + 1
        for near in range(_NEAR):
            place = (tag + near) % self._slots * _SLOT.size
            other, ends_at, count = _SLOT.unpack_from(self._memory, place)
            if ends_at <= now:
                count = 0
            if other == tag:
                return place, count, ends_at if count else 0
            if count < least:
                free, least = place, count
        return free, 0, 0


def _tag(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little")


def _digest(shown: str) -> bytes:
    return blake2b(shown.encode(), digest_size=16).digest()


class Bounded:
    """How much each client has at a time of something that this process has.

    Args:
        most: Of one client.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._numbers: Counter[str] = Counter()

    def has_room(self, client: str | None) -> bool:
        """Return whether a client may have one more; None is one without limits."""
        return client is None or self._numbers[client] < self._most

    def add(self, client: str | None) -> None:
        """Count one more."""
        if client is not None:
            self._numbers[client] += 1

    def remove(self, client: str | None) -> None:
        """Count one less; a client that has none is forgotten."""
        if client is not None:
            self._numbers[client] -= 1
            if not self._numbers[client]:
                del self._numbers[client]


class Clients:
    """Tells clients apart, and counts what each asks.

    Args:
        proxies: Networks whose `X-Forwarded-For` is believed.
        exempt: Networks whose clients have no limits.
        limits: Each holds for every client.
        memory: Where to count, see `SharedCounts`; None for a process that counts alone.
    """

    def __init__(
        self,
        proxies: Sequence[Network] = (),
        exempt: Sequence[Network] = (),
        limits: Sequence[RateLimitItem] = (),
        memory: mmap | None = None,
    ) -> None:
        self._limits = limits
        self._limiter = FixedWindowRateLimiter(SharedCounts(memory or mmap(-1, PAGESIZE)))
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self.is_proxy = _membership(proxies)
        self.is_exempt = _membership(exempt)

    def address(self, peer: str, forwarded: Sequence[bytes]) -> str:
        """Return the address that a request comes from.

        Args:
            peer: The connection's other end.
            forwarded: The values of its `X-Forwarded-For` headers.

        Returns:
            The last address that no proxy of ours has added; the peer's where none is told, or
            what is told is no address.
        """
        if not forwarded or not self.is_proxy(peer):
            return peer
        known = peer
        for told in reversed(b",".join(forwarded).decode("latin-1").split(",")):
            address = _parsed(told.strip())
            if address is None:
                return known
            known = str(address)
            if not self.is_proxy(known):
                return known
        return known

    def check(self, address: str) -> None:
        """Count a request.

        Raises:
            TooManyRequestsError: It is one too many.
        """
        client = self.limited(address)
        if client is not None:
            for limit in self._limits:
                if not self._limiter.hit(limit, client):
                    raise TooManyRequestsError(self._wait_s(limit, client))

    def limited(self, address: str) -> str | None:
        """Return the client that an address belongs to; None for one without limits."""
        return None if self.is_exempt(address) else client_of(address)

    def check_key(self, client: str | None, shown: str) -> None:
        """Refuse to look at a key where too many were wrong, unless it was right before.

        Args:
            client: Who shows it; None for one without limits.
            shown: The key.

        Raises:
            TooManyWrongKeysError: Too many were wrong within this minute.
        """
        if client is None or _digest(shown) in self._right:
            return
        if not self._limiter.test(WRONG_KEYS, "wrong", client):
            raise TooManyWrongKeysError(self._wait_s(WRONG_KEYS, "wrong", client))

    async def note_wrong_key(self, client: str | None) -> None:
        """Count a wrong key; whoever has shown several waits for the answer."""
        if client is None:
            return
        self._limiter.hit(WRONG_KEYS, "wrong", client)
        left = self._limiter.get_window_stats(WRONG_KEYS, "wrong", client).remaining
        wrong = WRONG_KEYS.amount - left
        if wrong > _SLOW_AFTER:
            await sleep(_SLOWER_S * (wrong - _SLOW_AFTER))

    def note_right_key(self, shown: str) -> None:
        """Remember a key that was right."""
        self._right[digest := _digest(shown)] = None
        self._right.move_to_end(digest)
        if len(self._right) > _RIGHT_KEYS:
            self._right.popitem(last=False)

    def _wait_s(self, limit: RateLimitItem, *client: str) -> int:
        return max(1, ceil(self._limiter.get_window_stats(limit, *client).reset_time - time.time()))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    # What an IPv6 socket tells of an IPv4 peer.
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _membership(networks: Sequence[Network]) -> Callable[[str], bool]:
    """Return whether an address lies in one of some networks; what is none lies in none."""

    @lru_cache(4096)
    def is_in(address: str) -> bool:
        found = _parsed(address)
        return found is not None and any(found in network for network in networks)

    return is_in


@lru_cache(4096)
def client_of(address: str) -> str:
    """Return the client that an address belongs to; one for all that are no addresses."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _IPV6_PREFIX), strict=False))
    return "" if found is None else str(found)


class PerClient:
    """ASGI middleware: requests come from their clients, and no client asks too much.

    Args:
        app: What answers.
        clients: Who they are.
    """

    def __init__(self, app: ASGIApp, clients: Clients) -> None:
        self._app = app
        self._clients = clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the client's own address in its scope; or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer, port = scope.get("client") or ("", 0)
        forwarded = [value for name, value in scope["headers"] if name == FORWARDED]
        address = self._clients.address(peer, forwarded)
        try:
            self._clients.check(address)
        except TooManyRequestsError as error:
            await problem_of(error)(scope, receive, send)
            return
        # Not a copy: who passed the request on here finds the route in it.
        scope["client"] = (address, port)
        await self._app(scope, receive, send)


async def clients_of(request: Request) -> Clients:
    """Return what the application knows of its clients."""
    clients: Clients = request.app.state.clients
    return clients


async def limited_client(request: Request) -> str | None:
    """Return the client that asks; None for one without limits."""
    clients = await clients_of(request)
    return clients.limited(request.client.host) if request.client else None


LimitedClient = Annotated[str | None, Depends(limited_client)]
