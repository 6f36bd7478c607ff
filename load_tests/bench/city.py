"""The city that is measured: one of our own, its lots, and places near them."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from load_tests import rig
from load_tests.bench.asking import BenchError, places
from load_tests.bench.rounds import Rounds
from load_tests.bench.servers import Contender, api
from load_tests.catalogue import Lot, read_catalogue
from load_tests.target import Target
from sql.engine import connected

OURS: Final = "OneLot"
# The first ones are left to an API of several processes.
_API_USER: Final = "platform-api-9"
_PATIENCE_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.1
PLACES: Final = 5000
_SEED: Final = 370_200
_PAGE: Final = 1000
_UNHEARD: Final = """
SELECT count(*) FROM lot AS l INNER JOIN gateway AS g USING (gateway_id)
LEFT JOIN lot_state AS s USING (lot_id)
WHERE g.simulated AND (s.received_at < $1 OR s.received_at IS NULL)
"""


@dataclass(frozen=True)
class City:
    """A running city and how it is measured.

    Attributes:
        target: Where its programs are; its API is the one that is measured.
        api: The API, one process.
        reports: Gets what is written.
        rounds: How many.
        seconds: Of each run.
        share: Of saturation, at which latency is measured.
        observations_per_s: Beside which freshness is measured.
        readers: Of streams.
        cities: How many are put into one database, where that is measured.
    """

    target: Target
    api: Contender
    reports: Path
    rounds: int
    seconds: float
    cities: int
    share: float = 0.5
    observations_per_s: float = 10_000.0
    readers: int = 1000

    @cached_property
    def lots(self) -> Sequence[Lot]:
        """Its lots."""
        return read_catalogue(self.target.http)

    @property
    def owner_url(self) -> str:
        """The database's URL for its owner."""
        at, secret = urlsplit(self.target.database_url), self.secrets["database_owner"]
        return f"postgresql://onelot:{secret}@{at.hostname}:{at.port}{at.path}"

    @cached_property
    def secrets(self) -> dict[str, str]:
        """The platform's passwords."""
        return _secrets(self.target)

    def turns(self, **more: int) -> Rounds:
        """Return how contenders are measured; `more` are further programs by name."""
        programs = {name: pid for name, pid in self.target.processes.items() if name != "api"}
        return Rounds(self.rounds, self.seconds, {**programs, **more})

    @contextmanager
    def simulator_aside(self) -> Iterator[None]:
        """Put the simulator aside, whose gateways the load then plays; wait until it is back."""
        with rig.aside(self.target, "simulator"):
            yield
        since = datetime.now(UTC)
        until(lambda: not asyncio.run(self._unheard(since)), "the simulator's city")

    async def _unheard(self, since: datetime) -> int:
        """Count the simulated lots that have not reported since a moment."""
        async with connected(self.target.database_url, application="bench") as db:
            return int(await db.fetchval(_UNHEARD, since))

    def paths(self, route: str, number: int = PLACES) -> Path:
        """Write a file of questions to a route, each about a place within 500 m of a lot."""
        file = self.reports / f"{route.strip('/').replace('/', '-')}.paths"
        asked = (f"{route}?lon={lon}&lat={lat}" for lon, lat in places(self.lots, number, _SEED))
        file.write_text("\n".join(asked) + "\n")
        return file

    def listed(self) -> list[dict[str, Any]]:
        """Return all lots as `/v1/lots` lists them, with their prices."""
        items: list[dict[str, Any]] = []
        path: str | None = f"/v1/lots?limit={_PAGE}"
        with httpx.Client(base_url=self.target.http, trust_env=False, timeout=30.0) as client:
            while path:
                page = client.get(path).raise_for_status().json()
                items += page["items"]
                path = page["next"]
        return items


@contextmanager
def running_city(
    lots: int | None, reports: Path, rounds: int, seconds: float, cities: int
) -> Iterator[City]:
    """Run a city of our own, simulator and all, and an API of one process beside it.

    The run's own API is put aside. What is measured is started by one process, ours and peers
    alike: Linux divides processors among sessions.

    Args:
        lots: The city's size, None for the whole.
        reports: As `City` has them.
        rounds: Likewise.
        seconds: Likewise.
        cities: Likewise.
    """
    with rig.own_city(lots) as directory:
        target = Target.of(directory)
        with rig.aside(target, "api"), api(OURS, api_settings(target), reports) as ours:
            programs = {**target.processes, "api": ours.pid}
            target = replace(target, http=ours.url, processes=programs)
            yield City(target, ours, reports, rounds, seconds, cities)


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so.

    Raises:
        BenchError: It is not in time; the message names it.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise BenchError(f"does not come: {what}")
        time.sleep(_LOOK_EVERY_S)


def api_settings(target: Target, user: str = _API_USER) -> dict[str, str]:
    """Return the API's environment; `user` is its name at the broker, and no other process's."""
    secrets, at = _secrets(target), target.mqtt
    return {
        "DATABASE_URL": target.database_url,
        "API_MQTT_URL": f"mqtt://{user}:{secrets['mqtt_api']}@{at.host}:{at.port}",
        "API_TOKEN_SECRET": secrets["token"],
    }


def _secrets(target: Target) -> dict[str, str]:
    found: dict[str, str] = json.loads((target.directory / "platform.json").read_bytes())
    return found
