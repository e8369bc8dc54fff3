from typing import Any

import pytest

from formats.proto.common_pb2 import Bounded, Strong
from formats.proto.data_pb2 import CollectionDescription
from formats.proto.index_pb2 import IndexInfo
from formats.proto.schema_pb2 import (
    BM25,
    JSON,
    Array,
    ArrayOfStruct,
    CollectionSchema,
    FieldSchema,
    FloatVector,
    FunctionSchema,
    Int64,
    StructArrayFieldSchema,
    VarChar,
)
from restore.creation import CollectionDefinition, collection_definition
from restore.errors import SnapshotCorrupt, TargetMismatch
from samples.schema import pairs
from samples.shape import SampleShape
from samples.snapshot import snapshot_metadata

SAMPLE = snapshot_metadata(SampleShape(partitions=3), ())


def field(number: int, name: str, kind: int = Int64, **traits: Any) -> FieldSchema:
    return FieldSchema(fieldID=number, name=name, data_type=kind, **traits)  # type: ignore[arg-type]  # an enum's number


SYSTEM = (field(0, "RowID"), field(1, "Timestamp"))
KEY = field(100, "id", is_primary_key=True)


def defined(*fields: FieldSchema, **rest: Any) -> CollectionDefinition:
    schema = CollectionSchema(name="orders", fields=[*SYSTEM, *fields], **rest.pop("schema", {}))
    return collection_definition(CollectionDescription(schema=schema, **rest), ())


def sent(definition: CollectionDefinition) -> list[tuple[int, str]]:
    return [(each.fieldID, each.name) for each in definition.schema.fields]


def test_a_sample_is_asked_for_as_its_user_declared_it() -> None:
    definition = collection_definition(SAMPLE.collection, SAMPLE.indexes)
    assert [name for _, name in sent(definition)] == [
        "id",
        "embedding",
        "thumbnail",
        "title",
        "stock",
        "attributes",
        "review",
        "ratings",
    ]
    assert definition.schema.enable_dynamic_field
    assert definition.schema.description == "a sample"
    assert (definition.shards, definition.consistency_level) == (2, Bounded)
    assert definition.properties == {"collection.autocompaction.enabled": "false"}
    assert (definition.num_partitions, definition.partitions) == (0, ("_default", "part_1", "part_2"))


def test_what_only_milvus_may_set_is_left_out() -> None:
    definition = defined(
        KEY,
        schema={"dbName": "shop", "version": 7, "file_resource_ids": [3], "properties": pairs({"a": "b"})},
    )
    assert definition.schema == CollectionSchema(fields=[KEY])


def test_a_fields_traits_are_sent_as_they_are_unknown_ones_included() -> None:
    kept = field(101, "title", VarChar, nullable=True, type_params=pairs({"max_length": "9"}))
    unknown = kept.SerializeToString() + b"\xfa\x3e\x03new"  # field 1007, of a Milvus yet to come
    definition = defined(KEY, FieldSchema.FromString(unknown))
    assert definition.schema.fields[1].SerializeToString() == unknown


def test_fields_go_in_the_order_of_their_ids() -> None:
    definition = defined(field(102, "b"), KEY, field(101, "a"))
    assert sent(definition) == [(100, "id"), (101, "a"), (102, "b")]
    assert "preserve_field_ids" not in definition.properties


@pytest.mark.parametrize(
    "fields",
    [
        (KEY, field(102, "later")),
        (field(101, "id", is_primary_key=True),),
    ],
    ids=["dropped between", "first dropped"],
)
def test_ids_that_milvus_would_not_give_are_to_be_preserved(fields: tuple[FieldSchema, ...]) -> None:
    definition = defined(*fields)
    assert definition.properties == {"preserve_field_ids": "true"}
    assert sent(definition) == [(each.fieldID, each.name) for each in fields]


def test_ids_of_functions_are_preserved_as_well() -> None:
    function = FunctionSchema(
        id=101, name="bm25", type=BM25, input_field_names=["id"], output_field_names=["id"]
    )
    assert defined(KEY, schema={"functions": [function]}).properties == {"preserve_field_ids": "true"}


def test_the_dynamic_field_takes_the_number_after_the_users() -> None:
    meta = field(101, "$meta", JSON, is_dynamic=True)
    definition = defined(KEY, meta, schema={"enable_dynamic_field": True})
    assert sent(definition) == [(100, "id")]
    assert definition.properties == {}


def test_a_field_added_beside_a_dynamic_one_cannot_be_asked_for() -> None:
    meta = field(101, "$meta", JSON, is_dynamic=True)
    with pytest.raises(
        TargetMismatch, match=r"'orders' had fields or functions added or dropped.*same steps"
    ):
        defined(KEY, meta, field(102, "later"), schema={"enable_dynamic_field": True})


def test_a_wish_to_preserve_ids_is_not_inherited() -> None:
    """A collection that was restored once has it; repeated without need it would spoil the dynamic field."""
    assert defined(KEY, properties=pairs({"preserve_field_ids": "true", "a": "b"})).properties == {"a": "b"}


def test_struct_fields_are_named_without_their_struct_and_numbered_last() -> None:
    inner = field(103, "parts[price]", Array)
    struct = StructArrayFieldSchema(fieldID=102, name="parts", fields=[inner])
    definition = defined(
        KEY,
        field(101, "$meta", JSON, is_dynamic=True),
        schema={"struct_array_fields": [struct], "enable_dynamic_field": True},
    )
    assert [each.name for each in definition.schema.struct_array_fields[0].fields] == ["price"]
    assert definition.properties == {}
    assert ArrayOfStruct not in {each.data_type for each in definition.schema.fields}


@pytest.mark.parametrize("also", [{}, {"num_partitions": 3}], ids=["counted", "recorded"])
def test_with_a_partition_key_milvus_makes_the_partitions(also: dict[str, int]) -> None:
    key = field(101, "tenant", VarChar, is_partition_key=True)
    partitions = {f"_default_{number}": number for number in range(3)}
    definition = defined(KEY, key, partitions=partitions, **also)
    assert (definition.num_partitions, definition.partitions) == (3, ())


def test_a_partition_key_that_milvus_adds_itself_is_not_asked_for() -> None:
    namespace = field(101, "$namespace_id", VarChar, is_partition_key=True)
    definition = defined(KEY, namespace, partitions={"_default_0": 1}, schema={"enable_namespace": True})
    assert (definition.num_partitions, definition.partitions) == (0, ())
    assert sent(definition) == [(100, "id")]


def test_shards_are_as_many_as_the_snapshots_channels() -> None:
    assert defined(KEY, num_shards=2).shards == 2
    assert defined(KEY, num_shards=2, virtual_channel_names=["a_1v0", "b_1v1", "c_1v2"]).shards == 3


def test_an_older_snapshot_has_properties_and_consistency_with_its_schema() -> None:
    older = defined(KEY, schema={"properties": pairs({"consistency_level": "2", "ttl": "60"})})
    assert (older.properties, older.consistency_level) == ({"ttl": "60"}, Bounded)
    assert defined(KEY, consistency_level=Strong).consistency_level == Strong
    assert defined(KEY, consistency_level=Bounded).consistency_level == Bounded


def index(number: int = 101, **traits: Any) -> IndexInfo:
    return IndexInfo(fieldID=number, index_name="by_vector", **traits)


def asked(given: IndexInfo, name: str = "vector") -> tuple[dict[str, str], dict[str, str]]:
    description = CollectionDescription(schema=CollectionSchema(fields=[KEY, field(101, name, FloatVector)]))
    (definition,) = collection_definition(description, [given]).indexes
    assert (definition.name, definition.field) == ("by_vector", name)
    return dict(definition.asked), dict(definition.exact)


def test_an_index_is_asked_for_by_name_field_and_parameters_without_mmap() -> None:
    parameters = {"index_type": "HNSW", "metric_type": "L2", "params": '{"M":16}'}
    given = index(
        index_params=pairs({**parameters, "mmap.enabled": "true"}), user_index_params=pairs({"M": "1"})
    )
    assert asked(given) == (parameters, parameters)


def test_an_automatic_index_is_asked_for_as_its_user_did() -> None:
    user, exact = {"index_type": "AUTOINDEX", "metric_type": "L2"}, {"index_type": "HNSW", "M": "18"}
    given = index(is_auto_index=True, index_params=pairs(exact), user_index_params=pairs(user))
    assert asked(given) == (user, exact)


@pytest.mark.parametrize(
    ("stored", "spelled"),
    [
        ("/price", 'f["price"]'),
        ("/a~1b/c~0d", 'f["a/b"]["c~d"]'),
        ('/say "x"', 'f["say \\"x\\""]'),
        ("", "f"),
        ('f["price"]', 'f["price"]'),
    ],
)
def test_a_json_path_is_spelled_as_the_api_wants_it(stored: str, spelled: str) -> None:
    given = index(index_params=pairs({"index_type": "INVERTED", "json_path": stored}))
    assert asked(given, "f")[0]["json_path"] == spelled


def test_an_index_on_no_field_is_a_damaged_snapshot() -> None:
    with pytest.raises(SnapshotCorrupt, match=r"'by_vector'.* field 999"):
        asked(index(999))
