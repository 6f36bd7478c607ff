"""Prepares a city for the load: one of our own, or a running one without its simulator."""

import argparse
import configparser
import os
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

from load_tests.target import Target, TargetError

SIMULATOR: Final = "simulator"
# What is measured is what the platform can do, not what it lets a gateway do.
_NO_RATES: Final = {
    "INGEST_GATEWAY_MESSAGES_PER_S": "100000",
    "INGEST_GATEWAY_BURST": "1000000",
    "INGEST_MESSAGE_BYTES": "1000000",
}
_START_WITHIN_S: Final = 600.0
_STOP_WITHIN_S: Final = 30.0


def scenario(
    name: str,
    about: str | None,
    run: Callable[[Path, int], int],
    times: int,
    argv: list[str] | None,
) -> int:
    """Run a scenario's command line: against a city of its own, or one that runs.

    Args:
        name: Its module.
        about: Its description.
        run: Gets the city's directory and how often; gives the exit status.
        times: How often, by default.
        argv: The arguments; None for the process's.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=about)
    parser.add_argument("--lots", type=int, default=60, help="of the city; default 60")
    parser.add_argument("--times", type=int, default=times, help=f"of everything; default {times}")
    parser.add_argument("--var", type=Path, help="a running city's directory, instead of our own")
    arguments = parser.parse_args(argv)
    if arguments.var:
        return run(arguments.var, arguments.times)
    with own_city(arguments.lots) as directory:
        return run(directory, arguments.times)


def say(line: str) -> None:
    """Print a line of a scenario's answer, with the machine's load average."""
    print(f"{line}, load {os.getloadavg()[0]:.1f}", flush=True)  # noqa: T201 - the answer


def can_take_over(target: Target) -> bool:
    """Return whether the run's supervisor lets us put the simulator aside."""
    return SIMULATOR in target.processes and _configuration(target.directory).exists()


@contextmanager
def simulator_aside(target: Target) -> Iterator[None]:
    """Pause the run's simulator, whose gateways the load then plays, and let it go on after.

    Two clients under one gateway's user would throw each other out for ever. A simulator that is
    started afresh has other bays occupied; one that was paused goes on with those that it had.

    Raises:
        TargetError: The run's supervisor does not do it.
    """
    with _going_on_after(target.directory):
        try:
            supervisor_of(target.directory).signalProcess(SIMULATOR, "STOP")
        except (OSError, xmlrpc.client.Error) as error:
            raise TargetError(f"the simulator cannot be paused: {error}") from error
        yield


@contextmanager
def _going_on_after(directory: Path) -> Iterator[None]:
    """Let the simulator go on after the context, and also where this process is killed in it."""
    command = [sys.executable, "-m", "load_tests.pausing", str(directory)]
    # Of a session of its own: what ends ours, such as Ctrl-C, must not end it.
    keeper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    stdin = cast("IO[bytes]", keeper.stdin)
    # Processes that play gateways hold it open too, see `load_tests.stages.engine`.
    os.set_inheritable(stdin.fileno(), True)  # noqa: FBT003 - the function has no keyword
    try:
        yield
    finally:
        stdin.close()
        keeper.wait()


@contextmanager
def aside(target: Target, name: str) -> Iterator[None]:
    """Stop one of the run's programs, and start it again after.

    Raises:
        TargetError: The run's supervisor does not do it.
    """
    supervisor = supervisor_of(target.directory)
    try:
        supervisor.stopProcess(name)
    except (OSError, xmlrpc.client.Error) as error:
        raise TargetError(f"the {name} cannot be stopped: {error}") from error
    try:
        yield
    finally:
        supervisor.startProcess(name, False)  # noqa: FBT003 - XML-RPC has no keywords


def _configuration(directory: Path) -> Path:
    return directory / "supervisord.conf"


def supervisor_of(directory: Path) -> Any:
    """Return the supervisor of the run in a directory, for calls by XML-RPC."""
    parser = configparser.RawConfigParser()
    parser.read(_configuration(directory))
    server = parser["inet_http_server"]
    url = f"http://{server['username']}:{server['password']}@{server['port']}/RPC2"
    return xmlrpc.client.ServerProxy(url).supervisor


@contextmanager
def own_city(lots: int | None, *more: str) -> Iterator[Path]:
    """Run a city of our own in a temporary directory; its gateways have no rates.

    Its sensors never fail (the profile `clean`), so that the load is the same each time,
    unless `more` says otherwise.

    Args:
        lots: How many; None for all.
        more: Further options of `python -m deploy demo`.

    Yields:
        The directory, with `run.json` and `credentials.json`.

    Raises:
        TargetError: It does not start.
    """
    with tempfile.TemporaryDirectory(prefix="onelot-load-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        # Other users, as which the servers run, must be able to enter.
        directory.chmod(0o755)
        command = [
            sys.executable,
            "-m",
            "deploy",
            "demo",
            "--no-history",
            "--var",
            name,
            "--profile",
            "clean",
        ]
        process = subprocess.Popen(
            [*command, *(("--lots", str(lots)) if lots else ()), *more],
            stdout=sys.stderr,
            start_new_session=True,
            env={**os.environ, **_NO_RATES},
        )
        try:
            _await_run_file(process, directory / "run.json")
            yield directory
        finally:
            _end(process)


def _await_run_file(process: "subprocess.Popen[bytes]", run_file: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN_S
    while not run_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise TargetError("a city of our own does not start")
        time.sleep(0.2)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
