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

from deploy import broker, hints, status
from deploy.children import tail
from deploy.directory import Directory, InUseError
from deploy.display import Display
from deploy.figures import Figures
from deploy.jobs import JobError
from deploy.keeper import Keeper
from deploy.local import SOURCE
from deploy.services import database_url
from deploy.startup import CityDiffersError, Startup, check_city, metrics_url
from deploy.supervision import end_leftover

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STATUS_EVERY_S: Final = 5.0
_LOOKS_A_STATUS: Final = 10
_LOG_LINES: Final = 15
_UNREADABLE: Final = (
    "the broker could not read its store and runs without it; it is kept as {}. Sessions and "
    "messages that waited in it are lost: gateways send again what was not acknowledged."
)


class StopRequested(BaseException):
    """A signal asked the demo to stop."""


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
        The exit status: 0 after a signal, 1 when a step failed, 2 when the
        directory cannot be used, is in use or holds another city.
    """
    var = Directory(options.var.absolute())
    try:
        var.make()
    except OSError as error:
        display.complain(f"{var.path} cannot be the demo's directory: {error.strerror}")
        return 2
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
            return _serve(startup.run(options.lots, options.speed), var, display)
        except StopRequested:
            display.say("stopping: simulator, API, ingester, broker, database")
            return 0
        except Exception as error:  # noqa: BLE001 - whatever it is, everything stops
            _explain(startup, error, display)
            return 1
        finally:
            var.run_file.unlink(missing_ok=True)
            if startup.keeper is not None:
                _stop(startup.keeper, display)


def _stop(keeper: Keeper, display: Display) -> None:
    """Stop everything; further signals are ignored."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    started = time.monotonic()
    keeper.stop()
    display.say(f"stopped in {time.monotonic() - started:.1f} s")


def _clear_leftovers(var: Directory, display: Display) -> None:
    """Remove what a killed demo left: its run.json, and servers that are still stopping."""
    var.run_file.unlink(missing_ok=True)
    if end_leftover(var):
        display.say("the servers of an earlier, killed demo have been stopped")


def _explain(startup: Startup, error: Exception, display: Display) -> None:
    display.complain(f"failed at: {startup.current}: {error}")
    log = error.log if isinstance(error, JobError) else startup.log
    if log is not None:
        display.complain(f"the last lines of {log}:\n{tail(log, _LOG_LINES)}")


def _serve(keeper: Keeper, var: Directory, display: Display) -> int:
    """Print the addresses, then show the status until a signal comes."""
    content = _run_file(keeper, var)
    var.write_run_file(content)
    display.say(hints.addresses(keeper.place, var.run_file))
    for command in hints.commands(str(_shown(var.path))):
        display.say(f"  {command}")
    with display.status() as show:
        _Watch(keeper, var, display, content).run(show)
    return 1


def _shown(path: Path) -> Path:
    return path.relative_to(SOURCE) if path.is_relative_to(SOURCE) else path


class _Watch:
    """Shows the status, and keeps run.json and run.prom up to date."""

    def __init__(
        self, keeper: Keeper, var: Directory, display: Display, content: dict[str, object]
    ) -> None:
        self._keeper = keeper
        self._var = var
        self._display = display
        self._content = content
        self._aside = set(broker.put_aside(var.broker))
        self._figures: Figures | None = None
        self._trouble = False

    def run(self, show: Callable[[str], None]) -> None:
        """Go on for ever."""
        before = self._read_counter()
        while True:
            for _ in range(_LOOKS_A_STATUS):
                time.sleep(_STATUS_EVERY_S / _LOOKS_A_STATUS)
                figures = _figures(self._keeper, self._var)
                self._complain_of_stores()
                self._write(figures)
            reading = self._read_counter()
            city = status.read_city(self._keeper.place.http_url)
            now = datetime.now(UTC)
            simulated_at = status.read_simulated(self._var.simulator_status, now)
            rate = status.rate(before, reading)
            lack = status.read_lack(self._keeper.place.http_url)
            line = status.line(city, reading, rate, simulated_at, now)
            show(status.headed(lack, figures.words(), line))
            before = reading

    def _read_counter(self) -> status.Reading | None:
        return status.read_counter(metrics_url(self._keeper.place), datetime.now(UTC))

    def _write(self, figures: Figures) -> None:
        try:
            if figures != self._figures:
                figures.write(self._var.figures)
                self._figures = figures
            content = _run_file(self._keeper, self._var)
            if content != self._content:
                self._var.write_run_file(content)
                self._content = content
        except OSError as error:
            if not self._trouble:
                self._display.complain(f"run.json and run.prom cannot be written: {error}")
            self._trouble = True
        else:
            self._trouble = False

    def _complain_of_stores(self) -> None:
        found = set(broker.put_aside(self._var.broker))
        for store in sorted(found - self._aside):
            self._display.complain(_UNREADABLE.format(store))
        self._aside = found


def _figures(keeper: Keeper, var: Directory) -> Figures:
    stores = len(broker.put_aside(var.broker))
    return Figures(keeper.restarts(), keeper.down(), stores)


def _run_file(keeper: Keeper, var: Directory) -> dict[str, object]:
    place = keeper.place
    return {
        "http": place.http_url,
        "mqtt": {"host": place.mqtt.host, "port": place.mqtt.port},
        "database_url": database_url(place, var.secrets()),
        "ingest_metrics": metrics_url(place),
        "processes": keeper.processes(),
    }
