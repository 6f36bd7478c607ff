"""`python -m deploy demo`: the whole city until a signal stops it."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from deploy import broker, certificates, children, hints, local, services, status, supervision
from deploy.directory import Directory, InUseError
from deploy.display import Display
from deploy.figures import Figures, is_sealed
from deploy.keeper import Keeper
from deploy.past import PastMaker
from deploy.startup import CityDiffersError, Startup, check_city, metrics_url

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


def run(
    path: Path,
    lots: int | None,
    drivers: services.Drivers,
    display: Display,
    *,
    has_past: bool = True,
) -> int:
    """Run the demo until a signal stops it.

    Args:
        path: The demo's directory.
        lots: Of the city; None takes the city that is there, or all 1,670 lots.
        drivers: How the simulated drivers and sensors are.
        display: Where its progress is shown.
        has_past: Whether it makes itself a past.

    Returns:
        The exit status: 0 after a signal, 1 when a step failed, 2 when the
        directory cannot be used, is in use or holds another city.
    """
    var = Directory(path.absolute())
    try:
        var.make()
    except OSError as error:
        display.complain(f"{var.path} cannot be the demo's directory: {error.strerror}")
        return 2
    try:
        with var.locked():
            check_city(var, lots)
            return _run_alone(var, lots, drivers, display, has_past=has_past)
    except (InUseError, CityDiffersError) as error:
        display.complain(str(error))
        return 2


def _run_alone(
    var: Directory, lots: int | None, drivers: services.Drivers, display: Display, *, has_past: bool
) -> int:
    startup = Startup(var, display)
    past: PastMaker | None = None
    with stopping_on_signals():
        try:
            # What a killed demo left: its run.json, and servers that are still stopping.
            var.run_file.unlink(missing_ok=True)
            if supervision.end_leftover(var):
                display.say("the servers of an earlier, killed demo have been stopped")
            keeper = startup.run(lots, drivers)
            past = PastMaker(var, lambda: keeper.place, var.secrets(), local.SOURCE, display.say)
            return _serve(keeper, var, display, past.start if has_past else lambda: None)
        except StopRequested:
            display.say("stopping: simulator, API, ingester, seal, logins, broker, database")
            return 0
        except Exception as error:  # noqa: BLE001 - whatever it is, everything stops
            _explain(startup, error, display)
            return 1
        finally:
            var.run_file.unlink(missing_ok=True)
            if past is not None:
                past.stop()
            if startup.keeper is not None:
                _stop(startup.keeper, display)


def _stop(keeper: Keeper, display: Display) -> None:
    """Stop everything; further signals are ignored."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    started = time.monotonic()
    keeper.stop()
    display.say(f"stopped in {time.monotonic() - started:.1f} s")


def _explain(startup: Startup, error: Exception, display: Display) -> None:
    display.complain(f"failed at: {startup.current}: {error}")
    log = error.log if isinstance(error, children.JobError) else startup.log
    if log is not None:
        display.complain(f"the last lines of {log}:\n{children.tail(log, _LOG_LINES)}")


def _serve(keeper: Keeper, var: Directory, display: Display, then: Callable[[], None]) -> int:
    """Print the addresses, do what comes then, and show the status until a signal comes."""
    content = _run_file(keeper, var)
    var.write_run_file(content)
    display.say(hints.addresses(keeper.place, var.run_file))
    inside = var.path.is_relative_to(local.SOURCE)
    for command in hints.commands(str(var.path.relative_to(local.SOURCE) if inside else var.path)):
        display.say(f"  {command}")
    then()
    with display.status() as show:
        _Watch(keeper, var, display, content).run(show)
    return 1


class _Watch:
    """Shows the status, and keeps run.json and run.prom up to date."""

    def __init__(
        self, keeper: Keeper, var: Directory, display: Display, content: dict[str, object]
    ) -> None:
        self._keeper = keeper
        self._var = var
        self._display = display
        self._content = content
        self._aside = broker.put_aside(var.broker)
        self._figures: Figures | None = None
        self._trouble = False

    def run(self, show: Callable[[str], None]) -> None:
        """Go on for ever."""
        before = self._read_counter()
        while True:
            for _ in range(_LOOKS_A_STATUS):
                time.sleep(_STATUS_EVERY_S / _LOOKS_A_STATUS)
                stores = broker.put_aside(self._var.broker)
                figures = Figures(
                    self._keeper.restarts(),
                    self._keeper.down(),
                    len(stores),
                    is_sealed(self._var.seal / services.SEALS, time.time()),
                )
                self._complain_of(stores)
                self._write(figures)
            reading = self._read_counter()
            city = status.read_city(self._keeper.place.http_url)
            now = datetime.now(UTC)
            line = status.line(
                city,
                reading,
                status.rate(before, reading),
                status.read_simulated(self._var.simulator_status, now),
                now,
            )
            lack = status.read_lack(self._keeper.place.http_url)
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

    def _complain_of(self, stores: list[Path]) -> None:
        for store in stores:
            if store not in self._aside:
                self._display.complain(_UNREADABLE.format(store))
        self._aside = stores


def _run_file(keeper: Keeper, var: Directory) -> dict[str, object]:
    place = keeper.place
    simulated_at = status.read_simulated(var.simulator_status, datetime.now(UTC))
    return {
        "http": place.http_url,
        "mqtt": {"host": place.mqtt.host, "port": place.mqtt.port},
        "mqtts": {
            "host": place.mqtt_tls.host,
            "port": place.mqtt_tls.port,
            "ca": None if place.given_tls else str(var.authority / certificates.AUTHORITY),
        },
        "database_url": services.database_url(place, var.secrets()),
        "ingest_metrics": metrics_url(place),
        "simulated_at": None if simulated_at is None else simulated_at.isoformat(),
        "processes": keeper.processes(),
    }
