"""How far a command is that reads many objects: a bar on a terminal, now and then a line elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from workflows.details import size

_LINE_SECONDS = 10.0


class CountView:
    """Writes to stderr while it is entered, and leaves nothing on a terminal at its end."""

    def __init__(self, verb: str, unit: str, total: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._words = (verb, unit)
        self._total = total
        self._printed = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not self._live)
        self._task = self._bar.add_task(verb, total=total or None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, done: int, read: int) -> None:
        """Show that so many units of the total, and so many bytes, are done."""
        verb, unit = self._words
        words = f"{verb}: {done:,} of {self._total:,} {unit}, {size(read)}"
        self._bar.update(self._task, completed=done, description=words)
        if not self._live and time.monotonic() - self._printed >= _LINE_SECONDS:
            self._printed = time.monotonic()
            self._console.print(words, markup=False, highlight=False, soft_wrap=True)
