"""The insert, stats, BM25 and delta logs of a segment, of every storage version."""

from collections.abc import Sequence

from formats.segment import Binlog, FieldBinlog
from samples import schema
from samples.binlog import Span, delete_log, insert_log
from samples.bm25_log import bm25_log
from samples.columns import Rows
from samples.draft import Draft
from samples.packed import ColumnGroup, column_groups, group_logs, packed_file
from samples.stats_log import COMPOUND, key_statistics, stats_log

DELETED = 64
"""One row in so many is deleted."""

DELETE_DELAY_MS = 30_000


def flushes(draft: Draft, rows: Rows) -> list[Rows]:
    """The rows as they were flushed: at once, or in two parts in every third segment."""
    if draft.oddity == "deletes only":
        return []
    if draft.number % 3 != 1 or not rows.count:
        return [rows]
    half = rows.count // 2
    return [rows.cut(0, half), rows.cut(half, rows.count - half)]


def field_logs(draft: Draft, parts: Sequence[Rows]) -> tuple[FieldBinlog, ...]:
    """The insert logs of storage version 0, put into the draft: of each field one per flush."""
    types = schema.field_types(draft.shape)

    def log(field: int, part: Rows) -> Binlog:
        column = part.columns[field]
        body = insert_log(draft.place(field), types[field], column, part.span)
        where = draft.log_folder("insert_log", field)
        return put_log(draft, where, next(draft.ids), body, part.count, part.span, memory=column.nbytes)

    return tuple(
        FieldBinlog(field_id=field, binlogs=tuple(log(field, part) for part in parts))
        for field in draft.fields
        if parts
    )


def packed_logs(draft: Draft, parts: Sequence[Rows]) -> tuple[FieldBinlog, ...]:
    """The insert logs of storage version 2, put into the draft: of each column group one per flush."""

    def log(group: ColumnGroup, part: Rows) -> Binlog:
        where, body = draft.log_folder("insert_log", group.group_id), packed_file(group, part)
        size = group.bytes_of(part)
        return put_log(draft, where, next(draft.ids), body, part.count, part.span, memory=size)

    return tuple(
        group_logs(draft, group, [log(group, part) for part in parts])
        for group in column_groups(draft.fields)
        if parts
    )


def stats_logs(draft: Draft, parts: Sequence[Rows]) -> tuple[FieldBinlog, ...]:
    """The primary key's stats logs, one per flush; odd segments have the compound one as well."""
    where = draft.log_folder("stats_log", schema.KEY)
    statistics = [
        key_statistics(schema.KEY, part.first_key, part.first_key + part.count - 1) for part in parts
    ]
    logs = [
        put_log(draft, where, next(draft.ids), stats_log(one), part.count, part.span)
        for one, part in zip(statistics, parts, strict=True)
    ]
    if draft.number % 2 == 1 and parts:
        count = sum(part.count for part in parts)
        span = Span(parts[0].span.first, parts[-1].span.last)
        logs.append(put_log(draft, where, COMPOUND, stats_log(statistics), count, span))
    return (FieldBinlog(field_id=schema.KEY, binlogs=tuple(logs)),) if logs else ()


def bm25_logs(draft: Draft, parts: Sequence[Rows]) -> tuple[FieldBinlog, ...]:
    """The statistics of the BM25 function's output, one per flush, where there is such a function."""
    where = draft.log_folder("bm25_stats", schema.REVIEW_TERMS)
    logs = tuple(
        put_log(draft, where, next(draft.ids), bm25_log(part.count), part.count, part.span)
        for part in (parts if draft.shape.full_text else ())
    )
    return (FieldBinlog(field_id=schema.REVIEW_TERMS, binlogs=logs),) if logs else ()


def delta_logs(draft: Draft, keys: Sequence[range]) -> tuple[FieldBinlog, ...]:
    """The delta logs, one for each range of deleted primary keys; none, no entry at all."""
    logs = [_delta_log(draft, part, number) for number, part in enumerate(keys)]
    if draft.oddity == "successor's deletes":
        logs.append(_delta_log(draft, foreign_keys(draft)[0], len(keys), segment=next(draft.ids)))
    if draft.oddity == "empty object":
        now = draft.shape.write_time(draft.number)
        logs.append(put_log(draft, draft.log_folder("delta_log"), next(draft.ids), b"", 0, Span(now, now)))
    return (FieldBinlog(field_id=0, binlogs=tuple(logs)),) if logs else ()


def deleted_keys(draft: Draft, rows: Rows) -> list[range]:
    """The deleted keys of a segment with rows: none in odd segments, two logs in every fourth."""
    if draft.oddity == "deletes only":
        return foreign_keys(draft)
    if draft.number % 2 == 1 or not rows.count:
        return []
    last = rows.first_key + rows.count
    middle = rows.first_key + rows.count // 2
    if draft.number % 4 == 0:
        return [range(rows.first_key, middle, DELETED), range(middle, last, DELETED)]
    return [range(rows.first_key, last, DELETED)]


def foreign_keys(draft: Draft) -> list[range]:
    """The deleted keys of a segment that has no rows itself: rows of another segment."""
    first = (draft.number % draft.shape.segments) * 10_000_000 + 1
    return [range(first, first + 32)]


def _delta_log(draft: Draft, keys: range, number: int, segment: int | None = None) -> Binlog:
    began = draft.shape.write_time(draft.number) + (DELETE_DELAY_MS * (1 + number) << 18)
    times = [began + (step << 18) for step in range(len(keys))]
    body = delete_log(draft.place(), list(keys), times)
    where = draft.log_folder("delta_log", segment=segment)
    return put_log(draft, where, next(draft.ids), body, len(keys), Span(times[0], times[-1]))


def put_log(
    draft: Draft, where: str, log_id: int, body: bytes, entries: int, span: Span, memory: int | None = None
) -> Binlog:
    """The log's entry in the manifest; its object has been put into the draft."""
    return Binlog(
        entries_num=entries,
        timestamp_from=span.first,
        timestamp_to=span.last,
        log_path=draft.put(f"{where}/{log_id}", body),
        log_size=len(body),
        log_id=log_id,
        memory_size=len(body) if memory is None else memory,
    )
