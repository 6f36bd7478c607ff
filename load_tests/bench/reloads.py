"""`python -m load_tests.bench.reloads`: how long the API's loop stops while the city is read again.

Runs the application as a worker does, but for its port, and follows the broker. Environment:
`API_*`, `DATABASE_URL`, `OWNER_DATABASE_URL`. A timer due each millisecond notes how late it is.

- `still`: nothing happens, but for the broker's messages.
- `reload`: the owner renames a lot, as an import may. Lots and bays are read, a table is made and
  taken, the former one is freed; then all is read again twice, as it is at intervals.

Prints JSON, milliseconds: `still_ms`, `reload_ms`, the longest stop in each; `still_wall_ms`,
`reload_wall_ms` with the time that the loop's thread was ready to run and the machine ran others;
`renamed_s`, from the change to the table that has it; `read_s`, from the application's start until
all is read that it answers from.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import uvloop
from fastapi import FastAPI

from parking_api.city.following import FollowedCity
from parking_api.serving import application, as_worker
from parking_api.settings import ApiSettings
from sql.engine import connected, database_url

_TURN_S: Final = 0.001
_WITHIN_S: Final = 120.0
# What is replaced is freed a few seconds later.
_AFTER_S: Final = 5.0
_RENAME: Final = "UPDATE lot SET name_en = $1 WHERE lot_id = (SELECT min(lot_id) FROM lot)"


@dataclass
class Stops:
    """The longest stops of a time, in milliseconds.

    Attributes:
        wall_ms: As a request would have waited.
        own_ms: Less the time in which the machine ran others.
    """

    wall_ms: float = 0.0
    own_ms: float = 0.0


class Turns:
    """Notes how late each turn of this thread's loop is."""

    def __init__(self) -> None:
        self.stops = Stops()
        self._loop = asyncio.get_running_loop()
        # Linux: nanoseconds that the thread ran, and that it waited for a processor.
        self._times = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        self._wait()

    def _waited_s(self) -> float:
        return int(os.pread(self._times, 64, 0).split()[1]) / 1e9

    def _wait(self) -> None:
        self._before_s, self._waited_before_s = time.perf_counter(), self._waited_s()
        self._loop.call_later(_TURN_S, self._note)

    def _note(self) -> None:
        late_s = time.perf_counter() - self._before_s - _TURN_S
        own_s = late_s - (self._waited_s() - self._waited_before_s)
        self.stops.wall_ms = max(self.stops.wall_ms, 1000 * late_s)
        self.stops.own_ms = max(self.stops.own_ms, 1000 * own_s)
        self._wait()

    def since(self) -> Stops:
        """Return the longest since this was asked last."""
        found, self.stops = self.stops, Stops()
        return found


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while not is_so():  # noqa: ASYNC110 - the application tells nobody
            await asyncio.sleep(_TURN_S)


async def _measure(app: FastAPI, owner_url: str, seconds: float) -> dict[str, float]:
    starts_s = time.perf_counter()
    async with app.router.lifespan_context(app), connected(owner_url, "bench") as db:
        await app.state.resources.until_loaded()
        read_s = time.perf_counter() - starts_s
        city: FollowedCity = app.state.city
        turns = Turns()
        await asyncio.sleep(seconds)
        still, name, began_s = turns.since(), f"renamed at {time.time()}", time.perf_counter()
        await db.execute(_RENAME, name)
        await _until(lambda: city.table.lots[0].facts.name_en == name)
        renamed_s = time.perf_counter() - began_s
        await asyncio.sleep(_AFTER_S + 2 * seconds)
        reload = turns.since()
    return {
        "still_ms": still.own_ms,
        "still_wall_ms": still.wall_ms,
        "reload_ms": reload.own_ms,
        "reload_wall_ms": reload.wall_ms,
        "renamed_s": renamed_s,
        "read_s": read_s,
    }


def main() -> int:
    """Measure; print what was found."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.reloads")
    parser.add_argument("--seconds", type=float, default=5.0, help="between two readings; 5")
    seconds = parser.parse_args().seconds
    app = application(ApiSettings(reload_interval_s=seconds), database_url())
    as_worker()
    found = uvloop.run(_measure(app, os.environ["OWNER_DATABASE_URL"], seconds))
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
