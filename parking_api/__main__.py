"""`python -m parking_api import|credentials|people|audit|review|serve`: runs one command."""

import argparse
import sys
from importlib import import_module
from typing import Final

from sql.engine import DatabaseUnknownError, database_url

# Module and help of each command; only the one that is asked for is imported.
_COMMANDS: Final = {
    "import": (
        "parking_api.importing.command",
        "load a city's directory, a file of lots, or a city's past",
    ),
    "credentials": ("parking_api.operators.command", "issue the gateways' passwords"),
    "people": ("parking_api.people.command", "people, their roles and API keys"),
    "audit": ("parking_api.audit.command", "verify the audit, or seal it"),
    "review": ("parking_api.mechanisms.command", "review prices that move, and record it"),
    "serve": ("parking_api.serve", "answer HTTP"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0 done, 1 not done, 2 wrongly called."""
    words = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m parking_api")
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {name: commands.add_parser(name, help=text) for name, (_, text) in _COMMANDS.items()}
    if not words or words[0] not in _COMMANDS:
        parser.parse_args(words)
        parser.error("the command comes first")
    name = words[0]
    command = import_module(_COMMANDS[name][0])
    command.add_arguments(parsers[name])
    parsers[name].add_argument("--database-url", help="default: DATABASE_URL, then var/run.json")
    arguments = parser.parse_args(words)
    # Only some commands can be wrong as a whole.
    check = getattr(command, "check_arguments", lambda _: None)
    if wrong := check(arguments):
        parsers[name].error(wrong)
    try:
        url = database_url(arguments.database_url)
    except DatabaseUnknownError as error:
        parsers[name].error(str(error))
    return int(command.run_command(arguments, url))


if __name__ == "__main__":
    sys.exit(main())
