"""The record of a snapshot, from pending to committed or gone, whoever else is at work."""

import json

import pytest

from formats.proto.data_pb2 import (
    SnapshotInfo,
    SnapshotStateCommitted,
    SnapshotStateDeleting,
    SnapshotStatePending,
)
from restore.errors import Fenced, SnapshotExists
from stores.cluster_version import knows_snapshots
from stores.memory import MemoryMetadataStore
from stores.ports import Transaction
from stores.snapshot_records import SnapshotRecords
from tests.stores.snapshot_ground import KEYS

COLLECTION = 444


@pytest.fixture
def store() -> MemoryMetadataStore:
    return MemoryMetadataStore()


@pytest.fixture
def records(store: MemoryMetadataStore) -> SnapshotRecords:
    return SnapshotRecords(store, KEYS)


def info(number: int, name: str = "nightly", **changes: object) -> SnapshotInfo:
    made = SnapshotInfo(id=number, name=name, collection_id=COLLECTION, state=SnapshotStatePending)
    made.MergeFrom(SnapshotInfo(**changes))  # type: ignore[arg-type]  # fields of the message by name
    return made


def key(number: int) -> str:
    return KEYS.own_snapshot(COLLECTION, number)


def begin(records: SnapshotRecords, number: int, name: str = "nightly") -> None:
    records.begin(key(number), info(number, name), f"workflow-{number}")


def keys(store: MemoryMetadataStore) -> set[str]:
    return {each.key for each in store.scan("")}


def test_a_record_is_pending_then_committed_and_its_name_is_free_to_be_looked_up(
    records: SnapshotRecords, store: MemoryMetadataStore
) -> None:
    begin(records, 1)
    maker = records.maker(COLLECTION, "nightly")
    assert maker is not None
    assert (maker.snapshot_id, maker.workflow_id, maker.record) == ("1", "workflow-1", key(1))

    committed = records.commit(key(1), "files/snapshots/444/metadata/1.json")

    assert (committed.state, committed.s3_location) == (
        SnapshotStateCommitted,
        "files/snapshots/444/metadata/1.json",
    )
    assert keys(store) == {key(1)}
    assert [each.info for each in records.all()] == [committed]


def test_every_step_may_be_repeated(records: SnapshotRecords, store: MemoryMetadataStore) -> None:
    begin(records, 1)
    begin(records, 1)
    first = records.commit(key(1), "a")
    assert records.commit(key(1), "a") == first
    begin(records, 2, "other")
    for _ in range(2):
        records.mark_deleting(key(2))
        records.forget(key(2), COLLECTION, "other", 2)
    assert keys(store) == {key(1)}


def test_a_name_that_is_being_made_is_refused_and_names_who_makes_it(records: SnapshotRecords) -> None:
    begin(records, 1)
    with pytest.raises(SnapshotExists, match=r"workflow-1 \(id 1\)"):
        begin(records, 2)
    begin(records, 3, "other")


@pytest.mark.parametrize("place", [KEYS.snapshot, KEYS.own_snapshot])
def test_a_name_that_was_taken_in_either_place_meanwhile_is_refused(
    records: SnapshotRecords, store: MemoryMetadataStore, place: object
) -> None:
    assert callable(place)
    other = info(9, state=SnapshotStateCommitted)
    assert store.commit(Transaction(puts={place(COLLECTION, 9): other.SerializeToString()}))
    with pytest.raises(SnapshotExists, match="exists already, id 9"):
        begin(records, 1)
    found = records.named(COLLECTION, "nightly", beside=1)
    assert found is not None
    assert found.native is (place == KEYS.snapshot)


def test_a_name_whose_snapshot_is_being_dropped_is_free(
    records: SnapshotRecords, store: MemoryMetadataStore
) -> None:
    dropped = info(9)
    dropped.state = SnapshotStateDeleting
    assert store.commit(Transaction(puts={key(9): dropped.SerializeToString()}))
    begin(records, 1)


def test_what_is_being_discarded_is_never_committed(records: SnapshotRecords) -> None:
    begin(records, 1)
    marked = records.mark_deleting(key(1))
    assert marked is None or marked.info.state == SnapshotStateDeleting
    with pytest.raises(Fenced, match="removed while it was being made"):
        records.commit(key(1), "a")
    records.forget(key(1), COLLECTION, "nightly", 1)
    with pytest.raises(Fenced):
        records.commit(key(1), "a")


def test_what_is_committed_is_never_discarded(records: SnapshotRecords) -> None:
    begin(records, 1)
    records.commit(key(1), "a")
    found = records.mark_deleting(key(1))
    assert found is not None
    assert found.info.state == SnapshotStateCommitted


def test_forgetting_leaves_anothers_claim_of_the_name(
    records: SnapshotRecords, store: MemoryMetadataStore
) -> None:
    begin(records, 2)
    records.forget(key(1), COLLECTION, "nightly", 1)
    assert keys(store) == {key(2), KEYS.snapshot_creation(COLLECTION, "nightly")}


def test_fields_of_a_newer_milvus_survive_the_commit(
    records: SnapshotRecords, store: MemoryMetadataStore
) -> None:
    unknown = b"\x70\x01"  # field 14, of an unmerged branch
    begin(records, 1)
    record = store.get(key(1))
    assert record is not None
    assert store.commit(Transaction(puts={key(1): record.value + unknown}))
    records.commit(key(1), "a")
    after = store.get(key(1))
    assert after is not None
    assert after.value.endswith(unknown)


@pytest.mark.parametrize(
    ("version", "knows"),
    [
        ("2.3.5", False),
        ("2.5.27", False),
        ("2.6.14", False),
        ("2.6.15", True),
        ("v2.7.0", True),
        ("3.0.0-beta", True),
        ("10.0.1", True),
    ],
)
def test_a_running_clusters_version_tells_whether_it_knows_snapshots(
    store: MemoryMetadataStore, version: str, knows: bool
) -> None:
    session = json.dumps({"Address": "127.0.0.1:53100", "Version": version}).encode()
    assert store.commit(Transaction(puts={KEYS.session("rootcoord"): session}))
    assert knows_snapshots(store, KEYS) is knows


@pytest.mark.parametrize("session", [None, {"Address": "a:1"}, {"Address": "a:1", "Version": "nightly"}])
def test_a_cluster_that_tells_no_version_knows_snapshots_when_it_has_some(
    store: MemoryMetadataStore, session: dict[str, str] | None
) -> None:
    if session:
        assert store.commit(Transaction(puts={KEYS.session("rootcoord"): json.dumps(session).encode()}))
    assert not knows_snapshots(store, KEYS)
    assert store.commit(Transaction(puts={key(1): b""}))
    assert not knows_snapshots(store, KEYS)
    assert store.commit(Transaction(puts={KEYS.snapshot(COLLECTION, 1): b""}))
    assert knows_snapshots(store, KEYS)


def test_our_own_records_lie_where_no_scan_of_an_older_milvus_meets_them() -> None:
    assert not key(1).startswith("by-dev/meta/")
    assert not KEYS.snapshot_creation(COLLECTION, "nightly").startswith("by-dev/meta/")
