"""`python -m parking_api people ...`: what the command line says, and what it answers.

`bootstrap` and `recover` alone make keys, and take the password of the database's owner; the others
take a program's. No role is asked for. The audit shows their changes as those of `command`.
"""

import argparse
import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, get_args

import msgspec
from pydantic import ValidationError
from rich.console import Console

from parking_api.command_line import DATABASE_ERRORS, connected, reason, say
from parking_api.credentials_file import CredentialsFileError
from parking_api.errors import ApiError
from parking_api.models import Answer
from parking_api.people import first, queries, service
from parking_api.people.models import COMMAND, NewPerson
from parking_api.settings import ApiSettings
from parking_api.workflow import Act, acting
from sql.engine import SentenceError
from sql.kinds import Role
from sql.statements import Row

_ERRORS: Final = (ApiError, CredentialsFileError, SentenceError, *DATABASE_ERRORS)
_PERSON: Final = ("ID", "NAME", "ROLES")
# To stderr: keys go to stdout.
log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = "The first people, recovery, and keys that end. Others come by enrolment."
    parser.add_argument("--reason", help="why; kept in the audit")
    actions = parser.add_subparsers(dest="action", required=True)
    bootstrap = actions.add_parser(
        "bootstrap", help="make the first people; with the password of the database's owner"
    )
    bootstrap.add_argument(
        "--if-nobody", action="store_true", help="do nothing where somebody is there already"
    )
    recover = actions.add_parser(
        "recover", help="give people new keys, and raise an alert; with the same password"
    )
    for made in (bootstrap, recover):
        made.add_argument(
            "--person",
            dest="people",
            nargs=3,
            metavar=_PERSON,
            action="append",
            default=[],
            help=f"roles with commas: {', '.join(each for each in get_args(Role))}, but operator",
        )
        made.add_argument(
            "--demo", action="store_true", help="one of each role, where the file has no good key"
        )
        made.add_argument("--file", type=Path, help="where keys go; else they are printed, once")
    actions.add_parser("list", help="everybody with their good keys, a line of JSON each")
    actions.add_parser("revoke", help="end a key at once").add_argument("key_id")


def check_arguments(arguments: argparse.Namespace) -> str | None:
    """Say what is wrong with the command line as a whole; None if nothing is."""
    if arguments.action not in {"bootstrap", "recover"}:
        return None
    if arguments.file is not None and not arguments.file.parent.is_dir():
        return f"there is no directory {arguments.file.parent}"
    if arguments.demo and arguments.file is None:
        return "--demo goes with --file"
    if arguments.demo == bool(arguments.people):
        return "either --person, once or more, or --demo"
    try:
        _named(arguments)
    except ValidationError as error:
        fault = error.errors()[0]
        return " ".join((*map(str, fault["loc"]), fault["msg"]))
    return None


def _named(arguments: argparse.Namespace) -> list[NewPerson]:
    return [
        NewPerson.model_validate(
            {
                "person_id": person_id,
                "name": name,
                "roles": roles.split(","),
                "reason": arguments.reason,
            }
        )
        for person_id, name, roles in arguments.people
    ]


def run_command(arguments: argparse.Namespace, url: str) -> int:
    """Do what the command line says.

    Args:
        arguments: As `add_arguments` declares them, passed by `check_arguments`.
        url: The database.

    Returns:
        The exit status: 0 done, 1 nothing was changed.
    """
    try:
        lines = asyncio.run(_run(arguments, url))
    except _ERRORS as error:
        text = error.detail if isinstance(error, ApiError) else reason(error)
        say(Console(stderr=True), text)
        return 1
    say(Console(), *lines)
    return 0


async def _run(arguments: argparse.Namespace, url: str) -> list[str]:
    async with (
        connected(url, "parking_api people") as db,
        acting(db, COMMAND, datetime.now(UTC), arguments.reason) as act,
    ):
        return await _answer(act, arguments)


async def _answer(act: Act, arguments: argparse.Namespace) -> list[str]:
    """Take the action that the command line names; return what is printed."""
    lifetime = ApiSettings().key_lifetime
    match arguments.action:
        case "bootstrap":
            if arguments.if_nobody and await queries.is_anybody_there(act.db):
                return ["There are people already."]
            return _kept(
                await first.bootstrap(act, await _wanted(act, arguments), lifetime), arguments
            )
        case "recover":
            return await _recover(act, arguments, lifetime)
        case "list":
            return [_line(each) for each in await queries.good_keys(act.db, act.at)]
        case _:
            return [_line(await service.revoke_key(act, None, arguments.key_id))]


async def _wanted(act: Act, arguments: argparse.Namespace) -> list[NewPerson]:
    return await first.demo_people(act) if arguments.demo else _named(arguments)


async def _recover(act: Act, arguments: argparse.Namespace, lifetime: timedelta) -> list[str]:
    wanted = await _wanted(act, arguments)
    if arguments.demo:
        wanted = await first.without_key(act, wanted, arguments.file)
        if not wanted:
            return [f"0 new keys: {arguments.file}"]
    made = await first.recover(act, wanted, lifetime)
    lines = _kept(made, arguments)
    names = ", ".join(person.person_id for person, _ in made)
    log.error("recovered past all enrolments, as the database's owner: %s", names)
    return lines


def _kept(made: list[first.Keyed], arguments: argparse.Namespace) -> list[str]:
    if arguments.file is None:
        return [
            json.dumps({"person_id": person.person_id, "key": key.written()})
            for person, key in made
        ]
    first.keep_keys(made, arguments.file)
    return [f"{len(made)} new keys: {arguments.file}"]


def _line(row: Row | Answer) -> str:
    fields = msgspec.structs.asdict(row) if isinstance(row, Row) else row.model_dump()
    return json.dumps(fields, ensure_ascii=False, default=str)
