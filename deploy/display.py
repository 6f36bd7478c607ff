"""What the demo shows: bars and spinners on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

# Called with (done, total) where a step knows them.
Advance = Callable[[int, int], None]


class Display:
    """Where the demo's progress goes.

    On a terminal: a spinner for each step, a bar where its length is known, one status line that
    is rewritten. Elsewhere: a line when a step starts and one when it is done, each status a line.

    Attributes:
        is_terminal: Whether bars can be shown.
    """

    def __init__(self, *, is_terminal: bool) -> None:
        self.is_terminal = is_terminal
        self._out = Console(highlight=False, soft_wrap=True)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Show a line that stays."""
        self._out.print(text, markup=False)

    def complain(self, text: str) -> None:
        """Say, on standard error, why it cannot go on."""
        self._errors.print(text, markup=False)

    @contextmanager
    def handed_over(self, text: str) -> Iterator[Advance]:
        """Show a step whose program shows its own progress, on the same terminal."""
        started = time.monotonic()
        self.say(f"{text} ...")
        yield lambda _done, _total: None
        self.say(f"{text}: {time.monotonic() - started:.1f} s")

    def step(self, text: str) -> AbstractContextManager[Advance]:
        """Show a step while the block runs, then how long it took."""
        return self._bar(text) if self.is_terminal else self.handed_over(text)

    @contextmanager
    def _bar(self, text: str) -> Iterator[Advance]:
        started = time.monotonic()
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            console=self._out,
            transient=True,
            refresh_per_second=8,
        ) as bar:
            task = bar.add_task(text, total=None, count="")
            yield lambda done, total: bar.update(
                task,
                completed=done,
                total=total or None,
                count=f"{done}/{total}" if total else "",
            )
        self.say(f"  {text}: {time.monotonic() - started:.1f} s")

    @contextmanager
    def status(self) -> Iterator[Callable[[str], None]]:
        """Show status lines while the block runs: call what it gives with each."""
        if not self.is_terminal:
            yield self.say
            return
        with Live(Text(""), console=self._out, auto_refresh=False) as live:
            yield lambda line: live.update(
                Text(line, no_wrap=True, overflow="ellipsis"), refresh=True
            )
