"""`python -m parking_api audit verify|seal`: what the command line says, and what it answers."""

import argparse
import asyncio
import re
import signal
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog
from pydantic import ValidationError
from rich.console import Console

from parking_api.audit.sealing import Comparison, seal_forever
from parking_api.audit.seals import Seals, SealsError, make, opened, read_key, read_seals
from parking_api.audit.service import ChainBrokenError, Head, verify
from parking_api.audit.settings import AuditSettings
from parking_api.command_line import DATABASE_ERRORS, connected, reason, say
from sql import logs
from sql.engine import transaction

log = structlog.get_logger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = "The audit of every change of people, zones, tariffs and prices."
    parser.add_argument(
        "action",
        choices=["verify", "seal"],
        help="verify: go through the chain of hashes, and hold it to its seals; "
        "seal: add a seal at intervals, until a signal",
    )
    parser.add_argument(
        "--head", type=_hash, metavar="HASH", help="an earlier head, which must still be there"
    )
    parser.add_argument("--seals", type=Path, help="the file of seals; default: AUDIT_SEALS")
    parser.add_argument("--key", type=Path, help="the key of the seals; default: AUDIT_KEY")
    parser.add_argument(
        "--make",
        action="store_true",
        help="with seal: make a key and a file of seals, where neither is there",
    )


def _hash(text: str) -> bytes:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError("a hash is 64 hexadecimal digits")
    return bytes.fromhex(text)


def _settings(arguments: argparse.Namespace) -> AuditSettings:
    given = {name: getattr(arguments, name) for name in ("seals", "key")}
    return AuditSettings(**{name: path for name, path in given.items() if path is not None})


def check_arguments(arguments: argparse.Namespace) -> str | None:
    """Say what is wrong with the settings; None if nothing is."""
    try:
        _settings(arguments)
    except ValidationError as error:
        return str(error)
    return None


def run_command(arguments: argparse.Namespace, url: str) -> int:
    """Verify the chain and say how it is, or seal it until a signal.

    Args:
        arguments: As `add_arguments` declares them.
        url: The database.

    Returns:
        The exit status: 0 if the chain is good; 1 if it is broken or does not agree with its seals,
        or database, seals or key cannot be read.
    """
    settings = _settings(arguments)
    if arguments.action == "seal":
        return _seal(settings, url, is_made=arguments.make)
    err = Console(stderr=True)
    try:
        seals = _read(settings)
        head, doubts = asyncio.run(_verify(url, arguments.head, seals))
    except ChainBrokenError as error:
        say(err, f"the audit is broken: {error}")
        return 1
    except SealsError as error:
        say(err, f"the audit's seals: {error}")
        return 1
    except DATABASE_ERRORS as error:
        say(err, f"the database: {reason(error)}")
        return 1
    say(Console(), f"{head.entries} entries, head {head.hash.hex()}", _sealing(seals, settings))
    for doubt in doubts:
        say(err, f"the audit is doubtful: {doubt}")
    return 1 if doubts else 0


def _read(settings: AuditSettings) -> Seals | None:
    """Read the seals; None where none were asked for, and none are at the usual place."""
    is_asked_for = settings.model_fields_set & {"seals", "key"}
    try:
        if not (is_asked_for or settings.seals.exists() or settings.key.exists()):
            return None
    except OSError as error:
        raise SealsError(f"{error.filename}: {error.strerror}") from error
    return read_seals(settings.seals, read_key(settings.key))


def _sealing(seals: Seals | None, settings: AuditSettings) -> str:
    if seals is None or seals.first is None or seals.last is None:
        return f"not sealed: there is no {settings.seals}"
    last, since = seals.last, seals.first.at.isoformat(timespec="seconds")
    return (
        f"sealed to entry {last.head.entries} at {last.at.isoformat(timespec='seconds')}: "
        f"{seals.number} seals since {since}"
    )


async def _verify(url: str, known: bytes | None, seals: Seals | None) -> tuple[Head, list[str]]:
    comparison = Comparison(seals or Seals())
    async with connected(url, "parking_api audit") as db:
        # Where rows are hidden from this role, the database says so in place of leaving them out.
        await db.execute("SET row_security = off")
        async with transaction(db, isolation="repeatable_read", readonly=True) as within:
            head = await verify(within, known, comparison.hold)
    comparison.finish(head)
    return head, comparison.doubts


def _seal(settings: AuditSettings, url: str, *, is_made: bool) -> int:
    logs.configure()
    try:
        if is_made and make(settings.seals, settings.key):
            log.warning("a key and a file of seals are made", seals=settings.seals)
        with opened(settings.seals, read_key(settings.key)) as file:
            asyncio.run(
                _until_signal(seal_forever(url, file, settings.every_s, partial(datetime.now, UTC)))
            )
    except SealsError as error:
        log.error("the audit is not sealed", reason=str(error))  # noqa: TRY400
        return 1
    return 0


async def _until_signal(work: Coroutine[None, None, None]) -> None:
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
