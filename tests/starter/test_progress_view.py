from io import StringIO

import pytest
from rich.console import Console

from restore.progress import Progress
from starter.progress_view import LiveView, PlainView, picture, sentence, view_for

COPYING = Progress(
    phase="copying",
    segments_total=6,
    segments_done=3,
    objects_total=5_310,
    objects_done=1_204,
    bytes_total=4 * 2**30,
    bytes_done=2**30,
    objects_per_second=220.0,
    bytes_per_second=412 * 2**20,
    seconds_left=180.0,
    concurrency=16,
)


class Clock:
    """Time that stands still until it is moved."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def page() -> StringIO:
    return StringIO()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plain(page: StringIO, clock: Clock) -> PlainView:
    return PlainView(Console(file=page), clock=clock)


def test_a_line_says_all_that_is_known() -> None:
    assert sentence(COPYING) == (
        "copying: 22 %, 3 of 6 segments, 1,204 of 5,310 objects, 1.0 GiB of 4.0 GiB, "
        "412.0 MiB/s, 220 objects/s, about 3 min left, 16 tasks at once"
    )


def test_before_the_plan_a_line_claims_no_figures() -> None:
    assert sentence(Progress()) == "planning"
    assert (
        sentence(Progress(phase="rolling_back", message="deleting objects"))
        == "rolling back: deleting objects"
    )


def test_plain_lines_come_when_something_turns(plain: PlainView, page: StringIO) -> None:
    moved = COPYING.model_copy(update={"objects_done": 1_300})
    for progress in (Progress(), COPYING, moved, moved.model_copy(update={"paused": True})):
        plain.show(progress)
    assert [line.split(":")[0] for line in page.getvalue().splitlines()] == [
        "planning",
        "copying",
        "copying (paused)",
    ]


def test_plain_lines_come_now_and_then_while_figures_change(
    plain: PlainView, page: StringIO, clock: Clock
) -> None:
    plain.show(COPYING)
    clock.now += 9.9
    plain.show(COPYING.model_copy(update={"objects_done": 2_000}))
    assert len(page.getvalue().splitlines()) == 1
    clock.now += 0.1
    plain.show(COPYING.model_copy(update={"objects_done": 2_100}))
    assert "2,100 of 5,310" in page.getvalue().splitlines()[1]
    clock.now += 60
    plain.show(COPYING.model_copy(update={"objects_done": 2_100}))
    assert len(page.getvalue().splitlines()) == 2, "nothing new is not said again"


def test_a_note_is_said_once_until_figures_come(plain: PlainView, page: StringIO) -> None:
    plain.note("waiting for [a worker]")
    plain.note("waiting for [a worker]")
    plain.show(COPYING)
    plain.note("waiting for [a worker]")
    assert page.getvalue().count("waiting for [a worker]\n") == 2


def test_the_picture_has_a_bar_figures_and_the_note(page: StringIO) -> None:
    Console(file=page, width=100).print(picture(COPYING, "no worker"))
    bar, amounts, speed, note = page.getvalue().splitlines()
    assert bar.startswith("copying  ━━━━━━━━")
    assert bar.rstrip().endswith("22 %")
    assert amounts == "3 of 6 segments · 1,204 of 5,310 objects · 1.0 GiB of 4.0 GiB"
    assert speed == "412.0 MiB/s · 220 objects/s · about 3 min left · 16 tasks at once"
    assert note == "no worker"


def test_only_a_terminal_that_can_redraw_gets_the_live_view(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(view_for(Console(force_terminal=True)), LiveView)
    assert isinstance(view_for(Console(file=StringIO())), PlainView)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(view_for(Console(force_terminal=True)), PlainView)
