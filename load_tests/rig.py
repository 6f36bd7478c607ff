"""What the load needs of the machine: the simulator put aside, or a city of its own."""

import argparse
import configparser
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from load_tests.target import Target, TargetError

_SIMULATOR: Final = "simulator"
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


def tell(line: str) -> None:
    """Say a line of a scenario's answer, with the machine's load average."""
    print(f"{line}, load {os.getloadavg()[0]:.1f}", flush=True)  # noqa: T201 - the answer


def can_take_over(target: Target) -> bool:
    """Return whether the run's supervisor lets us put the simulator aside."""
    return _SIMULATOR in target.processes and _configuration(target).exists()


@contextmanager
def simulator_aside(target: Target) -> Iterator[None]:
    """Stop the run's simulator, whose gateways the load then plays, and start it again after.

    Two clients under one gateway's user would throw each other out for ever.

    Raises:
        TargetError: The run's supervisor does not do it.
    """
    supervisor = _supervisor(target)
    try:
        supervisor.stopProcess(_SIMULATOR)
    except (OSError, xmlrpc.client.Error) as error:
        raise TargetError(f"the simulator cannot be stopped: {error}") from error
    try:
        yield
    finally:
        supervisor.startProcess(_SIMULATOR, False)  # noqa: FBT003 - XML-RPC has no keywords


def _configuration(target: Target) -> Path:
    return target.directory / "supervisord.conf"


def _supervisor(target: Target) -> Any:
    parser = configparser.RawConfigParser()
    parser.read(_configuration(target))
    server = parser["inet_http_server"]
    url = f"http://{server['username']}:{server['password']}@{server['port']}/RPC2"
    return xmlrpc.client.ServerProxy(url).supervisor


@contextmanager
def own_city(lots: int | None) -> Iterator[Path]:
    """Run a whole city of our own in a temporary directory; its gateways have no rates.

    Args:
        lots: How many; None for the whole.

    Yields:
        The directory, with `run.json` and `credentials.json`.

    Raises:
        TargetError: It does not start.
    """
    directory = Path(tempfile.mkdtemp(prefix="onelot-load-"))
    # Other users, as which the servers run, must be able to enter.
    directory.chmod(0o755)
    command = [sys.executable, "-m", "deploy", "demo", "--var", str(directory)]
    process = subprocess.Popen(
        [*command, *(("--lots", str(lots)) if lots else ())],
        stdout=sys.stderr,
        start_new_session=True,
        env={**os.environ, **_NO_RATES},
    )
    try:
        _await_run_file(process, directory / "run.json")
        yield directory
    finally:
        _end(process)
        shutil.rmtree(directory, ignore_errors=True)


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
