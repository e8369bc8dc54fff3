"""The web UI's current details: what an operator wants to know, as Markdown."""

from collections.abc import Sequence
from urllib.parse import quote

from restore.progress import Phase, Progress
from restore.steps import CopyReport
from restore.tally import percent

_BAR = 20
_SHOWN = 12

_MEANING: dict[Phase, str] = {
    "planning": "Reading the snapshot and the target; nothing is written yet.",
    "preparing": "Reserving the target.",
    "copying": "Copying objects inside the store; nothing is visible in Milvus yet.",
    "verifying": "Proving records and counts; nothing is visible in Milvus yet.",
    "publishing": "Making all segments visible. This is the point of no return: a cancel is refused.",
    "completed": "All segments are published. Restart Milvus's coordinator before the collection is loaded.",
    "rolling_back": "Removing everything that this restore wrote.",
    "failed": "The restore failed.",
    "canceled": "The restore was cancelled and rolled back.",
}


def render(progress: Progress, running: Sequence[CopyReport], namespace: str, child_prefix: str) -> str:
    """The details for this state, at most a few kilobytes."""
    parts = [_title(progress), _MEANING[progress.phase], progress.message, _figures(progress)]
    if progress.phase == "copying":
        parts += [_tasks(running, namespace, child_prefix), _steering(progress)]
    return "\n\n".join(part for part in parts if part)


def _title(progress: Progress) -> str:
    share = percent(progress)
    filled = share * _BAR // 100
    name = progress.phase.replace("_", " ").capitalize() + (" (paused)" if progress.paused else "")
    return f"### {name}\n\n`{'█' * filled}{'░' * (_BAR - filled)}` {share} %"


def _figures(progress: Progress) -> str:
    left = "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
    return "\n".join(
        [
            f"- **Segments:** {progress.segments_done:,} of {progress.segments_total:,}",
            f"- **Objects:** {progress.objects_done:,} of {progress.objects_total:,}",
            f"- **Bytes:** {size(progress.bytes_done)} of {size(progress.bytes_total)}, "
            f"{size(progress.bytes_per_second)}/s{left}",
        ]
    )


def _tasks(running: Sequence[CopyReport], namespace: str, child_prefix: str) -> str:
    if not running:
        return ""
    workflows = f"/namespaces/{namespace}/workflows/{quote(child_prefix, safe='')}"
    lines = [
        f"- [task-{each.index}]({workflows}{each.index}): {each.objects:,} objects, {size(each.bytes)}"
        for each in running[:_SHOWN]
    ]
    more = len(running) - _SHOWN
    return "\n".join(["**Copying now**", "", *lines, *([f"- and {more} more"] if more > 0 else [])])


def _steering(progress: Progress) -> str:
    return "\n".join(
        [
            "**Steering**",
            "",
            "- `pause` stops copying at the next object; `resume` goes on",
            f'- `set_concurrency` takes `{{"value": 8}}`; it is {progress.concurrency} now',
            "- Cancel rolls everything back; nothing is visible before *publishing*",
        ]
    )


def size(count: float) -> str:
    """Bytes for people, in binary units."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable: TiB is the last unit")


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
