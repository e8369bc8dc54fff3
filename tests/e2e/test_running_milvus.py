"""Targets of a Milvus that runs beside the restore: it gives the ids, and its clock says what time it is."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from formats.keys import MetaKeys
from formats.proto.common_pb2 import Flushed, KeyValuePair
from formats.proto.data_pb2 import SegmentInfo
from formats.proto.etcd_pb2 import CollectionInfo
from samples.snapshot import WrittenSample
from stores.metadata import EtcdMetadataStore
from stores.ports import Transaction
from tests.e2e.image import assert_rolled_back, assert_untouched
from tests.e2e.site import Site, Target, opened
from tests.e2e.waiting import eventually
from tests.stores.id_server import FIRST_ID, IdServer, register, serving

SOON = 60_000
"""Milliseconds that a restore waits rather than refuses."""


class Milvus:
    """What a running Milvus shows of itself: its id allocator, its session and its clock."""

    def __init__(self, site: Site, store: EtcdMetadataStore, ids: IdServer) -> None:
        self.ids = ids
        self.keys = MetaKeys(site.deployment.etcd_root, site.deployment.sub_path)
        self._store = store

    def start(self) -> None:
        register(self._store, self.keys, self.ids.address)

    def stop(self) -> None:
        register(self._store, self.keys, None)

    def tell(self, milliseconds: int) -> None:
        """Let its clock stand at this time."""
        self.put(self.keys.timestamp, (milliseconds * 1_000_000).to_bytes(8, "big"))

    def put(self, key: str, value: bytes) -> None:
        assert self._store.commit(Transaction(puts={key: value}))


@pytest.fixture(scope="module")
def ids() -> Iterator[IdServer]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def online(
    servers: dict[str, str], ids: IdServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site whose worker knows of a Milvus."""
    more = {"RESTORE_MILVUS_ADDRESS": ids.address}
    with opened(servers, tmp_path_factory.mktemp("online"), more) as running:
        yield running


@pytest.fixture
def milvus(online: Site, ids: IdServer, etcd_endpoint: str) -> Iterator[Milvus]:
    """It runs, and its clock is ours."""
    store = EtcdMetadataStore.connect("default", [etcd_endpoint])
    running = Milvus(online, store, ids)
    running.start()
    running.tell(now())
    yield running
    store.close()


def now() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000)


def newest(written: WrittenSample) -> int:
    """When the last thing of a sample was written, Unix milliseconds."""
    logs = (
        log.timestamp_to
        for each in written.manifests
        for field in (*each.binlog_files, *each.deltalog_files)
        for log in field.binlogs
    )
    positions = (
        max(each.start_position.timestamp, each.dml_position.timestamp) for each in written.manifests
    )
    return max(*logs, *positions) >> 18


def iso(milliseconds: int) -> str:
    found = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def segments(site: Site, target: Target) -> list[SegmentInfo]:
    prefix = f"{site.deployment.meta}/datacoord-meta/s/{target.collection}/"
    return [SegmentInfo.FromString(value) for _, value in site.deployment.scan(prefix)]


def certificate(site: Site, result: dict[str, Any] | None) -> dict[str, Any]:
    assert result is not None
    bucket, _, key = result["certificate"].removeprefix("s3://").partition("/")
    written: dict[str, Any] = json.loads(site.deployment.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return written


def with_properties(milvus: Milvus, site: Site, target: Target, properties: dict[str, str]) -> None:
    """Give a target collection properties, as Milvus records them."""
    prefix = f"{site.deployment.meta}/root-coord/database/collection-info/"
    ((key, value),) = [
        each for each in site.deployment.scan(prefix) if each[0].endswith(f"/{target.collection}")
    ]
    stored = CollectionInfo.FromString(value)
    stored.properties.extend(KeyValuePair(key=name, value=text) for name, text in properties.items())
    milvus.put(key, stored.SerializeToString())


def test_every_new_id_is_the_coordinators(online: Site, milvus: Milvus, small: WrittenSample) -> None:
    target = online.target(small.shape)

    told = online.commands.execute({"snapshot": small.uri, "target": target.name})

    assert told.status == "COMPLETED", told.message
    assert told.result
    given = range(FIRST_ID, milvus.ids.next_id)
    assert int(told.result["job_id"]) in given
    assert all(each.ID in given for each in segments(online, target))
    assert milvus.keys.id_counter not in online.deployment.image().records
    # The proof compares record by record, and so also finds a build that was given twice.
    online.assert_proved(small, target)
    assert certificate(online, told.result)["warnings"] == []


def test_a_milvus_that_is_down_is_told_before_anything_is_written(
    online: Site, milvus: Milvus, small: WrittenSample
) -> None:
    target = online.target(small.shape)
    milvus.stop()
    before = online.deployment.image()

    told = online.commands.execute({"snapshot": small.uri, "target": target.name})

    assert (told.status, told.type) == ("FAILED", "AccessDenied")
    assert milvus.keys.session("rootcoord") in told.message
    assert "RESTORE_MILVUS_ADDRESS" in told.message
    assert_untouched(before, online.deployment.image())


def test_rows_from_the_future_are_refused_with_both_times(
    online: Site, milvus: Milvus, small: WrittenSample
) -> None:
    target, then = online.target(small.shape), newest(small) - 6 * 60_000
    milvus.tell(then)
    before = online.deployment.image()

    told = online.commands.execute({"snapshot": small.uri, "target": target.name})

    assert (told.status, told.type) == ("FAILED", "InvalidRequest")
    assert iso(newest(small)) in told.message
    assert iso(then) in told.message
    assert_untouched(before, online.deployment.image())


def test_rows_a_little_ahead_are_published_once_the_clock_has_passed_them(
    online: Site, milvus: Milvus, small: WrittenSample
) -> None:
    target, then = online.target(small.shape), newest(small) - SOON
    milvus.tell(then)
    workflow_id = online.commands.begin({"snapshot": small.uri, "target": target.name})

    eventually(lambda: online.commands.progress(workflow_id)["phase"] == "verifying", "all is in place")
    warning = online.commands.progress(workflow_id)["message"]
    milvus.tell(newest(small) - 1)
    asleep = segments(online, target)
    milvus.tell(newest(small))
    told = online.commands.outcome(workflow_id)

    assert "60.0 s ahead of the target's clock" in warning
    assert iso(newest(small)) in warning
    assert len(asleep) == len(small.manifests)
    assert all(each.is_importing for each in asleep)
    assert told.status == "COMPLETED", told.message
    assert all(each.state == Flushed for each in segments(online, target))
    assert certificate(online, told.result)["warnings"] == (told.result or {})["warnings"] == [warning]


def test_waiting_for_the_clock_can_be_cancelled(online: Site, milvus: Milvus, small: WrittenSample) -> None:
    target = online.target(small.shape)
    milvus.tell(newest(small) - SOON)
    before = online.deployment.image()
    workflow_id = online.commands.begin({"snapshot": small.uri, "target": target.name})
    eventually(lambda: online.commands.progress(workflow_id)["phase"] == "verifying", "all is in place")

    online.commands.workflow("cancel", "-w", workflow_id)

    assert online.commands.outcome(workflow_id).status == "CANCELED"
    assert_rolled_back(before, online.deployment.image())


def test_rows_that_have_outlived_the_target_are_told_of_and_restored_all_the_same(
    online: Site, milvus: Milvus, small: WrittenSample
) -> None:
    target = online.target(small.shape)
    with_properties(milvus, online, target, {"collection.ttl.seconds": "3600"})

    told = online.commands.execute({"snapshot": small.uri, "target": target.name})

    assert told.status == "COMPLETED", told.message
    (warning,) = certificate(online, told.result)["warnings"]
    assert "the target has collection.ttl.seconds 3600: all restored rows have expired" in warning
    assert (told.result or {})["warnings"] == [warning]
    assert online.commands.progress(told.workflow_id)["message"] == warning
    details = online.commands.workflow("metadata", "-w", told.workflow_id).json
    assert warning in json.dumps(details, ensure_ascii=False)
