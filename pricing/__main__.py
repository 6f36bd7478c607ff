"""`python -m pricing`: run the cases of a file, or print the JSON Schema of the tariff document."""

import argparse
import sys
from pathlib import Path

from pricing.checking import check, read_cases
from pricing.schema import schema_text


def main() -> int:
    """Print a line for each case; 0 if all agree, 1 if one differs, 2 if the file is unreadable."""
    parser = argparse.ArgumentParser(prog="python -m pricing", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="run the cases of a file")
    checking.add_argument("file", type=Path, help="JSON with `tariffs` and `cases`")
    commands.add_parser("schema", help="print the JSON Schema of the tariff document")
    arguments = parser.parse_args()
    if arguments.command == "schema":
        print(schema_text(), end="")
        return 0
    try:
        content = read_cases(arguments.file)
    except (OSError, ValueError) as error:
        print(f"{arguments.file}: not a file of cases: {error}", file=sys.stderr)
        return 2
    # What a case says may hold what the terminal cannot show.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    results = list(check(content))
    for result in results:
        print(result.line)
    failed = sum(not result.passed for result in results)
    print(f"{len(results) - failed} of {len(results)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
