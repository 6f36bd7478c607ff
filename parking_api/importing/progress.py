"""How far a command is: bars on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Steps(Progress):
    """Shows each step of a command on a console, while its own block lasts."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description:<52}"), BarColumn(), TimeElapsedColumn()
        super().__init__(*columns, console=console, disable=not console.is_terminal)

    @contextmanager
    def step(self, text: str, total: int | None = None) -> Iterator[TaskID]:
        """Show a step while the block lasts; its bar is full at the end.

        Args:
            text: What is being done.
            total: How much there is to do, which `track` counts; None if that is not counted.
        """
        if self.disable:
            of = f" (about {total:,})" if total else ""
            self.console.print(f"{text}{of}", soft_wrap=True, markup=False, highlight=False)
        task = self.add_task(text, total=total)
        yield task
        self.update(task, total=total or 1, completed=total or 1)
