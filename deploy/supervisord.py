"""supervisord as the demo starts it: what a program leaves behind when it dies becomes its child.

A child whose parent has died is given to the next process above that asks for such orphans
(prctl(2), PR_SET_CHILD_SUBREAPER), else to process 1, where nobody knows whose it was. supervisord
buries each of its children, known or not, and starts nothing but programs: so each child of it that
is no program was left behind by one.

supervisord looks at its programs each second. It stops them one after another, and of each it would
see that late that it has ended: too late for all of them to end within the time they have.
"""

import ctypes
import os
import sys
from typing import Final

from supervisor import poller
from supervisor.supervisord import main

_PR_SET_CHILD_SUBREAPER: Final = 36
_LOOK_EVERY_S: Final = 0.1


def adopt_orphans() -> None:
    """Ask the kernel for the orphans below this process.

    Raises:
        OSError: The kernel does not do it (before Linux 3.4).
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class _Eager(poller.Poller):  # type: ignore[misc]
    """Waits for its programs' output for a moment only."""

    def poll(self, timeout: float) -> object:
        """Wait for output; supervisord looks at its programs after it."""
        return super().poll(min(timeout, _LOOK_EVERY_S))


if __name__ == "__main__":
    adopt_orphans()
    poller.Poller = _Eager
    main(sys.argv[1:])
