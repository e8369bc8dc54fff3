"""Random segment manifests of every format version."""

from typing import TypeVar

from hypothesis import strategies as st

from formats.segment import (
    Binlog,
    FieldBinlog,
    IndexFiles,
    JsonIndex,
    KeyValue,
    Position,
    SegmentManifest,
    TextIndex,
)

Value = TypeVar("Value")
Stats = TypeVar("Stats", bound=TextIndex)

INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(0, 2**64 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
POSITIONS = st.builds(
    Position, channel_name=TEXT, msg_id=st.binary(max_size=9), msg_group=TEXT, timestamp=UINT64
)
LOGS = st.builds(
    Binlog,
    entries_num=INT64,
    timestamp_from=UINT64,
    timestamp_to=UINT64,
    log_path=TEXT,
    log_size=INT64,
    log_id=INT64,
    memory_size=INT64,
)


def manifests(version: int) -> st.SearchStrategy[SegmentManifest]:
    """Manifests that a format version can hold."""
    groups = _few(_groups(version))
    return st.builds(
        SegmentManifest,
        segment_id=st.integers(1, 2**63 - 1),
        partition_id=INT64,
        segment_level=st.integers(0, 3),
        channel_name=TEXT,
        num_of_rows=INT64,
        start_position=POSITIONS,
        dml_position=POSITIONS,
        storage_version=st.sampled_from((0, 2, 3)),
        is_sorted=st.booleans(),
        commit_timestamp=UINT64 if version >= 3 else st.just(0),
        binlog_files=groups,
        deltalog_files=groups,
        statslog_files=groups,
        bm25_statslog_files=groups,
        index_files=_few(_indexes(version)),
        text_index_files=_by_field(st.builds(TextIndex, **_stats())),
        json_key_index_files=_by_field(
            st.builds(JsonIndex, **_stats(), json_key_stats_data_format=INT64),
        ),
        manifest_path=st.just(""),
    )


def _groups(version: int) -> st.SearchStrategy[FieldBinlog]:
    if version < 4:
        return st.builds(FieldBinlog, field_id=INT64, binlogs=_few(LOGS), format=st.just(""))
    return st.builds(FieldBinlog, field_id=INT64, child_fields=_few(INT64), format=TEXT, binlogs=_few(LOGS))


def _indexes(version: int) -> st.SearchStrategy[IndexFiles]:
    return st.builds(
        IndexFiles,
        segment_id=INT64,
        field_id=INT64,
        index_id=INT64,
        build_id=INT64,
        index_name=TEXT,
        index_params=_few(st.builds(KeyValue, key=TEXT, value=TEXT)),
        index_file_paths=_few(TEXT),
        serialized_size=UINT64,
        index_version=INT64,
        num_rows=INT64,
        current_index_version=INT32,
        mem_size=UINT64,
        current_scalar_index_version=INT32,
        index_store_path_version=INT32 if version >= 2 else st.just(0),
    )


def _stats() -> dict[str, st.SearchStrategy[object]]:
    return {
        "field_id": st.integers(0, 999),
        "version": INT64,
        "files": _few(TEXT),
        "log_size": INT64,
        "memory_size": INT64,
        "build_id": INT64,
    }


def _few(each: st.SearchStrategy[Value]) -> st.SearchStrategy[tuple[Value, ...]]:
    return st.lists(each, max_size=3).map(tuple)


def _by_field(each: st.SearchStrategy[Stats]) -> st.SearchStrategy[tuple[Stats, ...]]:
    in_order = st.lists(each, max_size=3, unique_by=lambda stats: stats.field_id)
    return in_order.map(lambda stats: tuple(sorted(stats, key=lambda one: one.field_id)))
