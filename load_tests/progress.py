"""How far a load test is: a bar on a terminal, a line for each stage elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar

# Of a stage: its processes start, all lots report, and what changed is put back.
_AROUND_S: Final = 6.0


class _PassedColumn(BarColumn):
    """A bar of the time that has passed, of the time that a stage should take."""

    def render(self, task: Task) -> ProgressBar:
        """Draw it; a stage that takes longer has a full bar."""
        return ProgressBar(task.total, min(task.elapsed or 0.0, task.total or 0.0), self.bar_width)


@contextmanager
def shown(name: str, about_s: float, say: Callable[[str], None]) -> Iterator[None]:
    """Show that a stage runs, and how much of its time has passed.

    Args:
        name: Its name.
        about_s: How long it measures.
        say: Gets a line, where there is no terminal.
    """
    about_s += _AROUND_S
    console = Console()
    if not console.is_terminal:
        say(f"{name}: about {about_s:.0f} s")
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), _PassedColumn())
    total = TextColumn("of about {task.total:.0f} s")
    with Progress(*columns, TimeElapsedColumn(), total, console=console, transient=True) as bar:
        bar.add_task(name, total=about_s)
        yield
