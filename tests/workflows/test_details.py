import re
from typing import Any

import pytest

from restore.progress import Phase, Progress
from restore.steps import CopyReport
from workflows.details import duration, render, size

CHILDREN = "restore/default/orders/task-"


def shown(phase: Phase = "copying", running: int = 0, **fields: Any) -> str:
    figures: dict[str, Any] = {
        "segments_total": 24,
        "segments_done": 6,
        "objects_total": 5_310,
        "objects_done": 1_204,
        "bytes_total": 4 * 2**30,
        "bytes_done": 2**30,
        "bytes_per_second": 64.0 * 2**20,
        "seconds_left": 48.0,
        "concurrency": 8,
    }
    reports = [CopyReport(index=index, objects=1_000 + index, bytes=2**20) for index in range(running)]
    return render(Progress(phase=phase, **figures | fields), reports, "default", CHILDREN)


def test_copying_reads_well() -> None:
    assert shown(running=1) == (
        "### Copying\n"
        "\n"
        "`████░░░░░░░░░░░░░░░░` 22 %\n"
        "\n"
        "Copying objects inside the store; nothing is visible in Milvus yet.\n"
        "\n"
        "- **Segments:** 6 of 24\n"
        "- **Objects:** 1,204 of 5,310\n"
        "- **Bytes:** 1.0 GiB of 4.0 GiB, 64.0 MiB/s, about 48 s left\n"
        "\n"
        "**Copying now**\n"
        "\n"
        "- [task-0](/namespaces/default/workflows/restore%2Fdefault%2Forders%2Ftask-0): "
        "1,000 objects, 1.0 MiB\n"
        "\n"
        "**Steering**\n"
        "\n"
        "- `pause` stops copying at the next object; `resume` goes on\n"
        '- `set_concurrency` takes `{"value": 8}`; it is 8 now\n'
        "- Cancel rolls everything back; nothing is visible before *publishing*"
    )


@pytest.mark.parametrize(
    ("phase", "title"),
    [
        ("planning", "### Planning"),
        ("preparing", "### Preparing"),
        ("copying", "### Copying"),
        ("verifying", "### Verifying"),
        ("publishing", "### Publishing"),
        ("completed", "### Completed"),
        ("rolling_back", "### Rolling back"),
        ("failed", "### Failed"),
        ("canceled", "### Canceled"),
    ],
)
def test_each_phase_has_its_title_and_only_copying_can_be_steered(phase: Phase, title: str) -> None:
    text = shown(phase, running=1)

    assert text.splitlines()[0] == title
    assert ("**Steering**" in text) == (phase == "copying")
    assert ("**Copying now**" in text) == (phase == "copying")


def test_a_paused_restore_says_so_in_its_title() -> None:
    assert shown(paused=True).startswith("### Copying (paused)\n")


def test_publishing_says_that_there_is_no_way_back() -> None:
    assert "a cancel is refused" in shown("publishing")


def test_the_message_is_shown() -> None:
    assert "\n\nobject 9 is absent\n\n" in shown("failed", message="object 9 is absent")


def test_no_time_left_is_shown_while_none_is_known() -> None:
    assert "left" not in shown(seconds_left=None)


@pytest.mark.parametrize(("done", "filled", "share"), [(0, 0, 0), (50, 10, 50), (99, 19, 99), (100, 20, 100)])
def test_the_bar_has_twenty_steps(done: int, filled: int, share: int) -> None:
    text = shown(objects_total=100, objects_done=done, bytes_total=100, bytes_done=done)

    assert f"`{'█' * filled}{'░' * (20 - filled)}` {share} %" in text


def test_many_running_tasks_are_cut_short() -> None:
    text = shown(running=256)

    assert len(re.findall(r"^- \[task-\d+\]", text, re.MULTILINE)) == 12
    assert "- and 244 more" in text
    assert len(text.encode()) < 20_000, "the server takes no more"


def test_nothing_is_said_to_be_copied_while_nothing_is() -> None:
    assert "Copying now" not in shown(running=0, paused=True)


def test_twelve_running_tasks_are_all_shown() -> None:
    text = shown(running=12)

    assert "[task-11]" in text
    assert "more" not in text


def test_ids_are_quoted_in_links() -> None:
    text = render(
        Progress(phase="copying"), [CopyReport(index=3, objects=0, bytes=0)], "prod", "restore/a b/ü/task-"
    )

    assert "(/namespaces/prod/workflows/restore%2Fa%20b%2F%C3%BC%2Ftask-3)" in text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1_023, "1,023 B"),
        (1_024, "1.0 KiB"),
        (1_536, "1.5 KiB"),
        (2**20, "1.0 MiB"),
        (18.2 * 2**30, "18.2 GiB"),
        (5 * 2**40, "5.0 TiB"),
        (5_000 * 2**40, "5,000.0 TiB"),
    ],
)
def test_bytes_are_told_in_binary_units(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (5_399, "90 min"), (5_400, "1.5 h"), (86_400, "24.0 h")],
)
def test_times_are_told_in_the_unit_that_people_use(seconds: float, text: str) -> None:
    assert duration(seconds) == text
