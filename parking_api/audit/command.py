"""`python -m parking_api audit verify`: what the command line says, and what it answers."""

import argparse
import asyncio
import re

from rich.console import Console

from parking_api.audit.service import ChainBrokenError, Head, verify
from parking_api.command_line import DATABASE_ERRORS, connected, reason, say
from sql.engine import transaction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = "The audit of every change of people, zones, tariffs and prices."
    parser.add_argument("action", choices=["verify"], help="go through the chain of hashes")
    parser.add_argument(
        "--head", type=_hash, metavar="HASH", help="an earlier head, which must still be there"
    )


def _hash(text: str) -> bytes:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError("a hash is 64 hexadecimal digits")
    return bytes.fromhex(text)


def run_command(arguments: argparse.Namespace, url: str) -> int:
    """Verify the chain; print how many entries it has and its head's hash.

    Args:
        arguments: As `add_arguments` declares them.
        url: The database.

    Returns:
        The exit status: 0 if the chain is good; 1 if an entry is broken, which is named, or the
        database cannot be read.
    """
    try:
        head = asyncio.run(_verify(url, arguments.head))
    except ChainBrokenError as error:
        say(Console(stderr=True), f"the audit is broken: {error}")
        return 1
    except DATABASE_ERRORS as error:
        say(Console(stderr=True), f"the database: {reason(error)}")
        return 1
    say(Console(), f"{head.entries} entries, head {head.hash.hex()}")
    return 0


async def _verify(url: str, known: bytes | None) -> Head:
    async with (
        connected(url, "parking_api audit") as db,
        transaction(db, isolation="repeatable_read", readonly=True) as within,
    ):
        return await verify(within, known)
