"""A restore's progress for people: a live bar on a terminal, plain lines elsewhere. Both write to stderr."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from restore.progress import Progress
from restore.tally import percent
from workflows.details import duration, size

_BAR_WIDTH = 40


class View(ABC):
    """Where a watcher shows progress and says sentences, for as long as the view is entered."""

    def __enter__(self) -> Self:
        """Begin to show."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the screen tidy."""
        return

    @abstractmethod
    def show(self, progress: Progress) -> None:
        """Show the newest figures."""

    @abstractmethod
    def note(self, sentence: str) -> None:
        """Say once something that is not a figure, and holds until figures come."""


def view_for(console: Console) -> View:
    """Return the live view where the console is a terminal that can redraw, else the plain one."""
    return LiveView(console) if console.is_terminal and not console.is_dumb_terminal else PlainView(console)


class LiveView(View):
    """Redraws a bar and two lines of figures in place, and leaves nothing behind at its end."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress()
        self._note = ""
        self._live = Live(console=console, get_renderable=self._render, transient=True, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Show these figures from the next redraw on."""
        self._progress, self._note = progress, progress.message

    def note(self, sentence: str) -> None:
        """Show the sentence below the figures until the next figures come."""
        self._note = sentence

    def _render(self) -> Group:
        return picture(self._progress, self._note)


class PlainView(View):
    """Prints a line when something turns, else every `every` seconds while figures change."""

    def __init__(
        self, console: Console, *, every: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._every = every
        self._clock = clock
        self._turn: tuple[object, ...] = ()
        self._line = self._note = ""
        self._printed = 0.0

    def show(self, progress: Progress) -> None:
        """Print the figures when phase, pause, concurrency or message changed, or their time has come."""
        turn = (progress.phase, progress.paused, progress.concurrency, progress.message)
        line, now = sentence(progress), self._clock()
        due = now - self._printed >= self._every and line != self._line
        if turn != self._turn or due:
            self._turn, self._line, self._printed = turn, line, now
            self._say(line)
        self._note = ""

    def note(self, sentence: str) -> None:
        """Print the sentence, unless it is the last thing said."""
        if sentence != self._note:
            self._say(sentence)
        self._note = sentence

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def sentence(progress: Progress) -> str:
    """Return one line with all that is known."""
    message = [progress.message] if progress.message else []
    known = progress.segments_total or progress.objects_total
    figures = [f"{percent(progress)} %", *_amounts(progress), *_speed(progress)] if known else []
    return f"{_phase(progress)}: {', '.join([*figures, *message])}".removesuffix(": ")


def picture(progress: Progress, note: str) -> Group:
    """Return bar, amounts and speed as three lines, and the note as a fourth."""
    share, known = percent(progress), bool(progress.objects_total)
    bar = Table.grid(padding=(0, 2))
    bar.add_row(
        Text(_phase(progress), style="bold"),
        ProgressBar(100, share, width=_BAR_WIDTH, pulse=not known),
        Text(f"{share} %" if known else ""),
    )
    lines = (
        [Text(" · ".join(_amounts(progress))), Text(" · ".join(_speed(progress)), style="dim")]
        if known
        else []
    )
    return Group(bar, *lines, *([Text(note, style="yellow")] if note else []))


def _phase(progress: Progress) -> str:
    return progress.phase.replace("_", " ") + (" (paused)" if progress.paused else "")


def _amounts(progress: Progress) -> list[str]:
    return [
        f"{progress.segments_done:,} of {progress.segments_total:,} segments",
        f"{progress.objects_done:,} of {progress.objects_total:,} objects",
        f"{size(progress.bytes_done)} of {size(progress.bytes_total)}",
    ]


def _speed(progress: Progress) -> list[str]:
    left = [] if progress.seconds_left is None else [f"about {duration(progress.seconds_left)} left"]
    return [
        f"{size(progress.bytes_per_second)}/s",
        f"{progress.objects_per_second:,.0f} objects/s",
        *left,
        f"{progress.concurrency} tasks at once",
    ]
