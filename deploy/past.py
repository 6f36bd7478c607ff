"""The demo's past: eight weeks of the simulated city, made and loaded beside the running demo.

It is made of the same city and seed as the live one, at the lowest priority, the last week first.
Days that are there already are left out; so a later start adds the time in which nothing ran.
"""

import asyncio
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from deploy import children, services
from deploy.directory import Directory
from deploy.services import Place, Secrets
from sql.engine import connected

_DAY: Final = timedelta(days=1)
WEEK: Final = 7 * _DAY
WHOLE: Final = 8 * WEEK
# In days before today, the newest first: what each turn makes.
_TURNS: Final = ((WEEK, timedelta(0)), (WHOLE, WEEK + _DAY))


def turns(there: Collection[date], now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times to make, the newest first.

    Args:
        there: The days in UTC of which something was loaded.
        now: The time of the start: up to it, today is made.

    Yields:
        Start and end of each, in UTC; whole days, but for the running one.
    """
    today = now.date()
    # It was loaded up to the start of that day's demo; what follows may be missing.
    newest = max(there, default=None)
    for oldest, youngest in _TURNS:
        days = [today - n * _DAY for n in range(youngest.days, oldest.days + 1)]
        missing = [day for day in days if day not in there or day in {newest, today}]
        if missing:
            end = min(now, _midnight(max(missing) + _DAY))
            yield _midnight(min(missing)), end


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class PastMaker:
    """Makes and loads the past in a thread of its own, until it is all there or is stopped."""

    def __init__(
        self,
        var: Directory,
        place: Callable[[], Place],
        secrets: Secrets,
        source: Path,
        say: Callable[[str], None],
    ) -> None:
        self._var, self._place, self._secrets = var, place, secrets
        self._source, self._say = source, say
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._job: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="past", daemon=True)

    def start(self) -> None:
        """Begin, without waiting for anything."""
        self._thread.start()

    def stop(self) -> None:
        """End what is under way; days that are loaded stay."""
        with self._lock:
            self._stopped.set()
            if self._job is not None:
                children.stop(self._job, signal.SIGTERM, 2.0)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        try:
            for start, end in turns(asyncio.run(self._days_there()), datetime.now(UTC)):
                self._make(start, end)
                if self._stopped.is_set():
                    return
                took = time.monotonic() - began
                self._say(f"history: from {start:%Y-%m-%d} on it is there, after {took:.0f} s")
        except Exception as error:  # noqa: BLE001 - the demo runs on without it
            if not self._stopped.is_set():
                log = self._var.log("history")
                self._say(f"history: {error}; see {log}; the next start goes on")

    async def _days_there(self) -> set[date]:
        url = services.database_url(self._place(), self._secrets)
        async with connected(url, "deploy") as db:
            rows = await db.fetch("SELECT DISTINCT day_at FROM lot_occupancy_day")
        return {row["day_at"].date() for row in rows}

    def _make(self, start: datetime, end: datetime) -> None:
        directory = self._var.history
        shutil.rmtree(directory, ignore_errors=True)
        place = self._place()
        self._do(services.history_files(place, str(directory), start, end))
        self._do(services.history_import(place, self._secrets, str(directory)))
        # The database has it now.
        shutil.rmtree(directory, ignore_errors=True)

    def _do(self, job: services.Service) -> None:
        with self._lock:
            if self._stopped.is_set():
                return
            self._job = children.begin_job(job, self._source, self._var.log(job.name))
        status = self._job.wait()
        if status and not self._stopped.is_set():
            raise children.JobError(job.name, status, self._var.log(job.name))
