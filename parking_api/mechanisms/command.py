"""`python -m parking_api review`: the review job, to be run by a timer.

Each approved mechanism is reviewed and the execution recorded, in a transaction of its own: one
that does not fit its tariff any more stops no other. The audit shows the reviews as those of
`command`.
"""

import argparse
import asyncio
import json
from datetime import UTC, datetime

from rich.console import Console

from parking_api.audit import Action
from parking_api.command_line import DATABASE_ERRORS, Connection, connected, reason, say
from parking_api.errors import ApiError
from parking_api.mechanisms import reviewing
from parking_api.models import Row
from parking_api.people.models import COMMAND
from parking_api.quotes import queries as price_queries
from parking_api.quotes.prices import calendar_of
from sql.named import named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = (
        "Review the prices of every approved mechanism, and record what each rule proposes."
    )
    parser.add_argument("--mechanism", metavar="ID", help="only this one")
    parser.add_argument("--reason", help="why; kept in the audit")
    parser.add_argument("--database-url", help="default: DATABASE_URL, then var/run.json")


def check_arguments(_arguments: argparse.Namespace) -> str | None:
    """Say what is wrong with the command line as a whole: nothing can be."""
    return None


def run_command(arguments: argparse.Namespace, url: str) -> int:
    """Review; print a line for each price, with the reason.

    Args:
        arguments: As `add_arguments` declares them.
        url: The database.

    Returns:
        The exit status: 0 all were reviewed, 1 one could not be.
    """
    try:
        lines, refused = asyncio.run(_run(arguments, url))
    except DATABASE_ERRORS as error:
        say(Console(stderr=True), f"the database: {reason(error)}")
        return 1
    say(Console(), *lines)
    say(Console(stderr=True), *refused)
    return 1 if refused else 0


async def _run(arguments: argparse.Namespace, url: str) -> tuple[list[str], list[str]]:
    lines, refused = [], []
    async with connected(url, "parking_api review") as connection:
        for mechanism_id in await _wanted(connection, arguments.mechanism):
            act = Action(COMMAND, datetime.now(UTC), arguments.reason)
            try:
                lines += _lines(await _review(connection, mechanism_id, act))
            except ApiError as error:
                faults = "; ".join(f"{one.parameter}: {one.message}" for one in error.faults)
                refused.append(f"{mechanism_id}: {error.detail} {faults}".rstrip())
    return lines, refused


async def _wanted(connection: Connection, given: str | None) -> list[str]:
    if given is not None:
        return [given]
    rows = await connection.fetch(named("mechanism_list"), None, False)  # noqa: FBT003
    return [row["mechanism_id"] for row in rows if row["state"] == "approved"]


async def _review(connection: Connection, mechanism_id: str, act: Action) -> Row:
    async with connection.transaction():
        calendar = calendar_of(await price_queries.calendar(connection))
        return await reviewing.review(connection, mechanism_id, calendar, act)


def _lines(row: Row) -> list[str]:
    head = f"{row['mechanism_id']} {row['number']}"
    lines = []
    for each in json.loads(row["proposals_text"]):
        season = f" {each['season']}" if each["season"] else ""
        price = f"{each['before_minor']} -> {each['after_minor']}"
        lines.append(f"{head} {each['time_band']}{season}: {price} {each['text']['en']}")
    return lines or [f"{head}: no season of it covers today"]
