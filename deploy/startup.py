"""The start, step by step: each program starts once what it needs is healthy."""

import asyncio
import csv
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, TypeVar

from deploy import accounts, broker, checks, children, local, ports, postgres, services, status
from deploy.directory import Directory
from deploy.display import Advance, Display
from deploy.keeper import Keeper

# After a kill, PostgreSQL first replays its log.
_DATABASE_WITHIN_S: Final = 120.0
_SERVICE_WITHIN_S: Final = 60.0
# Every simulated lot has been heard from.
_READY_WITHIN_S: Final = 180.0
# So often the API is asked whether it is up, each time by a new connection.
_ASKED_OF_PROCESSES: Final = 10
# How often a step is tried while programs that it needs die below it.
_TRIES: Final = 3


_T = TypeVar("_T")


class CityDiffersError(Exception):
    """The city below `var/` has another number of lots than the command line says."""


def city_lots(city: Path) -> list[str]:
    """Return the ids of the lots in a directory of the import format."""
    with (city / "lots.csv").open(newline="", encoding="utf-8") as file:
        return [row["lot_id"] for row in csv.DictReader(file)]


def check_city(var: Directory, lots: int | None) -> None:
    """Make sure that the city that is there has `lots` lots; None takes any.

    Raises:
        CityDiffersError: It is not.
    """
    if lots is None or not var.city.exists():
        return
    there = len(city_lots(var.city))
    if there != lots:
        raise CityDiffersError(
            f"{var.city} holds a city of {there} lots, not of {lots}: "
            "`make clean` removes it with all other data, or leave LOTS out"
        )


class Startup:
    """One start of everything.

    Attributes:
        keeper: Set as soon as there is something to stop.
        current: The step that was last begun.
        log: Its log, if it has one.
    """

    def __init__(self, var: Directory, display: Display) -> None:
        self.var = var
        self.display = display
        self.keeper: Keeper | None = None
        self.current = "start"
        self.log: Path | None = None

    def run(self, lots: int | None, drivers: services.Drivers) -> Keeper:
        """Start everything; on return `/readyz` answers 200.

        Raises:
            Exception: As its steps do; `current` and `log` tell which it was.
        """
        secrets = self.var.secrets()
        with self._step("database cluster"):
            account = accounts.server_account(postgres.SYSTEM_USER)
            postgres.initialise(self.var.postgres, account, secrets.database_superuser)
            postgres.configure(self.var.postgres, account)
        with self._step("supervisor", "supervisord"):
            layout = local.local_layout(self.var, secrets, drivers)
            place = local.local_place(self.var)
            # The credentials come before the broker, into its directory.
            layout.prepare("broker", place)
            self.keeper = Keeper(self.var, local.SOURCE, place, layout, self.display.complain)
        self._database(secrets)
        self._city(secrets, lots)
        self._programs()
        return self._running()

    def _step(self, text: str, log: str | None = None) -> AbstractContextManager[Advance]:
        self.current, self.log = text, self.var.log(log) if log else None
        return self.display.step(text)

    def _running(self) -> Keeper:
        if self.keeper is None:
            raise RuntimeError("the supervisor comes before its programs")
        return self.keeper

    def _place(self) -> services.Place:
        return self._running().place

    def _launch(
        self,
        name: str,
        is_well: Callable[[], bool] = lambda: True,
        timeout_s: float = _SERVICE_WITHIN_S,
    ) -> None:
        """Start a service; wait until it listens on its port itself, and is well."""
        keeper = self._running()

        def listens_and_is_well() -> bool:
            pid = keeper.processes().get(name)
            port = services.address(keeper.place, name).port
            return pid is not None and ports.listens(pid, port) and is_well()

        with self._step(name, name):
            keeper.launch(name)
            checks.wait_until(listens_and_is_well, name, timeout_s)

    def _insist(self, work: Callable[[], _T]) -> _T:
        """Do some work; try again if a program that it may need has died meanwhile."""
        keeper = self._running()
        for _ in range(_TRIES - 1):
            before = keeper.failures()
            try:
                return work()
            except Exception as error:
                keeper.tend()
                if keeper.failures() == before:
                    raise
                self.display.say(f"once more: {self.current}: {error}")
                checks.wait_until(self._database_is_well, "database", _DATABASE_WITHIN_S)
        return work()

    def _job(
        self, text: str, job: Callable[[], services.Service], *, is_long: bool = False
    ) -> None:
        """Run a job; one that takes seconds shows bars of its own on a terminal."""
        self.current, self.log = text, self.var.log(job().name)
        log, shown = self.log, is_long and self.display.is_terminal
        with self.display.handed_over(text) if is_long else self.display.step(text):
            self._insist(lambda: children.run_job(job(), local.SOURCE, log, shown=shown))

    def _database_is_well(self) -> bool:
        return postgres.is_ready(self.var.postgres, self._place().database.port)

    def _database(self, secrets: services.Secrets) -> None:
        self._launch("database", self._database_is_well, _DATABASE_WITHIN_S)
        self._insist(
            lambda: postgres.create_database(
                self.var.postgres,
                self._place().database.port,
                secrets.database_superuser,
                secrets.database,
            )
        )
        self._job("migrations", lambda: services.migration(self._place(), secrets))

    def _city(self, secrets: services.Secrets, lots: int | None) -> None:
        if not self.var.city.exists():
            fresh = self.var.city.with_name("city.new")
            shutil.rmtree(fresh, ignore_errors=True)
            self._job(
                "city files",
                lambda: services.city_files(self._place(), str(fresh), str(lots) if lots else None),
                is_long=True,
            )
            fresh.rename(self.var.city)
        if not self._insist(lambda: self._is_imported(secrets)):
            self._job(
                "import of the city",
                lambda: services.city_import(self._place(), secrets),
                is_long=True,
            )
        self._job("credentials", lambda: services.gateway_credentials(self._place(), secrets))
        self._job("people", lambda: services.first_people(self._place(), secrets))
        self._job("keys of people", lambda: services.recovered_people(self._place(), secrets))
        broker.hand_over_users(self.var.broker, accounts.server_account(broker.SYSTEM_USER))

    def _is_imported(self, secrets: services.Secrets) -> bool:
        url = services.database_url(self._place(), secrets)
        return asyncio.run(checks.lot_is_stored(url, city_lots(self.var.city)[0]))

    def _programs(self) -> None:
        self._launch("broker")
        self._running().launch("logins")
        self._running().launch("seal")
        self._launch("ingester", lambda: checks.answers(metrics_url(self._place())))
        self._launch("api", self._is_api_up)
        self._running().launch("simulator")
        with self._step("every lot heard from", "simulator") as show:
            self._await_city(show)

    def _is_api_up(self) -> bool:
        # Which process answers a connection is the system's choice: all are to have the city.
        url = f"{self._place().http_url}/healthz"
        return all(checks.answers(url) for _ in range(_ASKED_OF_PROCESSES))

    def _await_city(self, show: Advance) -> None:
        shown: tuple[str, ...] = ()

        def is_ready() -> bool:
            nonlocal shown
            http = self._place().http_url
            if city := status.read_city(http):
                show(city.live, city.lots)
            lack = status.read_lack(http)
            # The bar shows how many lots are awaited.
            if lack and lack.missing not in {shown, ("city",)}:
                shown = lack.missing
                self.display.say(lack.words())
            return lack is None and checks.answers(f"{http}/readyz")

        checks.wait_until(is_ready, "the whole city", _READY_WITHIN_S)


def metrics_url(place: services.Place) -> str:
    """Return where the ingester's Prometheus counters are."""
    return f"http://{place.ingest_metrics.host}:{place.ingest_metrics.port}/metrics"
