"""Targets that are not there, not empty, not alike, or somebody else's."""

from collections.abc import Callable

import pytest
from google.protobuf.message import Message

from formats.proto.common_pb2 import Flushed
from formats.proto.data_pb2 import SegmentInfo
from formats.proto.etcd_pb2 import PartitionInfo
from formats.proto.index_pb2 import FieldIndex
from formats.proto.schema_pb2 import DataType, FieldSchema
from samples.catalog import collection_records, target_collection
from samples.snapshot import WrittenSample
from tests.e2e.bad_input import assert_told, refused
from tests.e2e.site import Site, Target, new_name

Records = dict[str, Message]


def retype(records: Records) -> None:
    for message in records.values():
        if isinstance(message, FieldSchema) and message.name == "stock":
            message.data_type = DataType.Int32


def rename(records: Records) -> None:
    for message in records.values():
        if isinstance(message, FieldSchema) and message.name == "stock":
            message.name = "supply"


def without_partition(records: Records) -> None:
    drop(records, lambda each: isinstance(each, PartitionInfo) and each.partitionName == "part_2")


def without_index(records: Records) -> None:
    drop(records, lambda each: isinstance(each, FieldIndex) and each.index_info.index_name == "stock_sorted")


def drop(records: Records, doomed: Callable[[Message], bool]) -> None:
    for key in [key for key, message in records.items() if doomed(message)]:
        del records[key]


CHANGED: dict[str, tuple[Callable[[Records], None], tuple[str, ...]]] = {
    "a field of another type": (retype, ("stock", "Int64", "Int32")),
    "a field of another name": (rename, ("stock", "supply")),
    "a missing partition": (without_partition, ("part_2",)),
    "a missing index": (without_index, ("stock_sorted",)),
}
SHAPED: dict[str, tuple[dict[str, int], tuple[str, ...]]] = {
    "another dimension": ({"dim": 64}, ("embedding", "dim", "128", "64")),
    "another number of shards": ({"shards": 3}, ("shard", "2", "3")),
}


def request(written: WrittenSample, target: str, database: str = "default") -> dict[str, str]:
    return {"snapshot": written.uri, "target": target, "database": database}


def changed(site: Site, written: WrittenSample, change: Callable[[Records], None]) -> str:
    """The name of a target that was created otherwise than its source."""
    name = new_name()
    records = collection_records(
        target_collection(written.shape, collection=name, database="default"), site.deployment.meta
    )
    change(records)
    site.deployment.put(records)
    return name


def filled(site: Site, written: WrittenSample) -> Target:
    """A target that holds a segment."""
    target = site.target(written.shape)
    segment = SegmentInfo(ID=77, collectionID=target.collection, partitionID=5, num_of_rows=3, state=Flushed)
    key = f"{site.deployment.meta}/datacoord-meta/s/{target.collection}/5/77"
    site.deployment.put({key: segment})
    return target


def test_a_missing_collection_is_named(site: Site, small: WrittenSample) -> None:
    site.target(small.shape)
    refused(site, request(small, "no_such_collection"), "TargetNotFound", ("'no_such_collection'", "default"))


def test_a_missing_database_is_named(site: Site, small: WrittenSample) -> None:
    name = site.target(small.shape).name
    refused(site, request(small, name, "no_such_base"), "TargetNotFound", ("'no_such_base'",))


def test_a_collection_of_another_database_is_not_the_target(site: Site, small: WrittenSample) -> None:
    site.target(small.shape, database="shop")
    name = site.target(small.shape).name
    refused(site, request(small, name, "shop"), "TargetNotFound", (f"'{name}'", "'shop'"))


def test_a_target_with_data_is_refused(site: Site, small: WrittenSample) -> None:
    target = filled(site, small)
    says = (f"'{target.name}'", str(target.collection), "1 segment", "77", "empty")
    refused(site, request(small, target.name), "TargetNotEmpty", says)


def test_a_restored_target_is_not_restored_into_again(site: Site, small: WrittenSample) -> None:
    target = site.target(small.shape)
    assert site.commands.execute(request(small, target.name)).status == "COMPLETED"

    says = (f"'{target.name}'", str(target.collection), "4 segments", "empty")
    refused(site, request(small, target.name), "TargetNotEmpty", says)

    site.assert_proved(small, target)


@pytest.mark.parametrize("case", CHANGED)
def test_a_target_of_another_definition_is_refused(site: Site, small: WrittenSample, case: str) -> None:
    change, says = CHANGED[case]
    name = changed(site, small, change)
    refused(site, request(small, name), "TargetMismatch", (f"'{name}'", "'nightly'", *says))


@pytest.mark.parametrize("case", SHAPED)
def test_a_target_of_another_shape_is_refused(site: Site, small: WrittenSample, case: str) -> None:
    shape, says = SHAPED[case]
    name = site.target(small.shape.model_copy(update=shape)).name
    refused(site, request(small, name), "TargetMismatch", (f"'{name}'", *says))


def test_our_command_tells_every_difference(site: Site, small: WrittenSample) -> None:
    def change(records: Records) -> None:
        for each in (retype, without_partition, without_index):
            each(records)

    name = changed(site, small, change)
    before = site.deployment.image()

    done = site.commands.restore("start", small.uri, name)

    assert_told(done, "TargetMismatch", ("stock", "Int64", "Int32", "part_2", "stock_sorted"))
    assert before.changes(site.deployment.image()) == set()


def test_our_command_tells_that_the_target_is_not_empty(site: Site, small: WrittenSample) -> None:
    target = filled(site, small)
    before = site.deployment.image()

    done = site.commands.restore("start", small.uri, target.name)

    assert_told(done, "TargetNotEmpty", (f"'{target.name}'", "77"))
    assert before.changes(site.deployment.image()) == set()
