"""`var/`: where the local run keeps everything, and the files it keeps for itself."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from deploy.services import Secrets


class InUseError(Exception):
    """Another demo runs from the same directory."""


@dataclass(frozen=True)
class Directory:
    """The paths below `var/`; `path` is absolute."""

    path: Path

    @property
    def postgres(self) -> Path:
        """The database cluster."""
        return self.path / "postgres"

    @property
    def broker(self) -> Path:
        """The broker's configuration, users and store."""
        return self.path / "broker"

    @property
    def city(self) -> Path:
        """The city in the import format."""
        return self.path / "city"

    @property
    def logs(self) -> Path:
        """One log a program."""
        return self.path / "logs"

    @property
    def credentials(self) -> Path:
        """The gateways' passwords, mode 600."""
        return self.path / "credentials.json"

    @property
    def simulator_status(self) -> Path:
        """What the simulator says of itself; as old as its `written_at`."""
        return self.path / "simulator.json"

    @property
    def run_file(self) -> Path:
        """Exists while the demo serves, and only then."""
        return self.path / "run.json"

    @property
    def figures(self) -> Path:
        """What the run counts of itself, as Prometheus' text; the API adds it to `/metrics`."""
        return self.path / "run.prom"

    def is_in_use(self) -> bool:
        """Tell whether a demo runs from it."""
        try:
            with self.locked():
                return False
        except InUseError:
            return True

    @property
    def supervisor_configuration(self) -> Path:
        """Made anew at each start, mode 600: it holds the programs' environments."""
        return self.path / "supervisord.conf"

    @property
    def supervisor_pid(self) -> Path:
        """The supervisor's process id while it runs."""
        return self.path / "supervisord.pid"

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
        """Write run.json in one step: who sees it sees all of it."""
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
