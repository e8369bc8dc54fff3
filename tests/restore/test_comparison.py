"""Which differences between a snapshot and a target are told, and which make none."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from formats.catalog import TargetCollection
from formats.proto.common_pb2 import KeyValuePair
from formats.proto.data_pb2 import CollectionDescription
from formats.proto.index_pb2 import IndexInfo
from formats.proto.schema_pb2 import (
    BM25,
    JSON,
    CollectionSchema,
    FieldSchema,
    FloatVector,
    FunctionSchema,
    Int64,
    SparseFloatVector,
    StructArrayFieldSchema,
    TypeSchema,
    ValueField,
    VarChar,
)
from restore.comparison import differences


def pairs(**values: str) -> list[KeyValuePair]:
    return [KeyValuePair(key=key, value=value) for key, value in values.items()]


def schema() -> CollectionSchema:
    return CollectionSchema(
        name="demo",
        enable_dynamic_field=True,
        fields=[
            FieldSchema(fieldID=0, name="RowID", data_type=Int64),
            FieldSchema(fieldID=1, name="Timestamp", data_type=Int64),
            FieldSchema(fieldID=100, name="id", data_type=Int64, is_primary_key=True),
            FieldSchema(fieldID=101, name="vec", data_type=FloatVector, type_params=pairs(dim="4")),
            FieldSchema(
                fieldID=102,
                name="text",
                data_type=VarChar,
                type_params=pairs(
                    max_length="128", enable_analyzer="true", analyzer_params='{"type":"english"}'
                ),
            ),
            FieldSchema(fieldID=103, name="sparse", data_type=SparseFloatVector, is_function_output=True),
            FieldSchema(fieldID=104, name="$meta", data_type=JSON, is_dynamic=True),
        ],
        struct_array_fields=[
            StructArrayFieldSchema(
                fieldID=110,
                name="chunks",
                fields=[
                    FieldSchema(fieldID=111, name="emb", data_type=FloatVector, type_params=pairs(dim="8"))
                ],
            )
        ],
        functions=[
            FunctionSchema(
                name="bm25",
                id=100,
                type=BM25,
                input_field_names=["text"],
                input_field_ids=[102],
                output_field_names=["sparse"],
                output_field_ids=[103],
            )
        ],
    )


def snapshot() -> CollectionDescription:
    return CollectionDescription(
        schema=schema(),
        num_shards=2,
        partitions={"_default": 1, "p1": 2},
        virtual_channel_names=["by-dev-rootcoord-dml_0_9v0", "by-dev-rootcoord-dml_1_9v1"],
    )


def index(name: str = "vec", index_id: int = 201) -> IndexInfo:
    return IndexInfo(
        collectionID=9,
        fieldID=101,
        index_name=name,
        indexID=index_id,
        index_params=pairs(index_type="HNSW", metric_type="L2", params='{"M":16,"efConstruction":200}'),
    )


def target() -> TargetCollection:
    """A target that fits, with ids and channels of its own."""
    return TargetCollection(
        id=77,
        name="copy",
        database_id=1,
        schema=schema(),
        shards=2,
        vchannels=("by-dev-rootcoord-dml_4_77v0", "by-dev-rootcoord-dml_5_77v1"),
        partitions={"_default": 11, "p1": 12},
        indexes=(index(index_id=999),),
        start_positions={},
        properties={},
    )


def field(found: CollectionSchema, field_id: int) -> FieldSchema:
    return next(each for each in found.fields if each.fieldID == field_id)


def told(change: Callable[[CollectionSchema], object]) -> list[str]:
    """The differences that a change of the target's schema makes."""
    there = target()
    change(there.schema)
    return differences(snapshot(), [index()], there)


def test_a_target_that_fits_has_no_differences() -> None:
    assert differences(snapshot(), [index()], target()) == []


def drop_system_fields(found: CollectionSchema) -> None:
    del found.fields[:2]


def reorder(found: CollectionSchema) -> None:
    fields = list(reversed(found.fields))
    del found.fields[:]
    found.fields.extend(fields)


@pytest.mark.parametrize(
    "change",
    [
        drop_system_fields,
        reorder,
        lambda found: setattr(found, "name", "other"),
        lambda found: setattr(found, "version", 7),
        lambda found: setattr(field(found, 101), "description", "changed"),
        lambda found: field(found, 101).type_params.add(key="mmap.enabled", value="true"),
        lambda found: field(found, 102).type_params.sort(key=lambda pair: pair.value),
        lambda found: setattr(field(found, 102).type_params[2], "value", '{ "type": "english" }'),
        lambda found: setattr(field(found, 102).type_params[1], "value", "True"),
        lambda found: field(found, 101).type_schema.CopyFrom(TypeSchema(leaf_type=FloatVector)),
    ],
)
def test_what_changes_no_meaning_is_no_difference(change: Callable[[CollectionSchema], object]) -> None:
    assert told(change) == []


def test_system_fields_may_be_absent_from_the_snapshot() -> None:
    source = snapshot()
    drop_system_fields(source.schema)
    assert differences(source, [index()], target()) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda f: setattr(field(f, 100), "name", "pk"), "field 100 (id): name: expected id, found pk"),
        (
            lambda f: setattr(field(f, 100), "data_type", VarChar),
            "field 100 (id): data_type: expected Int64, found VarChar",
        ),
        (
            lambda f: setattr(field(f, 100), "data_type", 9999),
            "field 100 (id): data_type: expected Int64, found 9999",
        ),
        (
            lambda f: setattr(field(f, 101), "element_type", Int64),
            "field 101 (vec): element_type: expected None, found Int64",
        ),
        (
            lambda f: setattr(field(f, 100), "is_primary_key", False),
            "field 100 (id): primary key: expected yes, found no",
        ),
        (lambda f: setattr(field(f, 100), "autoID", True), "field 100 (id): auto id: expected no, found yes"),
        (
            lambda f: setattr(field(f, 102), "is_partition_key", True),
            "field 102 (text): partition key: expected no, found yes",
        ),
        (
            lambda f: setattr(field(f, 102), "is_clustering_key", True),
            "field 102 (text): clustering key: expected no, found yes",
        ),
        (
            lambda f: setattr(field(f, 102), "nullable", True),
            "field 102 (text): nullable: expected no, found yes",
        ),
        (
            lambda f: setattr(field(f, 104), "is_dynamic", False),
            "field 104 ($meta): dynamic: expected yes, found no",
        ),
        (
            lambda f: setattr(field(f, 103), "is_function_output", False),
            "field 103 (sparse): function output: expected yes, found no",
        ),
        (
            lambda f: field(f, 102).default_value.CopyFrom(ValueField(string_data="x")),
            "field 102 (text): default_value: expected none, found 'x' (string_data)",
        ),
        (
            lambda f: setattr(field(f, 101).type_params[0], "value", "8"),
            "field 101 (vec): dim: expected 4, found 8",
        ),
        (
            lambda f: setattr(field(f, 102).type_params[0], "value", "64"),
            "field 102 (text): max_length: expected 128, found 64",
        ),
        (
            lambda f: field(f, 102).type_params.add(key="enable_match", value="true"),
            "field 102 (text): enable_match: expected none, found true",
        ),
        (
            lambda f: setattr(field(f, 102).type_params[2], "value", '{"type":"chinese"}'),
            'field 102 (text): analyzer_params: expected {"type": "english"}, found {"type": "chinese"}',
        ),
        (lambda f: f.fields.remove(field(f, 101)), "field 101 (vec): expected in the target, found none"),
        (
            lambda f: f.fields.add(fieldID=105, name="more"),
            "field 105 (more): in the target, but not in the snapshot",
        ),
        (
            lambda f: setattr(f.struct_array_fields[0], "nullable", True),
            "struct field 110 (chunks): nullable: expected no, found yes",
        ),
        (
            lambda f: setattr(f.struct_array_fields[0].fields[0].type_params[0], "value", "9"),
            "struct field 110 (chunks) field 111 (emb): dim: expected 8, found 9",
        ),
        (
            lambda f: f.struct_array_fields.pop(),
            "struct field 110 (chunks): expected in the target, found none",
        ),
        (
            lambda f: setattr(f.functions[0], "id", 101),
            "function bm25: id: expected 100, found 101",
        ),
        (
            lambda f: f.functions[0].input_field_ids.append(104),
            "function bm25: input field ids: expected 102, found 102, 104",
        ),
        (
            lambda f: f.functions[0].output_field_names.pop(),
            "function bm25: output fields: expected sparse, found none",
        ),
        (
            lambda f: setattr(f.functions[0], "type", 2),
            "function bm25: type: expected BM25, found TextEmbedding",
        ),
        (lambda f: f.functions.pop(), "function bm25: expected in the target, found none"),
        (
            lambda f: f.functions.add(name="rerank"),
            "function rerank: in the target, but not in the snapshot",
        ),
        (
            lambda f: setattr(f, "enable_dynamic_field", False),
            "dynamic field: expected on, found off",
        ),
    ],
)
def test_each_difference_of_the_schema_is_one_line(
    change: Callable[[CollectionSchema], object], line: str
) -> None:
    assert told(change) == [line]


def test_nested_types_are_compared_when_both_sides_tell_them() -> None:
    source, there = snapshot(), target()
    field(source.schema, 101).type_schema.CopyFrom(TypeSchema(leaf_type=FloatVector))
    field(there.schema, 101).type_schema.CopyFrom(TypeSchema(leaf_type=Int64))
    (line,) = differences(source, [index()], there)
    assert line.startswith(
        "field 101 (vec): type_schema: expected leaf_type: FloatVector, found leaf_type: Int64"
    )


def test_several_differences_are_all_told() -> None:
    there = target()
    field(there.schema, 100).name = "pk"
    there.schema.enable_dynamic_field = False
    there = replace(there, partitions={"_default": 11}, shards=1)
    assert [line.split(":")[0] for line in differences(snapshot(), [index()], there)] == [
        "field 100 (id)",
        "dynamic field",
        "shards",
        "partition p1",
    ]


def test_shards_must_be_as_many() -> None:
    fewer = replace(target(), shards=1, vchannels=("a_77v0",))
    assert differences(snapshot(), [index()], fewer) == ["shards: expected 2, found 1"]
    inconsistent = replace(target(), vchannels=("a_77v0",))
    assert differences(snapshot(), [index()], inconsistent) == ["virtual channels: expected 2, found 1"]


def test_partitions_are_matched_by_name_and_the_target_may_have_more() -> None:
    more = replace(target(), partitions={"_default": 11, "p1": 12, "p2": 13})
    assert differences(snapshot(), [index()], more) == []
    fewer = replace(target(), partitions={"_default": 11})
    assert differences(snapshot(), [index()], fewer) == [
        "partition p1: expected in the target, found _default"
    ]


def test_only_restored_partitions_must_exist() -> None:
    fewer = replace(target(), partitions={"_default": 11})
    assert differences(snapshot(), [index()], fewer, ["_default"]) == []
    assert differences(snapshot(), [index()], fewer, ["p1"]) != []


def test_partitions_of_a_partition_key_must_be_as_many() -> None:
    source, there = snapshot(), replace(target(), partitions={"_default": 11, "p1": 12, "p2": 13})
    for fields in (source.schema, there.schema):
        field(fields, 102).is_partition_key = True
    assert differences(source, [index()], there) == ["partitions of the partition key: expected 2, found 3"]


def with_index(**changes: object) -> TargetCollection:
    found = index()
    for name, value in changes.items():
        setattr(found, name, value)
    return replace(target(), indexes=(found,))


def with_index_params(**values: str) -> TargetCollection:
    found = index()
    del found.index_params[:]
    found.index_params.extend(pairs(**values))
    return replace(target(), indexes=(found,))


@pytest.mark.parametrize(
    "there",
    [
        with_index_params(M="16", efConstruction="200", metric_type="L2", index_type="HNSW"),
        with_index_params(index_type="HNSW", metric_type="L2", params='{"efConstruction": "200", "M": 16}'),
        with_index_params(index_type="HNSW", metric_type="L2", M="16", params='{"efConstruction":200}'),
        with_index_params(
            index_type="HNSW",
            metric_type="L2",
            params='{"M":16,"efConstruction":200,"mmap.enabled":true}',
            **{"mmap.enabled": "true"},
        ),
    ],
)
def test_spellings_of_the_same_index_are_equal(there: TargetCollection) -> None:
    assert differences(snapshot(), [index()], there) == []


@pytest.mark.parametrize(
    ("there", "lines"),
    [
        (with_index(fieldID=102), ["index vec: field: expected 101, found 102"]),
        (
            with_index_params(index_type="IVF_FLAT", metric_type="L2", nlist="128"),
            [
                "index vec: M: expected 16, found none",
                "index vec: efConstruction: expected 200, found none",
                "index vec: index_type: expected HNSW, found IVF_FLAT",
                "index vec: nlist: expected none, found 128",
            ],
        ),
        (
            with_index_params(index_type="HNSW", metric_type="IP", params='{"M":16,"efConstruction":200}'),
            ["index vec: metric_type: expected L2, found IP"],
        ),
        (
            with_index_params(index_type="HNSW", metric_type="L2", params="broken"),
            [
                "index vec: M: expected 16, found none",
                "index vec: efConstruction: expected 200, found none",
                "index vec: params: expected none, found broken",
            ],
        ),
        (
            with_index(index_name="other"),
            [
                "index vec on field 101: expected in the target, found none",
                "index other on field 101: in the target, but not in the snapshot",
            ],
        ),
        (replace(target(), indexes=()), ["index vec on field 101: expected in the target, found none"]),
    ],
)
def test_each_difference_of_an_index_is_one_line(there: TargetCollection, lines: list[str]) -> None:
    assert differences(snapshot(), [index()], there) == lines
