"""What prices cost `/v1/nearest`: `python -m load_tests.nearest_bench [--requests 600]`.

The API runs in this process over the database of the running demo. Each place is asked for twice in
a row, with prices and without, in turns first; lengths of stay differ from one place to the next,
so that quotes are computed and not remembered. The ratio is of the sums over all places.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx
import structlog

from parking_api.app import create_app
from parking_api.models import Json
from parking_api.quotes.following import FollowedPrices
from parking_api.quotes.models import Stay
from parking_api.settings import ApiSettings
from sql.engine import DatabaseUnknownError, database_url

MOST_DEARER = 0.30
WARM_UP = 50


class Figures(NamedTuple):
    """Mean milliseconds a request, on the wall and of this process's CPU, and quotes an answer."""

    priced_ms: float
    plain_ms: float
    priced_cpu_ms: float
    plain_cpu_ms: float
    quotes: float

    @property
    def dearer(self) -> float:
        """By which share of the unpriced answer the priced one takes longer, on the wall."""
        return self.priced_ms / self.plain_ms - 1


class Switch:
    """Turns the prices of an application off and on."""

    def __init__(self, prices: FollowedPrices) -> None:
        self._quote_lots = prices.quote_lots
        self.on = True
        # The instance's own name hides the method.
        prices.quote_lots = self._quote  # type: ignore[method-assign]

    def _quote(self, lots: Iterable[Json], stay: Stay) -> None:
        if self.on:
            self._quote_lots(lots, stay)


@asynccontextmanager
async def _serving(url: str) -> AsyncIterator[tuple[httpx.AsyncClient, Switch]]:
    app = create_app(ApiSettings(), url)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            yield client, Switch(app.state.prices)


async def _places(client: httpx.AsyncClient, chance: random.Random, number: int) -> list[str]:
    lots = (await client.get("/v1/lots?limit=1000")).raise_for_status().json()["items"]
    places = (chance.choice(lots)["location"]["coordinates"] for _ in range(number))
    return [
        f"/v1/nearest?lon={lon}&lat={lat}&duration_min={chance.randint(15, 1440)}"
        for lon, lat in places
    ]


async def measure(url: str, requests: int, seed: int = 370_200) -> Figures:
    """Ask `requests` places, each twice, over the database at `url`."""
    chance = random.Random(seed)  # noqa: S311 - places, not secrets
    wall, cpu, quotes = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}, 0
    async with _serving(url) as (client, switch):
        places = await _places(client, chance, WARM_UP + requests)
        for number, place in enumerate(places):
            first = number % 2 == 0
            for priced in (first, not first):
                switch.on = priced
                started, used = time.perf_counter(), time.process_time()
                answer = (await client.get(place)).raise_for_status()
                if number >= WARM_UP:
                    wall[priced] += time.perf_counter() - started
                    cpu[priced] += time.process_time() - used
                    told = answer.json()["lots"] if priced else []
                    quotes += sum(bool(lot["quote"]) for lot in told)
    each = 1000 / requests
    return Figures(
        wall[True] * each, wall[False] * each, cpu[True] * each, cpu[False] * each,
        quotes / requests,
    )  # fmt: skip


def main() -> int:
    """Print the figures beside the target; 1 where it is missed, 2 where no demo runs."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.nearest_bench")
    parser.add_argument("--requests", type=int, default=600, help="places asked for; 600")
    parser.add_argument("--database-url", help="default: DATABASE_URL, then var/run.json")
    asked = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    try:
        found = asyncio.run(measure(database_url(asked.database_url), asked.requests))
    except DatabaseUnknownError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(
        f"/v1/nearest   wall ms   CPU ms\n"
        f"unpriced    {found.plain_ms:>9.2f}{found.plain_cpu_ms:>9.2f}\n"
        f"priced      {found.priced_ms:>9.2f}{found.priced_cpu_ms:>9.2f}\n"
        f"dearer by   {found.dearer:>9.1%}   target {MOST_DEARER:.0%}, "
        f"{found.quotes:.1f} quotes an answer\n"
    )
    return int(found.dearer > MOST_DEARER)


if __name__ == "__main__":
    sys.exit(main())
