import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.opening import OpeningActivities
from formats.job_records import RETENTION, completed_job, mapping, pending_job, pending_task
from formats.proto.common_pb2 import Dropped, Flushed, Importing, SegmentState
from formats.proto.data_pb2 import SegmentInfo
from restore.errors import SnapshotCorrupt, TargetBusy, TargetNotEmpty, UnsupportedFormat
from restore.steps import Opening
from samples.snapshot import snapshot_info
from stores.ids import FIRST, LAST
from tests.activities.refusing import refused
from tests.activities.scene import WORKFLOW, Scene

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_sound_request_gets_a_new_job_and_nothing_else_changes(scene: Scene) -> None:
    before = scene.image()
    opening = await scene.run(OpeningActivities(scene.clients).open_restore, scene.request())
    assert opening == Opening(job_id=opening.job_id, snapshot_name="nightly", search_attributes=True)
    assert FIRST <= int(opening.job_id) <= LAST
    assert before.changes(scene.image()) == {scene.keys.id_counter}


async def test_each_request_gets_a_job_of_its_own(scene: Scene) -> None:
    assert await scene.open() != await scene.open()


async def test_what_the_server_knows_of_search_attributes_is_passed_on(scene: Scene) -> None:
    activities = OpeningActivities(scene.clients, search_attributes=False)
    assert not (await scene.run(activities.open_restore, scene.request())).search_attributes


async def test_a_key_in_the_source_profiles_bucket_names_a_snapshot(scene: Scene) -> None:
    assert int(await scene.open(snapshot=scene.written.key)) >= FIRST


async def test_a_uri_is_read_with_the_source_profile_in_whatever_bucket(scene: Scene) -> None:
    assert int(await scene.open(source="default")) >= FIRST


@pytest.mark.parametrize("database", ["", "default/"])
async def test_a_snapshot_is_found_by_its_name_in_the_sources_catalog(scene: Scene, database: str) -> None:
    scene.add_source_records()
    assert int(await scene.open(snapshot=f"{database}sample/nightly", source="default")) >= FIRST


async def test_a_name_that_the_catalog_lacks_lists_those_it_has(scene: Scene) -> None:
    scene.add_source_records()
    await refused(
        scene, "SnapshotNotFound", ["'weekly'", "nightly"], snapshot="sample/weekly", source="default"
    )


async def test_a_snapshot_that_is_not_committed_is_refused(scene: Scene) -> None:
    scene.add_target("sample")
    info = snapshot_info(scene.written.shape)
    info.collection_id = scene.add_target("sample")
    scene.put(scene.keys.snapshot(info.collection_id, info.id), info.SerializeToString())
    await refused(
        scene, "SnapshotNotFound", ["PENDING", "COMMITTED"], snapshot="sample/nightly", source="default"
    )


async def test_a_truncated_metadata_file_is_refused(scene: Scene) -> None:
    with scene.source(scene.written.key, b'{"format_version": 4'):
        error = await refused(scene, "SnapshotCorrupt", [scene.written.key])
    assert type(error) is SnapshotCorrupt


async def test_a_newer_format_is_refused(scene: Scene) -> None:
    newer = scene.body(scene.written.key, scene.written.bucket).replace(
        b'"format_version": 4', b'"format_version": 5'
    )
    with scene.source(scene.written.key, newer):
        error = await refused(scene, "UnsupportedFormat", [scene.written.key, "5"])
    assert type(error) is UnsupportedFormat


CASES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "no such snapshot": (
        {"snapshot": "files/snapshots/1/metadata/2.json"},
        "SnapshotNotFound",
        ["files/snapshots/1/metadata/2.json", "'origin'"],
    ),
    "no such bucket": (
        {"snapshot": "s3://no-such-bucket/files/snapshots/1/metadata/2.json"},
        "SnapshotNotFound",
        ["no-such-bucket"],
    ),
    "no snapshot's key": (
        {"snapshot": "s3://b/files/snapshots/1/2.json"},
        "InvalidRequest",
        ["s3://b/files/snapshots/1/2.json", "metadata/"],
    ),
    "an unknown source": ({"source": "weekly"}, "InvalidRequest", ["'weekly'", "default", "origin"]),
    "an unknown destination": ({"destination": "weekly"}, "InvalidRequest", ["'weekly'", "default"]),
    "unknown partitions": (
        {"partitions": ("part_1", "part_7", "part_8")},
        "InvalidRequest",
        ["field partitions", "'part_7', 'part_8'", "_default, part_1"],
    ),
    "no such database": ({"database": "warehouse"}, "TargetNotFound", ["'warehouse'", "default"]),
    "no such collection": ({"target": "invoices"}, "TargetNotFound", ["'invoices'", "orders"]),
    "a destination without its bucket": (
        {"destination": "no-bucket"},
        "InvalidRequest",
        ["'absent-bucket'", "'no-bucket'"],
    ),
    "a source with wrong keys": (
        {"source": "wrong-keys"},
        "AccessDenied",
        ["wrong-keys", "ListObjectsV2"],
    ),
    "a destination with wrong keys": (
        {"destination": "wrong-keys"},
        "AccessDenied",
        ["wrong-keys", "ListObjectsV2"],
    ),
}
UNREACHABLE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a source that is not there": ({"source": "closed"}, ["closed", "endpoint"]),
    "a source that never answers": ({"source": "silent"}, ["silent", "endpoint"]),
    "a destination that is not there": ({"destination": "closed"}, ["closed", "endpoint"]),
    "an etcd that is not there": ({"destination": "closed-etcd"}, ["closed-etcd", "etcd"]),
    "an etcd that never answers": ({"destination": "silent-etcd"}, ["silent-etcd", "etcd"]),
    "nothing answers": ({"source": "silent", "destination": "silent"}, ["silent", "etcd"]),
    "the source's catalog never answers": (
        {"source": "silent-etcd", "snapshot": "sample/nightly"},
        ["silent-etcd", "etcd"],
    ),
}


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize("case", CASES)
async def test_a_request_that_cannot_be_done_is_refused_and_nothing_changes(scene: Scene, case: str) -> None:
    changes, kind, says = CASES[case]
    await refused(scene, kind, says, **changes)


@pytest.mark.usefixtures("troubles")
async def test_a_store_that_cannot_be_reached_is_told_in_time(scene: Scene) -> None:
    """All at once, since each takes a few seconds."""
    async with asyncio.TaskGroup() as group:
        for changes, says in UNREACHABLE.values():
            group.create_task(refused(scene, "AccessDenied", says, **changes))


def segment(scene: Scene, state: SegmentState) -> None:
    info = SegmentInfo(ID=77, collectionID=scene.collection, partitionID=5, state=state)
    scene.put(scene.keys.segment(scene.collection, 5, 77), info.SerializeToString())


@pytest.mark.parametrize("state", [Flushed, Importing])
async def test_a_target_with_segments_is_not_empty(scene: Scene, state: SegmentState) -> None:
    segment(scene, state)
    error = await refused(scene, "TargetNotEmpty", ["'orders'", "1 segments", "77"])
    assert type(error) is TargetNotEmpty


async def test_a_target_whose_segments_are_all_dropped_is_empty(scene: Scene) -> None:
    segment(scene, Dropped)
    assert int(await scene.open()) >= FIRST


async def test_a_finished_restore_fills_its_target(scene: Scene) -> None:
    await scene.finish()
    await refused(scene, "TargetNotEmpty", ["'orders'", "3 segments"])


async def test_a_restore_that_is_under_way_makes_its_target_busy(scene: Scene) -> None:
    job = (await scene.begin()).plan.job_id
    error = await refused(scene, "TargetBusy", [job, WORKFLOW, "active"])
    assert type(error) is TargetBusy


async def test_a_kept_restore_is_gone_on_with(scene: Scene) -> None:
    staged = await scene.keep(await scene.stage())
    before = scene.image()
    assert await scene.open() == staged.plan.job_id
    assert before.changes(scene.image()) == set()


async def test_a_kept_restore_of_other_partitions_makes_its_target_busy(scene: Scene) -> None:
    staged = await scene.keep(await scene.begin())
    await refused(scene, "TargetBusy", [staged.plan.job_id, WORKFLOW, "kept"], partitions=("_default",))


async def test_a_kept_restore_of_a_snapshot_that_was_changed_since_makes_its_target_busy(
    scene: Scene,
) -> None:
    staged = await scene.keep(await scene.begin())
    spaced = scene.body(scene.written.key, scene.written.bucket) + b"\n"
    with scene.source(scene.written.key, spaced):
        await refused(scene, "TargetBusy", [staged.plan.job_id, "kept"])


def job(scene: Scene, number: int, ended: datetime | None) -> list[str]:
    """The keys of a job's record and of its task's."""
    value = pending_job(
        job_id=number,
        collection_id=1,
        snapshot_name="n",
        source_collection_id=2,
        location="l",
        mappings=[mapping(1, 2, 3)],
        rows=1,
        now=NOW,
    )
    scene.put(scene.keys.copy_segment_job(number), completed_job(value, ended) if ended else value)
    own = pending_task(task_id=number + 1, job_id=number, collection_id=1, mappings=[], now=NOW)
    scene.put(scene.keys.copy_segment_task(number + 1), own)
    return [scene.keys.copy_segment_job(number), scene.keys.copy_segment_task(number + 1)]


async def test_a_new_job_sweeps_what_is_left_of_our_own_old_ones(scene: Scene) -> None:
    now = datetime.now(UTC)
    old = job(scene, FIRST + 500, now - RETENTION - timedelta(minutes=1))
    for kept in (
        job(scene, FIRST + 600, now - RETENTION + timedelta(minutes=1)),
        job(scene, FIRST + 700, None),
        job(scene, 462_000_000_000_000_000, now - timedelta(days=1)),
    ):
        assert all(scene.metadata.get(key) for key in kept)
    before = scene.image()
    await scene.open()
    assert before.changes(scene.image()) == {*old, scene.keys.id_counter}


async def test_a_job_that_is_recorded_is_not_given_again(scene: Scene) -> None:
    job(scene, FIRST, None)
    assert int(await scene.open()) == FIRST + 2
