"""What strangers can do to the API: `python -m load_tests.abuse [--lots 60] [--times 3]`.

Starts a city of its own, and prints for each attack the slowest `/healthz` beside it, asked for
every 20 ms by another process over new connections, and the API's memory. The attack is a process
of its own that gives way to all others: strangers have processors of their own. Exit status 1 when
an answer took longer than 100 ms: on a machine that does nothing else.
"""

import asyncio
import json
import os
import statistics
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil

from load_tests.beside import PATIENCE_S, PROCESSES, asking_for_health
from load_tests.rig import say, scenario
from load_tests.target import Target

SLOWEST_MS: Final = 100.0
_NICE: Final = 10


def _dense() -> dict[str, Any]:
    """Make the tariff that takes longest of all that are valid."""
    periods = [
        {
            "id": f"p{place}",
            "days": "all",
            "start": f"{place // 2:02}:{place % 2 * 30:02}",
            "end": f"{(place + 1) // 2:02}:{(place + 1) % 2 * 30:02}",
            "charge": "unit",
            "unit_s": 420,
            "rounding": "down",
            "tiers": [{"from_s": 420 * tier, "price_minor": tier} for tier in range(4)],
        }
        for place in range(48)
    ]
    return {
        "id": "dense",
        "name": {"zh": "密", "en": "Dense"},
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "periods": periods,
        "tier_clock": "window",
        "boundary": "split",
        "grace": {"mode": "none"},
        "version_policy": "at_entry",
        "vehicles": {f"v{place}": {"multiplier": "1.123456789"} for place in range(32)},
    }


class Abuse:
    """The attacks: each public method is one, a coroutine that ends by itself."""

    def __init__(self, host: str, port: int, drafter: str, lot_id: str) -> None:
        self._at = host, port
        self._drafter = f"Authorization: Bearer {drafter}\r\n".encode()
        self._lot_id = lot_id

    async def _send(self, sent: bytes, *, times: int = 1, read: bool = True) -> None:
        """Open a connection, send something, and wait until the other side has ended it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_connection(*self._at)
                for _ in range(times):
                    writer.write(sent)
                    await writer.drain()
                while read and await reader.read(2**20):
                    pass
                writer.close()
        except (OSError, TimeoutError):
            pass

    def _post(self, path: str, body: bytes, headers: bytes = b"") -> bytes:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
        closing = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        return head + headers + closing + body

    async def _many(self, count: int, sent: bytes, times: int = 1) -> None:
        await asyncio.gather(*(self._send(sent, times=times) for _ in range(count)))

    async def nothing(self) -> None:
        """For comparison."""
        await asyncio.sleep(5)

    async def half_sent_requests(self) -> None:
        """1,500 of them."""
        await self._many(1500, b"GET /healthz HTTP/1.1\r\nHost: x\r\n")

    async def heads_of_10_mb(self) -> None:
        """Twenty."""
        await self._many(20, b"GET /healthz HTTP/1.1\r\na: " + b"b" * 10_000_000)

    async def bodies_of_400_mb(self) -> None:
        """Three, at once."""
        head = b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 400000000\r\n\r\n"
        await self._many(3, head + b" " * 10_000_000)
        chunk = b"%x\r\n" % 10_000_000 + b" " * 10_000_000 + b"\r\n"
        chunked = b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        await self._many(3, chunked + chunk * 4)

    async def bodies_without_a_key(self) -> None:
        """10 MB of `[1,1,...]` on a guarded route, ten at once."""
        await self._many(10, self._post("/v1/enrolments", b"[" + b"1," * 5_000_000 + b"1]"))

    async def twisted_bodies(self) -> None:
        """Repeated and countless members, nesting, of 64 KiB each, fifty of each."""
        twice = b"{" + b",".join(b'"a%d":1,"a%d":1' % (n, n) for n in range(3_000)) + b"}"
        wide = b'{"granted":[' + b"1," * 30_000 + b"1]}"
        for body in (twice, wide, b"[" * 60_000, b'{"a":' * 10_000, b"[" + b"{}," * 20_000 + b"1]"):
            await self._many(50, self._post("/v1/quotes", body))

    async def slow_bodies(self) -> None:
        """Four hundred, of which nothing comes."""
        await self._many(400, self._post("/v1/quotes", b"")[:-5] + b"9\r\n\r\n{")

    async def pipelines(self) -> None:
        """3,000 requests at once on each of twenty connections."""
        await self._many(20, b"GET /v1/city HTTP/1.1\r\nHost: x\r\n\r\n" * 3000)

    async def years_of_parking(self) -> None:
        """Stays of 366 days at a published tariff, a hundred at once."""
        await self._many(100, self._post("/v1/quotes", self._stay(366, lot_id=self._lot_id)))

    async def dense_documents(self) -> None:
        """The heaviest document that is valid, priced and looked over for the bureau."""
        for days in (60, 366):
            body = self._stay(days, document=_dense(), vehicle="v1")
            await self._many(8, self._post("/v1/quotes", body, self._drafter))
        body = json.dumps({"document": _dense()}).encode()
        await self._many(3, self._post("/v1/tariffs/lint", body, self._drafter))

    async def zones_of_2_mb(self) -> None:
        """Zones of as many corners as are let in, and of more."""
        for corners in (49_000, 80_000):
            ring = [[120 + n % 97 / 97, 36 + n * 7919 % 49_999 / 49_999] for n in range(corners)]
            zone = {"zone_id": "z", "geometry": {"type": "Polygon", "coordinates": [ring]}}
            body = json.dumps(zone, separators=(",", ":")).encode()[: 2 * 2**20]
            await self._many(4, self._post("/v1/zones", body, self._drafter))

    async def answers_that_nobody_reads(self) -> None:
        """Long lists, asked for on two hundred connections; none is read."""
        ask = b"GET /v1/lots?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n" * 8
        opened = await asyncio.gather(*(asyncio.open_connection(*self._at) for _ in range(200)))
        for reader, writer in opened:
            reader._transport.pause_reading()  # type: ignore[attr-defined]  # noqa: SLF001
            writer.write(ask)
        await asyncio.sleep(10)
        for _, writer in opened:
            writer.transport.abort()

    def _stay(self, days: int, **what: Any) -> bytes:
        entry = datetime.now(UTC).replace(microsecond=0)
        leaving = entry + timedelta(days=days) - timedelta(minutes=1)
        stay = {"entry": entry.isoformat(), "exit": leaving.isoformat()}
        return json.dumps(stay | what).encode()


def _attack(abuse: Abuse, name: str) -> None:
    os.nice(_NICE)
    asyncio.run(getattr(abuse, name)())


def _slowest_beside(abuse: Abuse, name: str, url: str) -> float:
    """Run an attack, ask for `/healthz` meanwhile, and return its slowest answer in ms."""
    attack = PROCESSES.Process(target=_attack, args=(abuse, name))
    with asking_for_health(url) as stopped:
        attack.start()
        attack.join()
        return stopped()


def run(directory: Path, times: int) -> int:
    """Run every attack so many times against the city in a directory; 1 if one took too long."""
    target = Target.of(directory)
    at = urlsplit(target.http)
    people = json.loads((directory / "credentials.json").read_text())["people"]
    drafter = next(each["key"] for each in people if each["role"] == "bureau_drafter")
    abuse = Abuse(at.hostname or "", at.port or 80, drafter, target.gateways[0].lots[0])
    api = psutil.Process(target.processes["api"])
    worst = 0.0
    attacks = [name for name in vars(Abuse) if not name.startswith("_")]
    for name in attacks:
        slowest = [_slowest_beside(abuse, name, target.http) for _ in range(times)]
        worst = max(worst, *slowest)
        memory_mb = sum(each.memory_info().rss for each in (api, *api.children())) / 2**20
        line = f"{name.replace('_', ' '):28} /healthz at most {max(slowest):6.1f} ms"
        say(f"{line} (median {statistics.median(slowest):6.1f})  {memory_mb:6.0f} MiB")
    return 0 if worst <= SLOWEST_MS else 1


def main(argv: list[str] | None = None) -> int:
    """Run against a city of our own; 1 if an answer took too long."""
    return scenario("load_tests.abuse", __doc__, run, 1, argv)


if __name__ == "__main__":
    sys.exit(main())
