"""What the demo shows: bars and spinners on a terminal, plain lines elsewhere."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

# Called with (done, total) where a step knows them.
Advance = Callable[[int, int], None]


class Display(ABC):
    """Where the demo's progress goes."""

    def __init__(self) -> None:
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

    @property
    @abstractmethod
    def is_terminal(self) -> bool:
        """Whether bars can be shown."""

    @abstractmethod
    def step(self, text: str) -> AbstractContextManager[Advance]:
        """Show a step while the block runs."""

    @abstractmethod
    def status(self) -> AbstractContextManager[Callable[[str], None]]:
        """Show status lines while the block runs: call what it gives with each."""


class PlainDisplay(Display):
    """One line when a step starts and one when it is done; each status a line."""

    is_terminal = False

    def step(self, text: str) -> AbstractContextManager[Advance]:
        """Print the step's name, then how long it took."""
        return self.handed_over(text)

    @contextmanager
    def status(self) -> Iterator[Callable[[str], None]]:
        """Print each status."""
        yield self.say


class TerminalDisplay(Display):
    """A spinner for each step, a bar where its length is known; one status line, rewritten."""

    is_terminal = True

    @contextmanager
    def step(self, text: str) -> Iterator[Advance]:
        """Show the step as it goes on, then how long it took."""
        started = time.monotonic()
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
        bar = Progress(*columns, BarColumn(), TimeElapsedColumn(), console=self._out)
        counted = Progress(
            *columns, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=self._out
        )
        with Live(bar, console=self._out, transient=True, refresh_per_second=8) as live:
            pulse = bar.add_task(text, total=None)
            task = counted.add_task(text, total=None)

            def advance(done: int, total: int) -> None:
                counted.update(task, completed=done, total=total)
                live.update(counted if total else bar)

            yield advance
            bar.stop_task(pulse)
        self.say(f"  {text}: {time.monotonic() - started:.1f} s")

    @contextmanager
    def status(self) -> Iterator[Callable[[str], None]]:
        """Rewrite one line."""
        with Live(Text(""), console=self._out, auto_refresh=False) as live:
            yield lambda line: live.update(
                Text(line, no_wrap=True, overflow="ellipsis"), refresh=True
            )


def display_for(*, terminal: bool) -> Display:
    """Return what suits standard output: `terminal` tells whether it is one."""
    return TerminalDisplay() if terminal else PlainDisplay()
