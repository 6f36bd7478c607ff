"""Lets the simulator go on when the load has ended: `python -m load_tests.pausing DIRECTORY`.

It waits for the end of its standard input, which the load holds open, and with it each process that
plays gateways. However these end, killed or not, the simulator goes on.
"""

import sys
from pathlib import Path

from load_tests.rig import SIMULATOR, supervisor_of


def main(directory: Path) -> None:
    """Wait, then let the simulator of the run in a directory go on."""
    sys.stdin.read()
    supervisor_of(directory).signalProcess(SIMULATOR, "CONT")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
