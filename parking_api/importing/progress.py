"""How far a command is: bars on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Advance = Callable[[int], None]


class Steps(Protocol):
    """Is told of each step of a command."""

    def step(self, text: str, total: int | None = None) -> AbstractContextManager[Advance]:
        """Enter a step; the value given is called with what has been done since its last call.

        Args:
            text: What is being done.
            total: How much there is to do; None if that is not counted.
        """
        ...


class Silent:
    """Says nothing."""

    @contextmanager
    def step(self, text: str, total: int | None = None) -> Iterator[Advance]:
        """Enter a step and say nothing of it."""
        del text, total
        yield lambda _done: None


class Lines:
    """Writes a line as each step begins."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, text: str, total: int | None = None) -> Iterator[Advance]:
        """Write the step's line."""
        of = f" (about {total:,})" if total else ""
        self._console.print(f"{text}{of}", soft_wrap=True, markup=False, highlight=False)
        yield lambda _done: None


class Bars:
    """Draws a bar for each step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextmanager
    def step(self, text: str, total: int | None = None) -> Iterator[Advance]:
        """Draw the step's bar, full at its end."""
        task = self._progress.add_task(text, total=total)
        yield lambda done: self._progress.advance(task, done)
        self._progress.update(task, total=total or 1, completed=total or 1)


@contextmanager
def steps(console: Console) -> Iterator[Steps]:
    """Show progress on `console` in the way that suits it."""
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = TextColumn("{task.description:<52}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        yield Bars(progress)
