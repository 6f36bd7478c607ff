"""`python -m parking_api people ...`: what the command line says, and what it answers.

Whoever may run it has the database's password, so no role is asked for: the first person of
operations is added with it. The audit shows its changes as those of `command`.
"""

import argparse
import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, get_args

import msgspec
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from parking_api.command_line import DATABASE_ERRORS, connected, reason, say
from parking_api.credentials_file import CredentialsFileError
from parking_api.errors import ApiError
from parking_api.models import Answer
from parking_api.parameters import Moment
from parking_api.people import queries, service
from parking_api.people.demo import NoOperatorError, make_demo_people
from parking_api.people.keys import ApiKey
from parking_api.people.models import COMMAND, LONGEST_GRACE_MIN, NewPerson
from parking_api.settings import ApiSettings
from parking_api.workflow import Act, acting
from sql.kinds import Role
from sql.statements import Row

_ERRORS: Final = (ApiError, CredentialsFileError, NoOperatorError, *DATABASE_ERRORS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options on its parser."""
    parser.description = "People, their roles and API keys. A key is printed once, never again."
    parser.add_argument("--reason", help="why; kept in the audit")
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="add a person, without a key")
    add.add_argument("person")
    add.add_argument("--name", required=True)
    add.add_argument("--role", dest="roles", action="append", choices=get_args(Role), required=True)
    add.add_argument("--operator", help="whose lots the role operator is about")
    actions.add_parser("list", help="everybody with their good keys, a line of JSON each")
    issue = actions.add_parser("issue", help="issue a further key to a person")
    issue.add_argument("person")
    issue.add_argument("--expires-at", type=_moment, help="RFC 3339; default: as late as can be")
    rotate = actions.add_parser("rotate", help="replace a key")
    rotate.add_argument("key_id")
    rotate.add_argument(
        "--grace-minutes", type=_grace, default=60, help="how long the old key stays good; 60"
    )
    actions.add_parser("revoke", help="end a key at once").add_argument("key_id")
    demo = actions.add_parser("demo", help="one person of each role, their keys in a file")
    demo.add_argument("--file", type=Path, default=Path("var/credentials.json"))


def _moment(text: str) -> datetime:
    try:
        return TypeAdapter[datetime](Moment).validate_python(text)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(error.errors()[0]["msg"]) from error


def _grace(text: str) -> int:
    if not 0 <= int(text) <= LONGEST_GRACE_MIN:
        raise argparse.ArgumentTypeError(f"from 0 to {LONGEST_GRACE_MIN}")
    return int(text)


def check_arguments(arguments: argparse.Namespace) -> str | None:
    """Say what is wrong with the command line as a whole; None if nothing is."""
    if arguments.action == "demo" and not arguments.file.parent.is_dir():
        return f"there is no directory {arguments.file.parent}"
    if arguments.action != "add":
        return None
    try:
        _new_person(arguments)
    except ValidationError as error:
        fault = error.errors()[0]
        return " ".join((*map(str, fault["loc"]), fault["msg"]))
    return None


def _new_person(arguments: argparse.Namespace) -> NewPerson:
    return NewPerson(
        person_id=arguments.person,
        name=arguments.name,
        roles=frozenset(arguments.roles),
        operator_id=arguments.operator,
        reason=arguments.reason,
    )


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
        case "add":
            return [_line(await service.add_person(act, _new_person(arguments)))]
        case "list":
            return [_line(each) for each in await queries.good_keys(act.db, act.at)]
        case "issue":
            key = ApiKey.new()
            await service.issue_key(act, arguments.person, key, lifetime, arguments.expires_at)
            return [key.written()]
        case "rotate":
            key, grace = ApiKey.new(), timedelta(minutes=arguments.grace_minutes)
            await service.rotate_key(
                act, None, arguments.key_id, key, lifetime=lifetime, grace=grace
            )
            return [key.written()]
        case "revoke":
            return [_line(await service.revoke_key(act, None, arguments.key_id))]
        case _:
            issued = await make_demo_people(act.db, arguments.file, lifetime, at=act.at)
            return [f"{issued} new keys: {arguments.file}"]


def _line(row: Row | Answer) -> str:
    fields = msgspec.structs.asdict(row) if isinstance(row, Row) else row.model_dump()
    return json.dumps(fields, ensure_ascii=False, default=str)
