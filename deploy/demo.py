"""`python -m deploy demo`: the whole city until it is told to stop."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from deploy import hints, status
from deploy.directory import Directory, InUseError
from deploy.display import Display
from deploy.jobs import JobError
from deploy.local import SOURCE
from deploy.postgres import tail
from deploy.services import Place, database_url
from deploy.startup import CityDiffersError, Startup, check_city, metrics_url
from deploy.supervision import Supervisor, SupervisorError, end_leftover

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STATUS_EVERY_S: Final = 5.0
_LOG_LINES: Final = 15


class StopRequested(BaseException):
    """The demo shall stop."""


@dataclass(frozen=True)
class DemoOptions:
    """What the command line asks for; `lots` None takes the city that is there, or the whole."""

    var: Path
    lots: int | None
    speed: str


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Raise `StopRequested` at the first signal to stop; further ones change nothing."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise StopRequested

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(options: DemoOptions, display: Display) -> int:
    """Run the demo until a signal stops it.

    Returns:
        The exit status: 0 after a signal, 1 when a step failed or the supervisor died, 2 when the
        directory is in use or holds another city.
    """
    var = Directory(options.var.absolute())
    var.make()
    try:
        with var.locked():
            check_city(var, options.lots)
            return _run_alone(options, var, display)
    except (InUseError, CityDiffersError) as error:
        display.complain(str(error))
        return 2


def _run_alone(options: DemoOptions, var: Directory, display: Display) -> int:
    startup = Startup(var, display)
    with stopping_on_signals():
        try:
            _clear_leftovers(var, display)
            place = startup.run(options.lots, options.speed)
            return _serve(startup, place)
        except StopRequested:
            display.say("stopping: simulator, API, ingester, broker, database")
            return 0
        except Exception as error:  # noqa: BLE001 - whatever it is, everything stops
            _explain(startup, error, display)
            return 1
        finally:
            var.run_file.unlink(missing_ok=True)
            if startup.supervisor is not None:
                _stop(startup.supervisor, display)


def _stop(supervisor: Supervisor, display: Display) -> None:
    """Stop everything, deaf to signals from now on."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    started = time.monotonic()
    supervisor.stop()
    display.say(f"stopped in {time.monotonic() - started:.1f} s")


def _clear_leftovers(var: Directory, display: Display) -> None:
    """Remove what a killed demo left: its run.json, and servers that are still stopping."""
    var.run_file.unlink(missing_ok=True)
    if end_leftover(var):
        display.say("the servers of an earlier, killed demo have been stopped")


def _explain(startup: Startup, error: Exception, display: Display) -> None:
    display.complain(f"failed at: {startup.current}: {error}")
    log = error.log if isinstance(error, JobError) else startup.failed_log
    if log is not None:
        display.complain(f"the last lines of {log}:\n{tail(log, _LOG_LINES)}")


def _serve(startup: Startup, place: Place) -> int:
    """Say where it is, and show the status until a signal comes."""
    supervisor, var, display = startup.supervisor, startup.var, startup.display
    if supervisor is None:
        raise SupervisorError("there is no supervisor")
    var.write_run_file(_run_file(var, place, supervisor.processes()))
    display.say(hints.addresses(place, var.run_file))
    for command in hints.commands(place, str(_shown(var.path))):
        display.say(f"  {command}")
    with display.status() as show:
        _watch(supervisor, var, place, show)
    return 1


def _shown(path: Path) -> Path:
    return path.relative_to(SOURCE) if path.is_relative_to(SOURCE) else path


def _watch(
    supervisor: Supervisor, var: Directory, place: Place, show: Callable[[str], None]
) -> None:
    """Show the status for ever; keep run.json true when a program was started again.

    Raises:
        SupervisorError: supervisord has ended.
    """
    http = f"http://{place.http.host}:{place.http.port}"
    known = supervisor.processes()
    before = status.read_counter(metrics_url(place), datetime.now(UTC))
    while supervisor.is_alive():
        time.sleep(_STATUS_EVERY_S)
        reading = status.read_counter(metrics_url(place), datetime.now(UTC))
        city = status.read_city(http)
        per_second = status.rate(before, reading)
        now = datetime.now(UTC)
        simulated_at = status.read_simulated(var.simulator_status, now)
        show(status.line(city, reading, per_second, simulated_at, now))
        before = reading
        if (processes := supervisor.processes()) != known:
            known = processes
            var.write_run_file(_run_file(var, place, known))
    raise SupervisorError("supervisord has ended")


def _run_file(var: Directory, place: Place, processes: dict[str, int]) -> dict[str, object]:
    return {
        "http": f"http://{place.http.host}:{place.http.port}",
        "mqtt": {"host": place.mqtt.host, "port": place.mqtt.port},
        "database_url": database_url(place, var.secrets()),
        "ingest_metrics": metrics_url(place),
        "processes": processes,
    }
