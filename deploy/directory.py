"""`var/`: where the local run keeps everything, and the files it keeps for itself."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

from deploy.services import Secrets


class InUseError(Exception):
    """Another demo runs from the same directory."""


class Directory:
    """The paths below `var/`.

    Attributes:
        path: Itself, absolute.
        postgres: The database cluster.
        broker: The broker's configuration, users and store.
        city: The city in the import format.
        history: Files of its past, while they are made and loaded.
        logs: One log a program.
        authority: The demo's own authority: `ca.pem` for clients, and its key.
        credentials: The gateways' passwords, mode 600.
        seal: The audit's seals and their key, mode 700.
        simulator_status: What the simulator says of itself; as old as its `written_at`.
        run_file: Exists while the demo serves, and only then.
        figures: What the run counts of itself, as Prometheus' text; the API adds it to `/metrics`.
        supervisor_configuration: Made anew at each start, mode 600: it holds the programs'
            environments.
        supervisor_pid: The supervisor's process id while it runs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.postgres = path / "postgres"
        self.broker = path / "broker"
        self.city = path / "city"
        self.history = path / "history"
        self.logs = path / "logs"
        self.authority = path / "tls"
        self.credentials = path / "credentials.json"
        self.seal = path / "seal"
        self.simulator_status = path / "simulator.json"
        self.run_file = path / "run.json"
        self.figures = path / "run.prom"
        self.supervisor_configuration = path / "supervisord.conf"
        self.supervisor_pid = path / "supervisord.pid"

    def is_in_use(self) -> bool:
        """Tell whether a demo runs from it."""
        try:
            with self.locked():
                return False
        except InUseError:
            return True

    def log(self, name: str) -> Path:
        """The log of the program or step `name`."""
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Make `var/` and `var/logs/`."""
        self.logs.mkdir(parents=True, exist_ok=True)

    def secrets(self) -> Secrets:
        """Return the platform's passwords: made at the first start, kept in platform.json.

        Those that an older version did not need yet are made and kept too.
        """
        file = self.path / "platform.json"
        kept = json.loads(file.read_text()) if file.exists() else {}
        names = [field.name for field in fields(Secrets)]
        made = Secrets(**{name: kept.get(name) or secrets.token_urlsafe(24) for name in names})
        if asdict(made) != kept:
            write_private(file, json.dumps(asdict(made), indent=2) + "\n")
        return made

    def write_run_file(self, content: Mapping[str, object]) -> None:
        """Write run.json in one step: a reader never sees half of it."""
        write_private(self.run_file, json.dumps(content, indent=2) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold `var/` for this process; the lock goes with the process, however it ends.

        Raises:
            InUseError: Another process holds it.
        """
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InUseError(f"a demo already runs from {self.path}") from error
            yield


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 600 in one step (written beside, then renamed)."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)
