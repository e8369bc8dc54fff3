from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from restore.progress import RestoreResult
from tests.workflows.replaying import kin
from tests.workflows.trial import Trial, details, progress
from tests.workflows.world import BYTES, OBJECTS, ROWS, SEGMENTS
from workflows import search_attributes

pytestmark = pytest.mark.usefixtures("worker")


async def test_a_restore_answers_with_what_it_restored(trial: Trial) -> None:
    world = trial.world

    result = await (await trial.start(concurrency=2)).result()

    assert result == RestoreResult(
        job_id=str(world.job),
        collection_id="449",
        segments=SEGMENTS * world.tasks,
        rows=ROWS * world.tasks,
        objects=OBJECTS * world.tasks,
        objects_skipped=0,
        bytes=BYTES * world.tasks,
        seconds=result.seconds,
        certificate=f"s3://b/restores/{world.job}/certificate.json",
    )
    assert 0 < result.seconds < 60


async def test_every_task_is_copied_recorded_indexed_three_ways_and_published(trial: Trial) -> None:
    world = trial.world

    await (await trial.start()).result()

    tasks = set(range(world.tasks))
    assert world.objects == dict.fromkeys(tasks, OBJECTS)
    assert world.published == tasks
    assert world.indexes == {
        (task, step)
        for task in tasks
        for step in ("sync_vector_scalar_indexes", "sync_text_indexes", "sync_json_indexes")
    }
    assert sorted(world.begun) == sorted(tasks), "each task is copied once"
    assert world.owner is None
    assert world.rollbacks == []


async def test_the_certificate_is_told_the_counts(trial: Trial) -> None:
    trial.world.objects = {0: 3}  # of an earlier attempt

    result = await (await trial.start()).result()

    completion = trial.world.completion
    assert completion is not None
    assert completion.objects == result.objects == OBJECTS * trial.world.tasks
    assert completion.objects_skipped == result.objects_skipped == 3
    assert completion.bytes == result.bytes


async def test_a_snapshot_without_segments_is_published_at_once(trial: Trial) -> None:
    trial.world.tasks = 0
    restore = await trial.start()

    result = await restore.result()

    assert (result.segments, result.rows, result.objects, result.bytes) == (0, 0, 0, 0)
    assert trial.world.completion is not None
    assert (await progress(restore)).phase == "completed"


async def test_an_absent_target_is_made_before_the_restore_is_planned(trial: Trial) -> None:
    world = trial.world
    world.absent, world.held = True, {"create_target", "plan_restore"}
    restore = await trial.start()
    await world.reached("create_target")
    assert world.plans == set()

    world.release()
    result = await restore.result()

    assert world.made == {result.job_id}, "the target stays"


async def test_a_target_that_exists_is_not_made(trial: Trial) -> None:
    await (await trial.start()).result()

    assert trial.world.made == set()


async def test_the_phases_come_in_order(trial: Trial) -> None:
    restore = await trial.start()
    await restore.result()

    assert await _phases(restore) == [
        "planning",
        "preparing",
        "copying",
        "verifying",
        "publishing",
        "completed",
    ]


async def test_a_restore_is_found_by_target_snapshot_phase_and_percent(trial: Trial) -> None:
    restore = await trial.start()
    await restore.result()

    found = (await restore.describe()).typed_search_attributes

    assert found[search_attributes.TARGET] == trial.target
    assert found[search_attributes.SNAPSHOT_NAME] == "nightly"
    assert found[search_attributes.PHASE] == "completed"
    assert found[search_attributes.PERCENT] == 100


async def test_each_task_is_a_child_whose_id_and_summary_say_which(trial: Trial) -> None:
    restore = await trial.start()
    await restore.result()

    children = {child for child, _ in kin(await restore.fetch_history())}

    assert children == {f"restore/default/{trial.target}/task-{index}" for index in (0, 1)}
    assert await (await trial.task(0).describe()).static_summary() == "task-0, 1 of 2, of snapshot nightly"
    assert await (await trial.task(1).describe()).static_summary() == "task-1, 2 of 2, of snapshot nightly"


async def test_the_details_say_what_is_copied_and_how_to_steer(trial: Trial) -> None:
    world = trial.world
    world.reports, world.held = True, {"copy_objects/1"}
    restore = await trial.start(concurrency=1)
    await world.reached("copy_objects/1")

    text = await details(restore)

    assert text.startswith("### Copying")
    assert f"- **Segments:** {SEGMENTS} of {SEGMENTS * world.tasks}" in text
    link = f"/namespaces/default/workflows/restore%2Fdefault%2F{trial.target}%2Ftask-1"
    assert f"- [task-1]({link}): {OBJECTS // 2} objects, {BYTES // 2} B" in text
    assert "task-0" not in text
    assert "`pause`" in text
    world.release()
    await restore.result()
    assert (await details(restore)).startswith("### Completed")
    assert "100 %" in await details(restore)


async def _phases(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """The values that the history gives to RestorePhase, in order."""
    converter = handle._client.data_converter.payload_converter
    found: list[str] = []
    async for event in handle.fetch_history_events():
        attributes = event.upsert_workflow_search_attributes_event_attributes.search_attributes
        payload = attributes.indexed_fields.get(search_attributes.PHASE.name)
        if payload is not None:
            found.append(converter.from_payload(payload))
    return found
