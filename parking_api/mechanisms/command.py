"""`python -m parking_api review`: the review job, to be run by a timer.

Each approved mechanism is reviewed and the execution recorded, in a transaction of its own: one
that does not fit its tariff any more stops no other. The audit shows the reviews as those of
`command`.
"""

import argparse
import asyncio
from datetime import UTC, datetime

from rich.console import Console

from parking_api.command_line import DATABASE_ERRORS, connected, reason, say
from parking_api.errors import ApiError
from parking_api.mechanisms import queries, service
from parking_api.mechanisms.models import ReviewAnswer
from parking_api.people.models import COMMAND
from parking_api.quotes import queries as price_queries
from parking_api.quotes.prices import calendar_of
from parking_api.workflow import acting
from sql.engine import Db
from sql.kinds import OPERATIONS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = (
        "Review the prices of every approved mechanism, and record what each rule proposes."
    )
    parser.add_argument("--mechanism", metavar="ID", help="only this one")
    parser.add_argument("--reason", help="why; kept in the audit")


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
    async with connected(url, "parking_api review") as db:
        for mechanism_id in await _wanted(db, arguments.mechanism):
            try:
                lines += _lines(await _review(db, mechanism_id, arguments.reason))
            except ApiError as error:
                faults = "; ".join(f"{one.parameter}: {one.message}" for one in error.faults)
                refused.append(f"{mechanism_id}: {error.detail} {faults}".rstrip())
    return lines, refused


async def _wanted(db: Db, given: str | None) -> list[str]:
    if given is not None:
        return [given]
    approved = await queries.mechanisms(db, include_drafts=False)
    return [each.mechanism_id for each in approved if each.state == "approved"]


async def _review(db: Db, mechanism_id: str, why: str | None) -> ReviewAnswer:
    async with acting(db, COMMAND, datetime.now(UTC), why, {OPERATIONS}) as act:
        calendar = calendar_of(await price_queries.calendar(act.db))
        return await service.review(act, mechanism_id, calendar)


def _lines(review: ReviewAnswer) -> list[str]:
    head = f"{review.mechanism_id} {review.number}"
    lines = []
    for each in review.proposals:
        season = f" {each.season}" if each.season else ""
        price = f"{each.before_minor} -> {each.after_minor}"
        lines.append(f"{head} {each.time_band}{season}: {price} {each.text.en}")
    return lines or [f"{head}: no season of it covers today"]
