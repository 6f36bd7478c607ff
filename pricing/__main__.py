"""`python -m pricing check FILE`: run the cases of a file shaped like the golden ones."""

import argparse
import json
import sys
from pathlib import Path

from pricing.checking import check


def main() -> int:
    """Print a line for each case; 0 if all agree, 1 if one differs, 2 if the file is unreadable."""
    parser = argparse.ArgumentParser(prog="python -m pricing", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="run the cases of a file")
    checking.add_argument("file", type=Path, help="JSON with `tariffs` and `cases`")
    path: Path = parser.parse_args().file
    try:
        content = json.loads(path.read_bytes())
        cases, tariffs = content["cases"], content["tariffs"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{path}: not a file of cases: {error!r}", file=sys.stderr)
        return 2
    results = list(check({**content, "cases": cases, "tariffs": tariffs}))
    for result in results:
        print(result.line)
    failed = sum(not result.passed for result in results)
    print(f"{len(results) - failed} of {len(results)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
