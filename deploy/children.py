"""Child processes: running one to its end, stopping one, and the last lines of its log."""

import os
import re
import signal
import subprocess
from pathlib import Path

from deploy.services import Service


class JobError(Exception):
    """A job ended with an error.

    Attributes:
        log: Where its output is.
    """

    def __init__(self, name: str, status: int, log: Path) -> None:
        super().__init__(f"{name} ended with status {status}")
        self.log = log


def run_job(job: Service, source: Path, log: Path, *, shown: bool = False) -> None:
    """Run a job to its end, its output to `log`.

    It has a process group of its own, so that Ctrl-C reaches it only through us; whatever ends the
    wait ends the job.

    Args:
        job: What to run.
        source: The checkout, its working directory.
        log: Written anew.
        shown: It shows its progress itself: its standard output is ours; the log has its errors.

    Raises:
        JobError: Its exit status is not 0.
    """
    process = begin_job(job, source, log, shown=shown)
    try:
        process.wait()
    except BaseException:
        stop(process, signal.SIGTERM, 2.0)
        raise
    if process.returncode:
        raise JobError(job.name, process.returncode, log)


def begin_job(
    job: Service, source: Path, log: Path, *, shown: bool = False
) -> subprocess.Popen[bytes]:
    """Start a job as `run_job` does, for the caller to wait for and to stop."""
    with log.open("wb") as output:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *job.command],
            env={**os.environ, **job.environment},
            stdin=subprocess.DEVNULL,
            stdout=None if shown else output,
            stderr=output,
            cwd=source,
            process_group=0,
        )


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
    text = "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return re.sub(r"[^\n\t\x20-\x7e\u00a0-\uffff]", "", text)
