"""What a snapshot says of collection and indexes."""

from typing import Any

import pytest

from formats.catalog import TargetCollection
from formats.description import collection_description, index_definition, snapshot_metadata
from formats.metadata import read_metadata, write_metadata
from formats.proto.common_pb2 import Bounded, Finished, KeyValuePair, Strong
from formats.proto.data_pb2 import SnapshotInfo
from formats.proto.index_pb2 import IndexInfo
from formats.proto.schema_pb2 import CollectionSchema, FieldSchema


def collection(**changes: Any) -> TargetCollection:
    usual: dict[str, Any] = {
        "id": 100,
        "name": "demo",
        "database_id": 1,
        "schema": CollectionSchema(name="demo", fields=[FieldSchema(fieldID=100, name="id")]),
        "shards": 2,
        "vchannels": ("dml_0_100v0", "dml_1_100v1"),
        "partitions": {"_default": 2001, "p1": 2002},
        "indexes": (),
        "start_positions": {},
        "properties": {"collection.ttl.seconds": "3600"},
        "consistency_level": Bounded,
    }
    return TargetCollection(**{**usual, **changes})


def test_a_collection_keeps_everything_that_makes_it_anew() -> None:
    found = collection_description(collection(), "sales")
    assert (found.schema.name, found.schema.dbName) == ("demo", "sales")
    assert [field.fieldID for field in found.schema.fields] == [100]
    assert (found.num_shards, found.consistency_level) == (2, Bounded)
    assert dict(found.partitions) == {"_default": 2001, "p1": 2002}
    assert list(found.virtual_channel_names) == ["dml_0_100v0", "dml_1_100v1"]
    assert [(pair.key, pair.value) for pair in found.properties] == [("collection.ttl.seconds", "3600")]


@pytest.mark.parametrize("level", [Strong, Bounded])
def test_the_consistency_level_is_also_a_property_of_the_schema_once(level: int) -> None:
    schema = CollectionSchema(properties=[KeyValuePair(key="consistency_level", value="9")])
    found = collection_description(collection(schema=schema, consistency_level=level), "default")
    assert [(pair.key, pair.value) for pair in found.schema.properties] == [("consistency_level", str(level))]
    assert schema.properties[0].value == "9"


@pytest.mark.parametrize(("keyed", "number"), [(False, 1), (True, 2)])
def test_the_number_of_partitions_counts_only_with_a_partition_key(keyed: bool, number: int) -> None:
    schema = CollectionSchema(fields=[FieldSchema(fieldID=100, name="id", is_partition_key=keyed)])
    assert collection_description(collection(schema=schema), "default").num_partitions == number


def test_of_an_index_only_the_definition_is_kept() -> None:
    pair = KeyValuePair(key="index_type", value="HNSW")
    kept: dict[str, Any] = {
        "collectionID": 100,
        "fieldID": 101,
        "index_name": "vec",
        "indexID": 201,
        "is_auto_index": True,
    }
    whole = IndexInfo(
        **kept,
        type_params=[pair],
        index_params=[pair],
        user_index_params=[pair],
        indexed_rows=5,
        total_rows=6,
        state=Finished,
        index_state_fail_reason="no",
        min_index_version=1,
    )
    expected = IndexInfo(**kept, type_params=[pair], index_params=[pair], user_index_params=[pair])
    assert index_definition(whole) == expected


def test_the_metadata_reads_back_as_it_was_written() -> None:
    info = SnapshotInfo(name="nightly", id=4611, collection_id=100, state="SnapshotStatePending")
    description = collection_description(collection(), "default")
    pointer = '{"ver":3,"base_path":"files/insert_log/100/2001/1001"}'
    keys = {each: f"files/snapshots/100/manifests/4611/{each}.avro" for each in (1001, 1002)}
    written = snapshot_metadata(info, description, (), keys, pointers={1001: pointer}, builds=[301])
    read = read_metadata(write_metadata(written), key="files/snapshots/100/metadata/4611.json")
    assert read == written
    assert (list(read.segment_ids), list(read.build_ids)) == ([1001, 1002], [301])
    assert [(each.segment_id, each.manifest) for each in read.storagev2_manifest_list] == [(1001, pointer)]
    assert read.snapshot_info.s3_location == ""
