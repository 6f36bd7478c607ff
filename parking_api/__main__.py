"""`python -m parking_api import|credentials|serve`."""

import argparse
import sys
from importlib import import_module

from parking_api.importing import command as importing
from parking_api.operators import command as credentials
from sql.engine import DatabaseUnknownError, database_url


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0 done, 1 not done, 2 wrongly called."""
    words = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m parking_api")
    commands = parser.add_subparsers(dest="command", required=True)
    load = commands.add_parser("import", help="load a city's directory, or a file of lots")
    importing.add_arguments(load)
    issue = commands.add_parser("credentials", help="issue the gateways' passwords")
    credentials.add_arguments(issue)
    serve = commands.add_parser("serve", help="answer HTTP")
    if words[:1] == ["serve"]:
        # Only here: the other commands need not wait for the web framework.
        server = import_module("parking_api.serve")
        server.add_arguments(serve)
        return int(server.run_command(parser.parse_args(words)) or 0)
    arguments = parser.parse_args(words)
    chosen, command = (load, importing) if arguments.command == "import" else (issue, credentials)
    if wrong := command.check_arguments(arguments):
        chosen.error(wrong)
    try:
        url = database_url(arguments.database_url)
    except DatabaseUnknownError as error:
        chosen.error(str(error))
    return int(command.run_command(arguments, url))


if __name__ == "__main__":
    sys.exit(main())
