import pytest

from activities.latency import record_task
from tests.activities.scene import PART, Scene
from tests.telemetry import measured

TASK_LATENCY = "milvus_datacoord_copy_segment_task_latency"
SECOND = 10**9  # nanoseconds


def stages() -> dict[str, float]:
    return {stage: measured(TASK_LATENCY, stage=stage) for stage in ("pending", "executing", "done")}


def recorded(**moments: int) -> dict[str, float]:
    """What one task adds to each stage, in milliseconds."""
    before = stages()
    record_task(**moments)
    return {stage: value - before[stage] for stage, value in stages().items()}


def counted(name: str) -> dict[str, float]:
    return {how: measured(name, outcome=how) for how in ("copied", "streamed", "in_place")}


def more(name: str, before: dict[str, float]) -> dict[str, float]:
    return {how: value - before[how] for how, value in counted(name).items() if value > before[how]}


def test_a_tasks_stages_are_in_milliseconds_and_add_up() -> None:
    found = recorded(created=SECOND, begun=3 * SECOND, complete=10 * SECOND)
    assert found == {"pending": 2_000, "executing": 7_000, "done": 9_000}


def test_clocks_that_disagree_make_no_stage_shorter_than_nothing() -> None:
    found = recorded(created=2 * SECOND, begun=SECOND, complete=3 * SECOND)
    assert found == {"pending": 0, "executing": 2_000, "done": 1_000}


async def test_objects_and_bytes_are_counted_by_how_they_came_into_place(scene: Scene) -> None:
    staged = await scene.begin()
    objects, sizes = counted("milvus_restore.objects"), counted("milvus_restore.bytes")

    done = await scene.copy(staged)

    assert more("milvus_restore.objects", objects) == {"copied": done.objects}
    assert more("milvus_restore.bytes", sizes) == {"copied": done.bytes}

    objects, sizes = counted("milvus_restore.objects"), counted("milvus_restore.bytes")
    again = await scene.copy(staged)

    assert again.skipped == done.objects
    assert more("milvus_restore.objects", objects) == {"in_place": done.objects}
    assert more("milvus_restore.bytes", sizes) == {"in_place": done.bytes}


async def test_what_was_proved_is_counted(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.copy(staged)
    before = measured("milvus_restore.verified_objects"), measured("milvus_restore.verified_bytes")

    result = await scene.verify(staged)

    after = measured("milvus_restore.verified_objects"), measured("milvus_restore.verified_bytes")
    assert (after[0] - before[0], after[1] - before[1]) == (result.objects, result.bytes)


@pytest.mark.usefixtures("apart")
async def test_what_came_from_another_store_is_told_apart(scene: Scene) -> None:
    # Made with the profile's own settings: the shared one knows its server by the other name.
    scene.clients.stores.pop("origin")
    staged = await scene.begin(partitions=PART)
    before = counted("milvus_restore.objects")

    done = await scene.copy(staged)

    assert more("milvus_restore.objects", before) == {"streamed": done.objects}
