"""`python -m sql upgrade|downgrade|current|revise`: changes a database's schema, or shows it."""

import argparse
import sys

from sql.engine import DatabaseUnknownError, database_url
from sql.migrate import NotOwnerError, RevisionUnknownError, current, downgrade, revise, upgrade


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 2 where it cannot be, with a sentence that says why."""
    parser = argparse.ArgumentParser(prog="python -m sql", description="The database's schema.")
    parser.add_argument(
        "--database-url",
        help="of its owner, who alone may change the schema; default: DATABASE_URL, then "
        "var/run.json, whose role may not (a demo migrates its database when it starts)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("upgrade", help="migrate up")
    up.add_argument("revision", nargs="?", default="head")
    down = commands.add_parser("downgrade", help="migrate down; `base` removes everything")
    down.add_argument("revision")
    commands.add_parser("current", help="print the revision")
    new = commands.add_parser("revise", help="write a migration: database at the head to classes")
    new.add_argument("message", help="what it does")
    options = parser.parse_args(argv)
    try:
        url = database_url(options.database_url)
        if options.command == "upgrade":
            upgrade(url, options.revision)
        elif options.command == "downgrade":
            downgrade(url, options.revision)
        elif options.command == "revise":
            revise(url, options.message)
        else:
            current(url)
    except (DatabaseUnknownError, NotOwnerError, RevisionUnknownError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
