"""The start, step by step: each program when what it needs is healthy."""

import csv
import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deploy import broker, checks, postgres, status
from deploy.accounts import server_account
from deploy.directory import Directory
from deploy.display import Advance, Display
from deploy.jobs import run_job
from deploy.local import SOURCE, local_place, local_program
from deploy.ports import is_free, listens
from deploy.services import (
    Place,
    Secrets,
    Service,
    city_files,
    city_import,
    database_url,
    demo_people,
    gateway_credentials,
    migration,
    services,
)
from deploy.supervision import PortTakenError, Supervisor, SupervisorError

# After a kill, PostgreSQL first replays its log.
_DATABASE_WITHIN_S: Final = 120.0
_SERVICE_WITHIN_S: Final = 60.0
# Every simulated lot has been heard from.
_READY_WITHIN_S: Final = 180.0
# Other programs, another demo for instance, may take a port between its choice and its use.
_TRIES: Final = 3


class CityDiffersError(Exception):
    """The city below `var/` has another number of lots than was asked for."""


def city_lots(city: Path) -> list[str]:
    """Return the ids of the lots in a directory of the import format."""
    with (city / "lots.csv").open(newline="", encoding="utf-8") as file:
        return [row["lot_id"] for row in csv.DictReader(file)]


def check_city(var: Directory, lots: int | None) -> None:
    """Make sure that the city that is there is the one asked for; `lots` None takes any.

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
    """One start of everything; `supervisor` is set as soon as there is something to stop."""

    def __init__(self, var: Directory, display: Display) -> None:
        self.var = var
        self.display = display
        self.supervisor: Supervisor | None = None
        self.current = "start"
        self._log: Path | None = None

    @property
    def failed_log(self) -> Path | None:
        """The log of the step that was last begun, if it has one."""
        return self._log

    def run(self, lots: int | None, speed: str) -> Place:
        """Start everything; on return `/readyz` answers 200.

        Raises:
            Exception: As its steps do; `current` and `failed_log` tell which it was.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._run_once(lots, speed)
            except PortTakenError as error:
                self.display.say(f"{error}: once more, with other ports")
                self._running().stop()
        return self._run_once(lots, speed)

    def _run_once(self, lots: int | None, speed: str) -> Place:
        secrets = self.var.secrets()
        self._step("database cluster", None, lambda _: self._make_cluster(secrets))
        place = local_place(self.var)
        self._supervise(place, secrets, speed)
        self._database(place, secrets)
        self._city(place, secrets, lots)
        self._programs(place)
        return place

    def _step(self, text: str, log: str | None, work: Callable[[Advance], None]) -> None:
        self.current, self._log = text, self.var.log(log) if log else None
        with self.display.step(text) as advance:
            work(advance)

    def _make_cluster(self, secrets: Secrets) -> None:
        account = server_account(postgres.SYSTEM_USER)
        postgres.initialise(self.var.postgres, account, secrets.database_superuser)
        postgres.configure(self.var.postgres, account)

    def _supervise(self, place: Place, secrets: Secrets, speed: str) -> None:
        broker.prepare(self.var.broker, server_account(broker.SYSTEM_USER), place.mqtt.port)
        programs = [local_program(one, self.var) for one in services(place, secrets, speed)]
        self.supervisor = Supervisor.start(programs, self.var, SOURCE)
        self._step("supervisor", "supervisord", lambda _: self._running().await_answer())

    def _running(self) -> Supervisor:
        if self.supervisor is None:
            raise RuntimeError("the supervisor comes before its programs")
        return self.supervisor

    def _launch(
        self,
        name: str,
        port: int,
        is_well: Callable[[], bool] = lambda: True,
        timeout_s: float = _SERVICE_WITHIN_S,
    ) -> None:
        """Start a service and wait until it listens itself on its port, and is well."""
        supervisor = self._running()

        def listens_and_is_well() -> bool:
            pid = supervisor.processes().get(name)
            return pid is not None and listens(pid, port) and is_well()

        def launch(_: Advance) -> None:
            supervisor.launch(name)
            alive = functools.partial(supervisor.check, name)
            try:
                checks.wait_until(listens_and_is_well, alive, name, timeout_s)
            except SupervisorError as error:
                if is_free(port):
                    raise
                raise PortTakenError(f"port {port} of {name} was taken meanwhile") from error

        self._step(name, name, launch)

    def _job(self, text: str, job: Service) -> None:
        log = self.var.log(job.name)
        self._step(text, job.name, lambda _: run_job(job, SOURCE, log))

    def _long_job(self, text: str, job: Service) -> None:
        """Run a job that takes seconds, and shows bars of its own on a terminal."""
        self.current, self._log = text, self.var.log(job.name)
        with self.display.handed_over(text):
            run_job(job, SOURCE, self._log, shown=self.display.is_terminal)

    def _database(self, place: Place, secrets: Secrets) -> None:
        port = place.database.port
        is_well = functools.partial(postgres.is_ready, self.var.postgres, port)
        self._launch("database", port, is_well, _DATABASE_WITHIN_S)
        cluster = postgres.Cluster(self.var.postgres, port, secrets.database_superuser)
        postgres.create_database(cluster, secrets.database_owner, secrets.database_app)
        self._job("migrations", migration(place, secrets))

    def _city(self, place: Place, secrets: Secrets, lots: int | None) -> None:
        if not self.var.city.exists():
            fresh = self.var.city.with_name("city.new")
            shutil.rmtree(fresh, ignore_errors=True)
            self._long_job("city files", city_files(place, str(fresh), str(lots) if lots else None))
            fresh.rename(self.var.city)
        first = city_lots(self.var.city)[0]
        if not checks.lot_is_stored(database_url(place, secrets), first):
            self._long_job("import of the city", city_import(place, secrets))
        self._job("credentials", gateway_credentials(place, secrets))
        self._job("people", demo_people(place, secrets))
        broker.hand_over_users(self.var.broker, server_account(broker.SYSTEM_USER))

    def _programs(self, place: Place) -> None:
        http = f"http://{place.http.host}:{place.http.port}"
        self._launch("broker", place.mqtt.port)
        metrics = place.ingest_metrics.port
        self._launch("ingester", metrics, lambda: checks.answers(metrics_url(place)))
        self._launch("api", place.http.port, lambda: checks.answers(f"{http}/healthz"))
        self._running().launch("simulator")
        self._step("every lot heard from", "simulator", lambda show: self._await_city(http, show))

    def _await_city(self, http: str, show: Advance) -> None:
        supervisor = self._running()

        def is_ready() -> bool:
            if city := status.read_city(http):
                show(city.live, city.lots)
            return checks.answers(f"{http}/readyz")

        def alive() -> None:
            for name in ("ingester", "api", "simulator"):
                supervisor.check(name)

        checks.wait_until(is_ready, alive, "the whole city", _READY_WITHIN_S)


def metrics_url(place: Place) -> str:
    """Return where the ingester's Prometheus counters are."""
    return f"http://{place.ingest_metrics.host}:{place.ingest_metrics.port}/metrics"
