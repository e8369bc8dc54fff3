import pytest

from formats.proto.etcd_pb2 import CollectionInfo, DatabaseInfo, PartitionInfo
from formats.proto.index_pb2 import FieldIndex
from formats.proto.msg_pb2 import MsgPosition
from formats.proto.schema_pb2 import FieldSchema
from samples.catalog import write_source, write_target
from samples.collection import SampleShape
from samples.snapshot import write_sample
from tests.samples.bucket_twin import BucketTwin

SHAPE = SampleShape(segments=2, megabytes=0.2, partitions=2, dim=8)


@pytest.fixture
def records() -> dict[str, bytes]:
    return {}


def test_an_empty_target_has_the_keys_that_milvus_writes(records: dict[str, bytes]) -> None:
    target = write_target(records.__setitem__, SHAPE, collection="copy")
    partitions = [target + 1, target + 2]
    indexes = [target + 500 + number for number in range(5)]
    root = [
        "root-coord/database/db-info/1",
        f"root-coord/database/collection-info/1/{target}",
        *(f"root-coord/partitions/{target}/{partition}" for partition in partitions),
        *(f"root-coord/fields/{target}/{field}" for field in (0, 1, *range(100, 109))),
    ]
    others = [
        *(f"field-index/{target}/{index}" for index in indexes),
        f"datacoord-meta/channel-cp/by-dev-rootcoord-dml_9_{target}v0",
        f"datacoord-meta/channel-cp/by-dev-rootcoord-dml_10_{target}v1",
    ]
    plain = [key.removeprefix("by-dev/meta/") for key in records if "/snapshots/" not in key]
    assert sorted(plain) == sorted([*root, *others])
    copies = {key.partition("/snapshots/")[2].rpartition("_ts")[0] for key in records if "/snapshots/" in key}
    assert copies == set(root)


def test_the_target_names_its_channels_and_their_beginnings(records: dict[str, bytes]) -> None:
    target = write_target(records.__setitem__, SHAPE, collection="copy")
    info = CollectionInfo.FromString(records[f"by-dev/meta/root-coord/database/collection-info/1/{target}"])
    assert (info.ID, info.schema.name, info.shards_num, info.db_id) == (target, "copy", 2, 1)
    assert list(info.physical_channel_names) == ["by-dev-rootcoord-dml_9", "by-dev-rootcoord-dml_10"]
    assert [pair.key for pair in info.start_positions] == list(info.physical_channel_names)
    for channel in info.virtual_channel_names:
        position = MsgPosition.FromString(records[f"by-dev/meta/datacoord-meta/channel-cp/{channel}"])
        assert position.channel_name == channel


def test_the_schema_is_in_the_fields_and_not_in_the_collection(records: dict[str, bytes]) -> None:
    target = write_target(records.__setitem__, SHAPE, collection="copy")
    info = CollectionInfo.FromString(records[f"by-dev/meta/root-coord/database/collection-info/1/{target}"])
    field = FieldSchema.FromString(records[f"by-dev/meta/root-coord/fields/{target}/101"])
    assert list(info.schema.fields) == []
    assert (field.name, field.type_params[0].key, field.type_params[0].value) == ("embedding", "dim", "8")


def test_names_are_the_sources_and_ids_are_not(records: dict[str, bytes]) -> None:
    target = write_target(records.__setitem__, SHAPE, collection="copy")
    partitions = [
        PartitionInfo.FromString(v) for k, v in records.items() if "meta/root-coord/partitions" in k
    ]
    indexes = [FieldIndex.FromString(v).index_info for k, v in records.items() if "/field-index/" in k]
    assert {each.partitionName for each in partitions} == set(SHAPE.partition_ids)
    assert not {each.partitionID for each in partitions} & set(SHAPE.partition_ids.values())
    assert {each.collectionID for each in indexes} == {target}
    assert not {each.indexID for each in indexes} & {SHAPE.index_id(number) for number in range(5)}
    assert not any(pair.key == "mmap.enabled" for each in indexes for pair in each.type_params)


def test_two_targets_share_no_key_but_their_databases(records: dict[str, bytes]) -> None:
    first = write_target(records.__setitem__, SHAPE, collection="copy")
    before = {key for key in records if "db-info" not in key}
    again: dict[str, bytes] = {}
    second = write_target(again.__setitem__, SHAPE, collection="other")
    assert first != second
    assert before.isdisjoint(again)


def test_another_database_has_its_own_id_and_record(records: dict[str, bytes]) -> None:
    target = write_target(records.__setitem__, SHAPE, meta="dev/m", collection="copy", database="shop")
    key = next(key for key in records if key.endswith(f"/{target}") and "meta" not in key)
    number = key.split("/")[-2]
    database = DatabaseInfo.FromString(records[f"dev/m/root-coord/database/db-info/{number}"])
    assert (database.name, str(database.id)) == ("shop", number)


def test_a_source_looks_alive(records: dict[str, bytes]) -> None:
    written = write_sample(BucketTwin().client, "a-bucket", SHAPE)
    assert write_source(records.__setitem__, written) == len(records)
    coll, first = SHAPE.collection_id, written.manifests[0]
    owner = f"{coll}/{first.partition_id}/{first.segment_id}"
    assert f"by-dev/meta/datacoord-meta/s/{owner}" in records
    assert f"by-dev/meta/datacoord-meta/binlog/{owner}/100" in records
    assert f"by-dev/meta/segment-index/{owner}/{first.index_files[0].build_id}" in records
    assert f"by-dev/meta/datacoord-meta/snapshot/{coll}/{SHAPE.snapshot_id}" in records
