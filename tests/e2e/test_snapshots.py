"""A snapshot of our own, taken of a cluster's catalog, and a restore of it by its name."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from formats.manifest import decode_manifest
from formats.metadata import read_metadata
from formats.proto.data_pb2 import SnapshotInfo, SnapshotMetadata, SnapshotStateCommitted
from formats.segment import SegmentManifest
from samples.catalog import source_records
from samples.shape import BORN_MS, SampleShape, tso
from samples.snapshot import WrittenSample, snapshot_metadata, write_sample
from tests.e2e.commands import Told, assert_readable
from tests.e2e.image import ID_COUNTER
from tests.e2e.site import Site

RESULT = {
    "snapshot_id": str,
    "collection_id": str,
    "segments": int,
    "rows": int,
    "objects": int,
    "bytes": int,
    "metadata": str,
    "recorded": str,
}


def shape(number: int) -> SampleShape:
    """Every storage version, deletes of one and of all partitions, BM25, text, JSON and large objects."""
    return SampleShape(
        name=f"taken_{number}",
        snapshot="weekly",
        segments=9,
        l0_segments=2,
        partitions=2,
        megabytes=0.6,
        dim=4,
        storage_versions=(0, 2, 3),
        full_text=True,
        large_text=True,
        collection_id=tso(BORN_MS + (900 + number) * 60_000),
    )


@pytest.fixture(autouse=True)
def stopped(site: Site) -> Iterator[None]:
    """Afterwards no coordinator is left for other tests."""
    yield
    site.deployment.write(session_key(site), None)


def session_key(site: Site) -> str:
    return f"{site.deployment.meta}/session/rootcoord"


def cluster(site: Site, number: int, version: str) -> WrittenSample:
    """A collection in the catalog of a running cluster that has no snapshot of it."""
    deployment = site.deployment
    written = write_sample(deployment.s3, deployment.bucket, shape(number))
    records = source_records(written, deployment.meta)
    deployment.put({key: value for key, value in records.items() if "/snapshot/" not in key})
    session = json.dumps({"Address": "127.0.0.1:1", "Version": version}).encode()
    deployment.write(session_key(site), session)
    return written


def create(site: Site, **request: Any) -> Told:
    words = ("--type", "CreateSnapshot", "--task-queue", site.commands.queue, "--input", json.dumps(request))
    return Told.read(site.commands.workflow("execute", *words))


def stored(site: Site, uri: str) -> tuple[SnapshotMetadata, dict[int, SegmentManifest]]:
    """A snapshot as it reads back."""

    def body(key: str) -> bytes:
        return site.deployment.s3.get_object(Bucket=site.deployment.bucket, Key=key)["Body"].read()

    key = uri.removeprefix(f"s3://{site.deployment.bucket}/")
    metadata = read_metadata(body(key), key=key)
    found = {}
    for each in metadata.manifest_list:
        manifest = decode_manifest(body(each), format_version=metadata.format_version, key=each)
        found[manifest.segment_id] = manifest
    return metadata, found


def expected(metadata: SnapshotMetadata, written: WrittenSample) -> SnapshotMetadata:
    """What the samples' own writer says, with the ids and times that only this snapshot has."""
    other = snapshot_metadata(written.shape, written.manifests)
    for name in ("id", "description", "pending_start_time"):
        setattr(other.snapshot_info, name, getattr(metadata.snapshot_info, name))
    other.manifest_list[:] = [
        each.replace(f"/{written.shape.snapshot_id}/", f"/{metadata.snapshot_info.id}/")
        for each in other.manifest_list
    ]
    return other


@pytest.mark.parametrize(
    ("number", "version", "place"),
    [(1, "2.3.5", "milvus-restore/snapshot"), (2, "3.0.0-beta", "{meta}/datacoord-meta/snapshot")],
)
def test_a_snapshot_is_whole_and_exact_lies_where_its_cluster_bears_it_and_is_restored_by_name(
    site: Site, number: int, version: str, place: str
) -> None:
    written = cluster(site, number, version)
    before = site.deployment.image()

    told = create(site, collection=written.shape.name, name="weekly", description="by hand")

    assert told.status == "COMPLETED", told.message
    result = told.result or {}
    assert {name: type(value) for name, value in result.items()} == RESULT
    rows = sum(each.num_of_rows for each in written.manifests)
    assert (result["segments"], result["rows"]) == (len(written.manifests), rows)
    assert (result["objects"], result["bytes"]) == (written.objects, written.bytes)
    assert result["recorded"] == ("milvus" if version.startswith("3") else "milvus-restore")
    metadata, manifests = stored(site, result["metadata"])
    assert metadata == expected(metadata, written)
    assert manifests == {
        each.segment_id: each.model_copy(update={"manifest_path": ""}) for each in written.manifests
    }
    folder = place.format(meta=site.deployment.sub_path)
    key = f"{site.deployment.etcd_root}/{folder}/{written.shape.collection_id}/{result['snapshot_id']}"
    changed = {each for each in before.changes(site.deployment.image()) if not each.endswith(ID_COUNTER)}
    assert changed == {key, *metadata.manifest_list, result["metadata"].split("/", 3)[3]}
    info = SnapshotInfo.FromString(dict(site.deployment.scan(key))[key])
    assert (info.state, info.name, info.description) == (SnapshotStateCommitted, "weekly", "by hand")
    assert info.s3_location == result["metadata"].split("/", 3)[3]
    again = create(site, collection=f"default/{written.shape.name}", name="weekly")
    assert (again.status, again.type) == ("FAILED", "SnapshotExists")
    target = site.target(written.shape)

    restored = site.commands.execute({"snapshot": f"{written.shape.name}/weekly", "target": target.name})

    assert restored.status == "COMPLETED", restored.message
    site.assert_proved(written, target)


def test_the_command_line_takes_lists_and_describes_snapshots(site: Site) -> None:
    written = cluster(site, 3, "2.3.5")
    name = written.shape.name

    taken = site.commands.restore("snapshot", "create", f"default/{name}", "weekly", "-o", "json")

    assert taken.code == 0, taken.err
    assert "warning: Milvus does not know this snapshot" in taken.err
    result = taken.json["result"]
    assert (taken.json["workflow_id"], taken.json["status"]) == (
        f"snapshot/default/{name}/weekly",
        "completed",
    )

    stores = site.deployment.settings
    (entry,) = site.commands.restore("snapshot", "list", name, "-o", "json", more=stores).json
    assert (entry["name"], entry["state"], entry["recorded"]) == ("weekly", "committed", "milvus-restore")
    assert (entry["snapshot_id"], entry["collection"]) == (result["snapshot_id"], name)
    assert 0 <= entry["age_seconds"] < 100

    told = site.commands.restore("snapshot", "describe", f"{name}/weekly", "-o", "yaml", more=stores)
    summary = yaml.safe_load(told.out)
    counted = ("segments", "rows", "objects", "snapshot_id", "metadata", "recorded")
    assert [summary[each] for each in counted] == [result[each] for each in counted]
    assert {each["name"] for each in summary["partitions"]} == set(written.shape.partition_ids)
    assert sum(each["rows"] for each in summary["partitions"]) == result["rows"]
    indexed = sum(bool(each.index_files) for each in written.manifests)
    assert {each["builds"] for each in summary["indexes"]} == {indexed}

    table = site.commands.restore("snapshot", "describe", result["metadata"], more=stores).out
    assert_readable(table)
    assert f"{result['rows']:,}" in table

    again = site.commands.restore("snapshot", "create", name, "weekly")
    assert (again.code, again.err.split(":")[1].strip()) == (1, "SnapshotExists")
    wrong = site.commands.restore("snapshot", "create", name, "no spaces allowed")
    assert (wrong.code, "field name" in wrong.err) == (2, True)
    absent = site.commands.restore("snapshot", "describe", f"{name}/monthly", more=stores)
    assert (absent.code, "there is: weekly" in absent.err) == (1, True)
