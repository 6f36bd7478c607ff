"""Programs that run as our children: started with a log, waited for, stopped."""

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_LOOK_EVERY_S = 0.02


class NotStartedError(Exception):
    """A server does not come up; the message has the last lines of its log."""


@contextmanager
def running(
    argv: Sequence[str],
    log: Path,
    is_up: Callable[[int], bool],
    stop_signal: signal.Signals,
    timeout_s: float,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server in a process group of its own, and stop it at the end.

    Args:
        argv: The program and its arguments.
        log: Gets its output, after what is there.
        is_up: Whether the process of this id serves.
        stop_signal: Ends it in good order.
        timeout_s: Longest time until it serves.

    Raises:
        NotStartedError: It does not.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
        )
    try:
        deadline = time.monotonic() + timeout_s
        while not is_up(process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotStartedError(f"{log.stem} did not start:\n{tail(log)}")
            time.sleep(_LOOK_EVERY_S)
        yield process
    finally:
        stop(process, stop_signal)


def stop(process: subprocess.Popen[bytes], number: signal.Signals, timeout_s: float = 10.0) -> None:
    """Stop a child by signal `number`, and kill it when that takes longer than `timeout_s`."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log, control characters removed."""
    if not log.exists():
        return ""
    last = log.read_text(errors="replace").splitlines()[-lines:]
    return re.sub(r"[^\n\t\x20-\x7e\u00a0-\uffff]", "", "\n".join(last))
