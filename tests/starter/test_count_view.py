from io import StringIO

import pytest
from rich.console import Console

from starter.count_view import CountView


def test_elsewhere_than_on_a_terminal_a_line_comes_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 11.0, 11.0, 12.0])
    monkeypatch.setattr("starter.count_view.time.monotonic", lambda: next(clock))
    out = StringIO()
    with CountView("sealing", "segments", 2_000, Console(file=out, width=200)) as view:
        view.show(1, 2**20)
        view.show(1_500, 2**30)
        view.show(1_501, 2**30)
    assert out.getvalue() == "sealing: 1,500 of 2,000 segments, 1.0 GiB\n"


def test_a_terminal_shows_a_bar_and_is_left_clean() -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=120, legacy_windows=False)
    with CountView("verifying", "objects", 10, console) as view:
        view.show(5, 2**20)
    assert "verifying: 5 of 10 objects, 1.0 MiB" in out.getvalue()
    assert "50%" in out.getvalue()
