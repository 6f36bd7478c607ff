"""The simulators' command line: `python -m simulators city|fit|fidelity|run|history|replay`."""

import argparse
import importlib
import sys
from collections.abc import Sequence

import structlog

# Each module has `add_arguments(parser)`, and `run_command(args)`, which returns the exit code.
COMMANDS = {
    "city": ("simulators.city.command", "write the files of a whole city"),
    "fit": ("simulators.fitting.command", "fit the parameters of demand to what was measured"),
    "fidelity": ("simulators.fidelity.command", "hold the simulated city against real ones"),
    "run": ("simulators.run_command", "run the city's gateways"),
    "history": ("simulators.history.command", "write what a city's lots held, by days"),
    "score": ("simulators.score_command", "score what a platform shows against the truth"),
    "replay": ("simulators.replay_command", "send recorded occupancy as feeds"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; only its own module is imported, which saves time and memory.

    Args:
        argv: Arguments without the program's name; those of the process when None.

    Returns:
        The exit code: 0 when all went well, 2 for wrong arguments or a refused target.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, (module, summary) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary, description=summary)
        if arguments[:1] == [name]:
            command = importlib.import_module(module)
            command.add_arguments(subparser)
            subparser.set_defaults(run_command=command.run_command)
    args = parser.parse_args(arguments)
    return int(args.run_command(args))


if __name__ == "__main__":
    # Standard output is for what a command answers.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sys.exit(main())
