"""The snapshot that the product takes of a catalog, and the one that the samples' own writer makes of it."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.segment import SegmentManifest
from samples.shape import SampleShape
from samples.snapshot import snapshot_metadata
from tests.samples.test_any_snapshot import SHAPES
from tests.stores.snapshot_ground import SNAPSHOT, Ground, without_pointers


def latest(shape: SampleShape) -> SampleShape:
    """We write the latest format; deletes of a successor are in no record of the segment itself."""
    oddities = {number: odd for number, odd in shape.oddities.items() if odd != "successor's deletes"}
    return shape.model_copy(update={"format_version": 4, "oddities": oddities})


def as_read(manifest: SegmentManifest) -> SegmentManifest:
    """A log without a size in memory is read with that in storage (segment-restore.md, section 3.2)."""
    entry = manifest.model_dump()
    for name in ("binlog_files", "deltalog_files", "statslog_files", "bm25_statslog_files"):
        for log in (log for field in entry[name] for log in field["binlogs"]):
            log["memory_size"] = log["memory_size"] or log["log_size"]
    return SegmentManifest.model_validate(entry)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(SHAPES.map(latest), st.booleans())
def test_both_say_the_same_of_every_segment_and_of_the_collection(shape: SampleShape, again: bool) -> None:
    ground = Ground(shape)
    if again:
        ground.take()

    count = ground.take()

    # A segment without logs and without a committed manifest holds nothing.
    expected = [
        each for each in ground.manifests if each.binlog_files or each.deltalog_files or each.manifest_path
    ]
    metadata, manifests = ground.read()
    assert manifests == without_pointers(map(as_read, expected))
    theirs = snapshot_metadata(shape, expected)
    theirs.snapshot_info.CopyFrom(metadata.snapshot_info)
    theirs.manifest_list[:] = [
        each.replace(f"/{shape.snapshot_id}/", f"/{SNAPSHOT}/") for each in theirs.manifest_list
    ]
    assert metadata == theirs
    assert (count.segments, count.rows) == (len(expected), sum(each.num_of_rows for each in expected))
    assert ground.stored == {*metadata.manifest_list, ground.files.metadata.key}
    if len(expected) == len(ground.manifests):
        assert (count.objects, count.bytes) == (len(ground.data), sum(map(len, ground.data.values())))
