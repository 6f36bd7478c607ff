"""`python -m parking_api credentials`: what the command line says, and what it answers."""

import argparse
import asyncio
import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from rich.console import Console

from parking_api.command_line import DATABASE_ERRORS, connected, reason, say
from parking_api.credentials_file import CredentialsFileError
from parking_api.operators.broker_files import API_USER, INGEST_USER, PUSH_USER
from parking_api.operators.broker_users import follow
from parking_api.operators.credentials import Issued, Places, issue
from sql import logs
from sql.engine import RUN_FILE

# Where the passwords of the platform's own users come from.
_VARIABLES: Final = {
    INGEST_USER: "PLATFORM_INGEST_PASSWORD",
    API_USER: "PLATFORM_API_PASSWORD",
    PUSH_USER: "PLATFORM_PUSH_PASSWORD",
}


class BrokerUnknownError(Exception):
    """The broker's process is not to be found; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = (
        "Issue a password to every gateway that has none, and write them for the gateways "
        "(mode 600) and, hashed, with their rights, for the broker. The platform's own passwords "
        f"come from {', '.join(_VARIABLES.values())}."
    )
    parser.add_argument("--file", type=Path, default=Path("var/credentials.json"))
    parser.add_argument("--broker-dir", type=Path, default=Path("var/broker"))
    parser.add_argument(
        "--reload", action="store_true", help=f"have the broker of {RUN_FILE} read its files again"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="issue nothing: keep the broker's files as the database says, until a signal; it "
        "needs neither the gateways' file nor the platform's passwords",
    )
    parser.add_argument(
        "--status", type=Path, help="with --follow: a file that is touched while all is well"
    )


def check_arguments(arguments: argparse.Namespace) -> str | None:
    """Say what is wrong with the command line and the environment; None if nothing is."""
    directories = [arguments.broker_dir]
    if not arguments.follow:
        for variable in _VARIABLES.values():
            if not os.environ.get(variable):
                return f"{variable} is not set"
        directories.append(arguments.file.parent)
    for directory in directories:
        if not directory.is_dir():
            return f"there is no directory {directory}"
    return None


def run_command(arguments: argparse.Namespace, url: str) -> int:
    """Issue what is missing, and say how it went.

    Args:
        arguments: As `add_arguments` declares them, passed by `check_arguments`.
        url: The database.

    Returns:
        The exit status: 0 done, 1 not done.
    """
    if arguments.follow:
        logs.configure()
        asyncio.run(_follow(url, arguments.broker_dir, arguments.status))
        return 0
    out, err = Console(), Console(stderr=True)
    places = Places(arguments.file, arguments.broker_dir)
    try:
        issued = asyncio.run(_issue(url, places))
        if arguments.reload:
            reload_broker(RUN_FILE)
    except (CredentialsFileError, BrokerUnknownError, *DATABASE_ERRORS) as error:
        say(err, reason(error))
        return 1
    say(out, f"{issued.gateways:,} gateways, {issued.new:,} new passwords: {places.file}")
    return 0


async def _follow(url: str, directory: Path, status: Path | None) -> None:
    task = asyncio.ensure_future(follow(url, directory, status))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


async def _issue(url: str, places: Places) -> Issued:
    platform = {user: os.environ[variable] for user, variable in _VARIABLES.items()}
    async with connected(url, "parking_api credentials") as db:
        return await issue(db, places, platform)


def reload_broker(run_file: Path) -> None:
    """Have the running broker read `passwd` and `acl` again; nobody is disconnected.

    Args:
        run_file: The running demo's `run.json`.

    Raises:
        BrokerUnknownError: It is not there or names no broker that runs.
    """
    try:
        pid = int(json.loads(run_file.read_text())["processes"]["broker"])
        os.kill(pid, signal.SIGHUP)
    except FileNotFoundError as error:
        raise BrokerUnknownError(f"no broker to reload: there is no {run_file}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BrokerUnknownError(f"no broker to reload: {run_file} names none") from error
    except ProcessLookupError as error:
        raise BrokerUnknownError(f"no broker to reload: process {pid} is gone") from error
