"""The vector and scalar indexes of a segment, in both layouts of their paths."""

from formats.segment import IndexFiles, KeyValue
from samples import schema
from samples.binlog import index_file, slice_meta
from samples.columns import Rows
from samples.draft import Draft
from samples.inverted import inverted_files

INDEX_VERSION = 1
"""The version of every build; it is part of the path."""

ENGINE_VERSION, SCALAR_ENGINE_VERSION = 7, 2
GRAPH_BYTES = 160
"""Bytes of a row in an HNSW graph beside its vector."""


def index_builds(draft: Draft, rows: Rows) -> tuple[IndexFiles, ...]:
    """One finished build of every index, its files put into the draft; the flat one has none.

    A segment without rows is not indexed.
    """
    if not rows.count:
        return ()
    return tuple(_build(draft, rows, number) for number in range(len(schema.definitions(draft.shape))))


def _build(draft: Draft, rows: Rows, number: int) -> IndexFiles:
    info = schema.index_info(draft.shape, number)
    build = next(draft.ids)
    layout = draft.number % 2 if draft.shape.format_version >= 2 else 0
    files = _files(draft, rows, number, build)
    where = _folder(draft, build, layout)
    return IndexFiles(
        segment_id=draft.segment,
        field_id=info.fieldID,
        index_id=info.indexID,
        build_id=build,
        index_name=info.index_name,
        index_params=tuple(
            KeyValue(key=pair.key, value=pair.value) for pair in (*info.index_params, *info.type_params)
        ),
        index_file_paths=tuple(draft.put(f"{where}/{name}", body) for name, body in files.items()),
        serialized_size=sum(map(len, files.values())),
        index_version=INDEX_VERSION,
        num_rows=rows.count,
        current_index_version=ENGINE_VERSION,
        mem_size=sum(map(len, files.values())) * 9 // 8,
        current_scalar_index_version=SCALAR_ENGINE_VERSION,
        index_store_path_version=layout,
    )


def _folder(draft: Draft, build: int, layout: int) -> str:
    if layout == 0:
        return f"index_files/{build}/{INDEX_VERSION}/{draft.partition}/{draft.segment}"
    return f"index_v1/{draft.owner()}/{build}/{INDEX_VERSION}"


def _files(draft: Draft, rows: Rows, number: int, build: int) -> dict[str, bytes]:
    field = schema.definitions(draft.shape)[number].field_id
    if number == schema.THUMBNAIL_INDEX:
        return {}
    if number == schema.PRICE_INDEX:
        return inverted_files(draft, field, build, rows.span, rows.count * 10)
    contents = _contents(draft, rows.count, number)
    return {
        name: index_file(draft.place(field), build, content, rows.span) for name, content in contents.items()
    }


def _contents(draft: Draft, count: int, number: int) -> dict[str, bytes]:
    if number == schema.EMBEDDING_INDEX:
        return _graph(draft, count * (4 * draft.shape.dim + GRAPH_BYTES))
    if number == schema.TITLE_INDEX:
        return {
            "marisa_trie_index": draft.random_bytes(count * 8),
            "marisa_trie_str_ids": draft.random_bytes(count * 8),
        }
    if number >= len(schema.INDEXES):
        return {"SPARSE_INVERTED_INDEX": draft.random_bytes(count * 32)}
    return {"index_data": draft.random_bytes(count * 16), "index_length": count.to_bytes(8, "little")}


def _graph(draft: Draft, size: int) -> dict[str, bytes]:
    """An HNSW index: whole in odd segments, else in two slices with their SLICE_META."""
    content = draft.random_bytes(size)
    if draft.number % 2 == 1:
        return {"HNSW": content}
    half = size // 2 + 1
    slices = {"HNSW_0": content[:half], "HNSW_1": content[half:]}
    return {**slices, "SLICE_META": slice_meta("HNSW", len(slices), size)}
