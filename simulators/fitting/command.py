"""The subcommand `fit`: parameters of demand from a folder of stays and occupancy."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from simulators.demand.parameters import dump, load
from simulators.fitting.files import Dropped, FaultyDataError
from simulators.fitting.fit import fit
from simulators.fitting.reading import read_facts

OK = 0
REFUSED = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "directory", type=Path, metavar="DIR", help="the folder of what was measured"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument(
        "--base",
        type=Path,
        metavar="FILE",
        help="parameters of what the folder says nothing of; default: the demo's own",
    )


def run_command(args: argparse.Namespace) -> int:
    """Fit and write the parameters; what was left out goes to standard error.

    Returns:
        The exit code: 2 when a file is faulty, and nothing is written.
    """
    try:
        base = load(args.base)
        facts = read_facts(args.directory)
        content = dump(fit(facts, base))
        if args.out:
            _write_whole(args.out, content)
        else:
            sys.stdout.write(content.decode())
    except FaultyDataError as error:
        sys.stderr.write(f"{error}\nnothing written: {len(error.faults)} faults\n")
        return REFUSED
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\nnothing written\n")
        return REFUSED
    sys.stderr.write(report(facts.dropped))
    return OK


def report(dropped: Sequence[Dropped]) -> str:
    """Return what was left out, a line for each file and reason."""
    lines = [
        f"{one.file}: {one.reason}: {one.number} of {one.whole} {one.kind}"
        f" ({100 * one.number / max(one.whole, 1):.1f} %)\n"
        for one in dropped
        if one.number
    ]
    return "".join(["left out, since it is not a fact:\n", *lines]) if lines else ""


def _write_whole(file: Path, content: bytes) -> None:
    """Write a file that is either whole or not there."""
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, file)  # noqa: PTH105 - as one step
    finally:
        part.unlink(missing_ok=True)
