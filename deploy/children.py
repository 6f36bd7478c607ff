"""Child processes: stopping one, and the last lines of its log."""

import re
import signal
import subprocess
from pathlib import Path


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
