"""The sample's fields and index definitions, as Milvus's protobuf messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from formats.proto.common_pb2 import KeyValuePair
from formats.proto.index_pb2 import IndexInfo
from formats.proto.schema_pb2 import CollectionSchema, DataType, FieldSchema, FunctionSchema, FunctionType
from samples.shape import SampleShape

ROW_ID, TIMESTAMP = 0, 1
KEY, EMBEDDING, THUMBNAIL, TITLE, STOCK, ATTRIBUTES, REVIEW, RATINGS, DYNAMIC = range(100, 109)
REVIEW_TERMS, MANUAL = 109, 110
"""Only with `full_text` (the output of the BM25 function), and only with `large_text`."""

BM25_FUNCTION = 100

THUMBNAIL_DIM = 8
RATINGS_CAPACITY = 8

PROPERTIES = {"collection.autocompaction.enabled": "false"}
"""The collection's properties."""


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """An index of the sample, before it has an id."""

    name: str
    field_id: int
    params: Mapping[str, str]
    type_params: Mapping[str, str] = field(default_factory=dict)


INDEXES = (
    IndexDefinition(
        "embedding_hnsw",
        EMBEDDING,
        {"index_type": "HNSW", "metric_type": "L2", "params": '{"M":16,"efConstruction":200}'},
        # A restore drops mmap.enabled (segment-restore.md, section 1.4).
        {"mmap.enabled": "true"},
    ),
    # A flat index is finished at once and has no files.
    IndexDefinition("thumbnail_flat", THUMBNAIL, {"index_type": "FLAT", "metric_type": "COSINE"}),
    IndexDefinition("title_trie", TITLE, {"index_type": "Trie"}),
    IndexDefinition("stock_sorted", STOCK, {"index_type": "STL_SORT"}),
    IndexDefinition(
        "price_inverted",
        ATTRIBUTES,
        {"index_type": "INVERTED", "json_path": "/price", "json_cast_type": "DOUBLE"},
    ),
)
EMBEDDING_INDEX, THUMBNAIL_INDEX, TITLE_INDEX, STOCK_INDEX, PRICE_INDEX = range(len(INDEXES))

FULL_TEXT_INDEX = IndexDefinition(
    "review_terms_inverted",
    REVIEW_TERMS,
    {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "BM25", "inverted_index_algo": "DAAT_MAXSCORE"},
)
"""After the others, only with `full_text`."""


def definitions(shape: SampleShape) -> tuple[IndexDefinition, ...]:
    """The collection's indexes; an index's place is its number."""
    return (*INDEXES, FULL_TEXT_INDEX) if shape.full_text else INDEXES


def pairs(values: Mapping[str, str]) -> list[KeyValuePair]:
    """The values as Milvus's key-value pairs, in their order."""
    return [KeyValuePair(key=key, value=value) for key, value in values.items()]


def fields(shape: SampleShape) -> list[FieldSchema]:
    """Every field, the system's first; those that were added later come after the dynamic one."""
    text = {"max_length": "512", "enable_analyzer": "true", "enable_match": "true"}
    ratings = _field(RATINGS, "ratings", DataType.Array, {"max_capacity": str(RATINGS_CAPACITY)})
    ratings.element_type = DataType.Int64
    dynamic = _field(DYNAMIC, "$meta", DataType.JSON, {})
    dynamic.is_dynamic = True
    return [
        *_key_fields(),
        _field(EMBEDDING, "embedding", DataType.FloatVector, {"dim": str(shape.dim)}),
        _field(THUMBNAIL, "thumbnail", DataType.FloatVector, {"dim": str(THUMBNAIL_DIM)}),
        _field(TITLE, "title", DataType.VarChar, {"max_length": "256"}),
        _field(STOCK, "stock", DataType.Int64, {}),
        _field(ATTRIBUTES, "attributes", DataType.JSON, {}),
        _field(REVIEW, "review", DataType.VarChar, text),
        ratings,
        dynamic,
        *_further_fields(shape),
    ]


def functions(shape: SampleShape) -> list[FunctionSchema]:
    """The BM25 function, where there is one."""
    bm25 = FunctionSchema(
        name="review_bm25",
        id=BM25_FUNCTION,
        type=FunctionType.BM25,
        input_field_names=["review"],
        input_field_ids=[REVIEW],
        output_field_names=["review_terms"],
        output_field_ids=[REVIEW_TERMS],
    )
    return [bm25] if shape.full_text else []


def field_types(shape: SampleShape) -> dict[int, DataType]:
    """The data type of each field by its id."""
    return {each.fieldID: each.data_type for each in fields(shape)}


def collection_schema(*, name: str, database: str) -> CollectionSchema:
    """What RootCoord keeps with the collection, all but fields (segment-restore.md, section 3.6)."""
    return CollectionSchema(
        name=name,
        description="a sample",
        enable_dynamic_field=True,
        dbName=database,
        properties=pairs({"consistency_level": "2"}),
        version=1,
    )


def index_info(shape: SampleShape, number: int) -> IndexInfo:
    """The source's index definition, filled as a snapshot fills it (snapshot-format.md, section 3.5)."""
    definition = definitions(shape)[number]
    return IndexInfo(
        collectionID=shape.collection_id,
        fieldID=definition.field_id,
        index_name=definition.name,
        indexID=shape.index_id(number),
        type_params=pairs({**_dimension(shape, definition.field_id), **definition.type_params}),
        index_params=pairs(definition.params),
        user_index_params=pairs(definition.params),
    )


def _key_fields() -> list[FieldSchema]:
    row_id = _field(ROW_ID, "RowID", DataType.Int64, {})
    row_id.description = "row id"
    timestamp = _field(TIMESTAMP, "Timestamp", DataType.Int64, {})
    timestamp.description = "time stamp"
    key = _field(KEY, "id", DataType.Int64, {})
    key.is_primary_key = True
    return [row_id, timestamp, key]


def _further_fields(shape: SampleShape) -> list[FieldSchema]:
    terms = _field(REVIEW_TERMS, "review_terms", DataType.SparseFloatVector, {})
    terms.is_function_output = True
    manual = _field(MANUAL, "manual", DataType.Text, {})
    manual.nullable = True
    return [*([terms] if shape.full_text else []), *([manual] if shape.large_text else [])]


def _field(number: int, name: str, data_type: DataType, params: Mapping[str, str]) -> FieldSchema:
    return FieldSchema(fieldID=number, name=name, data_type=data_type, type_params=pairs(params))


def _dimension(shape: SampleShape, field_id: int) -> dict[str, str]:
    dims = {EMBEDDING: shape.dim, THUMBNAIL: THUMBNAIL_DIM}
    return {"dim": str(dims[field_id])} if field_id in dims else {}
