"""The auditor finds every kind of fault in what was a right restore."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from google.protobuf.message import Message
from temporalio.client import Client

from formats.proto.data_pb2 import CopySegmentJob, SegmentInfo
from formats.proto.index_pb2 import SegmentIndex
from samples.shape import SampleShape
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location
from tests.audit.auditor import Audit, State
from tests.audit.test_any_restore import ORIGIN, Case, destination, laid_out, memory_scene, state

SHAPE = SampleShape(
    segments=3,
    l0_segments=1,
    megabytes=0.15,
    dim=4,
    partitions=2,
    storage_versions=(0, 2, 3),
    full_text=True,
    large_text=True,
)
KINDS: dict[str, type[Message]] = {
    "/s/": SegmentInfo,
    "/segment-index/": SegmentIndex,
    "-job/": CopySegmentJob,
}


@pytest.fixture(scope="module")
async def restored(temporal: Client) -> tuple[Audit, str, int]:
    """A right restore, the key of its snapshot and the id of its collection."""
    case = Case(SHAPE, "referenced", "files", None, apart=True)
    source, (written, objects) = MemoryObjectStore(ORIGIN), laid_out(case)
    for key, body in objects.items():
        source.put(Location(ORIGIN, key), body)
    scene = memory_scene(case, written, source, temporal)
    before = destination(scene)
    await scene.finish()
    audit = Audit(state(source, ORIGIN, {}), before, destination(scene), f"{scene.root}/meta", "files/")
    return audit, written.key, scene.collection


def first(audit: Audit, part: str) -> str:
    """The first new record or object with this part in its key."""
    records = audit.after.records.keys() - audit.before.records.keys()
    return min(key for key in (*records, *audit.after.keys) if part in key)


def with_record(audit: Audit, key: str, value: bytes | None) -> Audit:
    records = {**audit.after.records, key: value or b""}
    if value is None:
        del records[key]
    return replace(audit, after=replace(audit.after, records=records))


def with_object(audit: Audit, key: str, body: bytes | None) -> Audit:
    def get(wanted: str) -> bytes:
        return body if body is not None and wanted == key else audit.after.get(wanted)

    keys = audit.after.keys - {key} if body is None else audit.after.keys | {key}
    return replace(audit, after=State(keys, get, audit.after.records))


def test_a_right_restore_has_no_faults(restored: tuple[Audit, str, int]) -> None:
    audit, key, collection = restored
    assert audit.differences(key, collection) == []


@pytest.mark.parametrize(
    "part",
    ["/insert_log/", "/_data/", "/lobs/", "/stats_log/", "/delta_log/", "/bm25_stats/", "index_files/"],
)
def test_an_object_that_is_missing_or_different_is_named(restored: tuple[Audit, str, int], part: str) -> None:
    audit, key, collection = restored
    wanted = first(audit, part)
    assert with_object(audit, wanted, None).differences(key, collection) == [f"object {wanted} is missing"]
    (fault,) = with_object(audit, wanted, b"other").differences(key, collection)
    assert fault.startswith(f"object {wanted} differs from ")


def test_what_nobody_asked_for_is_named(restored: tuple[Audit, str, int]) -> None:
    audit, key, collection = restored
    stray, record = (
        f"files/insert_log/{collection}/1/2/3/4",
        f"{audit.meta}/datacoord-meta/s/{collection}/1/2",
    )
    assert with_object(audit, stray, b"").differences(key, collection) == [f"object {stray} is nobody's"]
    assert with_record(audit, record, b"").differences(key, collection) == [f"record {record} is nobody's"]


@pytest.mark.parametrize("kind", ["binlog", "statslog", "deltalog", "bm25log"])
def test_a_record_of_logs_that_is_missing_or_different_is_named(
    restored: tuple[Audit, str, int], kind: str
) -> None:
    audit, key, collection = restored
    wanted = first(audit, f"/{kind}/")
    assert with_record(audit, wanted, None).differences(key, collection) == [f"record {wanted} is missing"]
    (fault,) = with_record(audit, wanted, audit.after.records[wanted] + b"\x08\x07").differences(
        key, collection
    )
    assert fault.startswith(f"{wanted}: fieldID is 7, expected ")


def changed(audit: Audit, part: str, values: dict[str, object]) -> Iterator[Audit]:
    """The audit with one field of a record changed, for each value."""
    key = first(audit, part)
    for name, value in values.items():
        message = KINDS[part].FromString(audit.after.records[key])
        setattr(message, name, value)
        yield with_record(audit, key, message.SerializeToString())


@pytest.mark.parametrize(
    ("part", "values"),
    [
        (
            "/s/",
            {
                "state": 7,
                "is_importing": True,
                "num_of_rows": 1,
                "level": 3,
                "insert_channel": "by-dev-rootcoord-dml_9_1v0",
                "commit_timestamp": 5,
                "is_sorted": True,
                "storage_version": 9,
                "manifest_path": "elsewhere",
            },
        ),
        (
            "/segment-index/",
            {
                "num_rows": 1,
                "mem_size": 1,
                "create_time": 1,
                "finished_time": 1,
                "index_store_path_version": 1,
            },
        ),
        ("-job/", {"state": 2, "copied_segments": 1, "total_rows": 1, "snapshot_name": "other"}),
    ],
    ids=["segment", "index", "job"],
)
def test_each_wrong_field_is_named(
    restored: tuple[Audit, str, int], part: str, values: dict[str, object]
) -> None:
    audit, key, collection = restored
    for name, wrong in zip(values, changed(audit, part, values), strict=True):
        assert [fault for fault in wrong.differences(key, collection) if name in fault], name


def test_a_changed_record_from_before_is_named(restored: tuple[Audit, str, int]) -> None:
    audit, key, collection = restored
    old = min(key for key in audit.before.records if "/field-index/" in key)
    (fault,) = with_record(audit, old, audit.after.records[old] + b"\x10\x01").differences(key, collection)
    assert fault == f"record {old} was changed"
