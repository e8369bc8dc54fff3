"""The text-match and JSON indexes of a segment, which its own record names rather than an index's."""

from formats.segment import JsonIndex, TextIndex
from samples import schema
from samples.binlog import index_file
from samples.columns import Rows
from samples.draft import Draft
from samples.inverted import inverted_files

VERSION = 1
LEGACY_FORMAT, STATS_FORMAT = 1, 2
"""Data formats of a JSON index: below 2 the key index, from 2 on JSON stats (section 2.6)."""


def text_indexes(draft: Draft, rows: Rows) -> tuple[TextIndex, ...]:
    """The review's text index, its files put into the draft; every fourth segment has none.

    Some have build id 0, as early builds wrote it (#48742).
    """
    if draft.number % 4 == 3 or not rows.count:
        return ()
    build = 0 if draft.number % 8 == 6 else next(draft.ids)
    files = inverted_files(draft, schema.REVIEW, build, rows.span, rows.count * 16)
    where = f"text_log/{build}/{VERSION}/{draft.owner()}/{schema.REVIEW}"
    if draft.foldered:
        where = f"insert_log/{draft.owner()}/_stats/text_index.{schema.REVIEW}"
    size = sum(map(len, files.values()))
    return (
        TextIndex(
            field_id=schema.REVIEW,
            version=VERSION,
            files=tuple(draft.put(f"{where}/{name}", body) for name, body in files.items()),
            log_size=size,
            memory_size=size * 5 // 4,
            build_id=build,
        ),
    )


def json_indexes(draft: Draft, rows: Rows) -> tuple[JsonIndex, ...]:
    """The JSON fields' indexes, put into the draft: stats, a legacy key index, or none, in turns.

    StorageV3 knows stats only.
    """
    if not rows.count:
        return ()
    if draft.number % 3 == 0 or draft.foldered:
        return tuple(_json_stats(draft, rows, field) for field in (schema.ATTRIBUTES, schema.DYNAMIC))
    if draft.number % 3 == 1:
        return (_json_key_index(draft, rows, schema.ATTRIBUTES),)
    return ()


def _json_stats(draft: Draft, rows: Rows, field: int) -> JsonIndex:
    build = next(draft.ids)
    keys = inverted_files(draft, field, build, rows.span, rows.count * 2)
    files = {f"shared_key_index/{name}": body for name, body in keys.items()}
    for group in range(2):
        content = draft.random_bytes(rows.count * 4)
        files[f"shredding_data/{group}/0"] = index_file(draft.place(field), build, content, rows.span)
    where = f"json_stats/{STATS_FORMAT}/{build}/{VERSION}/{draft.owner()}/{field}"
    if draft.foldered:
        where = f"insert_log/{draft.owner()}/_stats/json_stats.{field}"
    return _json_index(draft, field, build, STATS_FORMAT, where, files)


def _json_key_index(draft: Draft, rows: Rows, field: int) -> JsonIndex:
    build = next(draft.ids)
    files = inverted_files(draft, field, build, rows.span, rows.count * 10)
    where = f"json_key_index_log/{build}/{VERSION}/{draft.owner()}/{field}"
    return _json_index(draft, field, build, LEGACY_FORMAT, where, files)


def _json_index(
    draft: Draft, field: int, build: int, data_format: int, where: str, files: dict[str, bytes]
) -> JsonIndex:
    size = sum(map(len, files.values()))
    return JsonIndex(
        field_id=field,
        version=VERSION,
        files=tuple(draft.put(f"{where}/{name}", body) for name, body in files.items()),
        log_size=size,
        memory_size=size * 3 // 2,
        build_id=build,
        json_key_stats_data_format=data_format,
    )
