"""Snapshots that are not there, not whole, or of another time."""

from collections.abc import Callable

import pytest

from formats.proto.data_pb2 import SnapshotInfo, SnapshotState
from samples.catalog import collection_records, source_collection
from samples.shape import SampleShape
from samples.snapshot import WrittenSample, snapshot_info, write_sample
from tests.e2e.bad_input import assert_refused, assert_told, refused
from tests.e2e.damage import Damage, SnapshotFiles
from tests.e2e.deployment import Deployment, new_bucket
from tests.e2e.image import assert_untouched
from tests.e2e.site import Site

Says = tuple[str, ...]


def cut(files: SnapshotFiles) -> None:
    files.files[files.manifest] = files.files[files.manifest][:-100]


def lengthen(files: SnapshotFiles) -> None:
    files.files[files.manifest] += b"12345"


def exchange(files: SnapshotFiles) -> None:
    files.files[files.manifest] = files.files[files.other]


METADATA: dict[str, tuple[Damage, str, Says]] = {
    "no metadata file": (
        lambda it: it.files.pop(it.metadata),
        "SnapshotNotFound",
        ("{metadata}", "{bucket}"),
    ),
    "the next format version": (
        lambda it: it.change(format_version=5),
        "UnsupportedFormat",
        ("{metadata}", "format version 5", "4"),
    ),
    "a far format version": (
        lambda it: it.change(format_version=99, collection="?"),
        "UnsupportedFormat",
        ("{metadata}", "format version 99", "4"),
    ),
    "no JSON": (
        lambda it: it.files.update({it.metadata: b"<html>Not found</html>"}),
        "SnapshotCorrupt",
        ("{metadata}", "JSON"),
    ),
    "half a JSON": (
        lambda it: it.files.update({it.metadata: it.files[it.metadata][:500]}),
        "SnapshotCorrupt",
        ("{metadata}", "JSON"),
    ),
    "an empty file": (lambda it: it.files.update({it.metadata: b""}), "SnapshotCorrupt", ("{metadata}",)),
    "no collection": (
        lambda it: it.change(collection=None),
        "SnapshotCorrupt",
        ("{metadata}", "collection", "missing"),
    ),
    "another file's ids": (
        lambda it: it.change(snapshot_info={"id": "12", "collection_id": "34"}),
        "SnapshotCorrupt",
        ("{metadata}", "snapshot_info.collection_id", "found 34"),
    ),
}
MANIFESTS: dict[str, tuple[Damage, Says]] = {
    "a missing one": (lambda it: it.files.pop(it.manifest), ("{manifest}", "absent", "{metadata}")),
    "a truncated one": (cut, ("{manifest}", "at byte", "of {length}")),
    "an empty one": (lambda it: it.files.update({it.manifest: b""}), ("{manifest}", "of 0")),
    "trailing bytes": (lengthen, ("{manifest}", "5 bytes are left over", "expected none")),
    "another segment's": (exchange, ("{manifest}", "segment_id", "expected", "found")),
}
Spoil = Callable[[Deployment, str, str], object]
OBJECTS: dict[str, tuple[Spoil, str, Says]] = {
    "a missing one": (
        lambda at, bucket, key: at.s3.delete_object(Bucket=bucket, Key=key),
        "ObjectMissing",
        ("absent",),
    ),
    "a truncated one": (
        lambda at, bucket, key: at.s3.put_object(Bucket=bucket, Key=key, Body=b"123"),
        "ObjectMismatch",
        ("3 bytes", "expected"),
    ),
}


@pytest.mark.parametrize("case", METADATA)
def test_a_bad_metadata_file_is_refused(
    site: Site, small: WrittenSample, library: Deployment, case: str
) -> None:
    damage, kind, says = METADATA[case]
    files, target = SnapshotFiles.of(small), site.target(small.shape)
    damage(files)
    uri = files.store(library.s3)
    names = {"metadata": files.metadata, "bucket": uri.split("/")[2]}

    request = {"snapshot": uri, "target": target.name}
    refused(site, request, kind, [text.format(**names) for text in says])


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_bad_segment_manifest_is_refused(
    site: Site, small: WrittenSample, library: Deployment, case: str
) -> None:
    damage, says = MANIFESTS[case]
    files, target = SnapshotFiles.of(small), site.target(small.shape)
    damage(files)
    length = len(files.files.get(files.manifest, b""))
    names = {"metadata": files.metadata, "manifest": files.manifest, "length": length}

    told = site.commands.execute({"snapshot": files.store(library.s3), "target": target.name})

    assert_refused(told, "SnapshotCorrupt", [text.format(**names) for text in says])
    assert_untouched(target.before, site.deployment.image(), counter=True)


@pytest.mark.parametrize("case", OBJECTS)
def test_a_bad_source_object_is_named_before_anything_is_reserved(
    site: Site, library: Deployment, case: str
) -> None:
    spoil, kind, says = OBJECTS[case]
    written = write_sample(library.s3, new_bucket(library.s3), SampleShape(segments=1, megabytes=0.3))
    key = written.manifests[0].binlog_files[0].binlogs[0].log_path
    target = site.target(written.shape)
    spoil(library, written.bucket, key)

    told = site.commands.execute({"snapshot": written.uri, "target": target.name})

    assert_refused(told, kind, (f"s3://{written.bucket}/{key}", *says))
    assert_untouched(target.before, site.deployment.image(), counter=True)


def test_a_missing_bucket_is_named(site: Site, small: WrittenSample) -> None:
    uri = f"s3://no-such-bucket-at-all/{small.key}"
    request = {"snapshot": uri, "target": site.target(small.shape).name}
    refused(site, request, "SnapshotNotFound", ("no-such-bucket-at-all", uri))


def test_an_unknown_name_is_refused_and_the_known_ones_are_listed(site: Site) -> None:
    shape = SampleShape(name="catalogued", segments=1, megabytes=0.3, snapshot="monday")
    site.deployment.sample(shape)
    target = site.target(shape)

    request = {"snapshot": "catalogued/tuesday", "target": target.name}

    refused(site, request, "SnapshotNotFound", ("'tuesday'", "default/catalogued", "monday"))


def test_a_snapshot_that_is_not_committed_is_refused(site: Site) -> None:
    shape = SampleShape(name="unfinished", segments=1, collection_id=SampleShape().collection_id + 7)
    target = site.target(shape)
    site.deployment.put(collection_records(source_collection(shape), site.deployment.meta))
    info: SnapshotInfo = snapshot_info(shape)
    assert info.state == SnapshotState.SnapshotStatePending
    key = f"{site.deployment.meta}/datacoord-meta/snapshot/{shape.collection_id}/{info.id}"
    site.deployment.put({key: info})

    request = {"snapshot": "unfinished/nightly", "target": target.name}

    refused(site, request, "SnapshotNotFound", ("unfinished/nightly", "PENDING", "COMMITTED"))


def test_our_command_tells_which_object_is_missing(site: Site, library: Deployment) -> None:
    written = write_sample(library.s3, new_bucket(library.s3), SampleShape(segments=1, megabytes=0.3))
    key = written.manifests[0].index_files[0].index_file_paths[0]
    target = site.target(written.shape)
    library.s3.delete_object(Bucket=written.bucket, Key=key)

    done = site.commands.restore("start", written.uri, target.name)

    assert_told(done, "ObjectMissing", (f"s3://{written.bucket}/{key}",))
    assert_untouched(target.before, site.deployment.image(), counter=True)


def test_our_command_tells_that_there_is_no_snapshot(site: Site, small: WrittenSample) -> None:
    target = site.target(small.shape)
    key = small.key.replace("/metadata/", "/metadata/9")

    done = site.commands.restore("start", f"s3://{small.bucket}/{key}", target.name)

    assert_told(done, "SnapshotNotFound", (key, small.bucket))
    assert target.before.changes(site.deployment.image()) == set()
