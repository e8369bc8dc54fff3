"""The insert, stats and delta logs of a segment of storage version 0: one binlog per field."""

from collections.abc import Sequence
from typing import Any

from formats.segment import Binlog, FieldBinlog
from samples import schema
from samples.binlog import Span, delete_log, insert_log
from samples.columns import Rows, write_time
from samples.draft import Draft
from samples.stats_log import COMPOUND, key_statistics, stats_log

DELETED = 64
"""One row in so many is deleted."""

DELETE_DELAY_MS = 30_000


def flushes(draft: Draft, rows: Rows) -> list[Rows]:
    """The rows as they were flushed: at once, or in two parts in every third segment."""
    if draft.number % 3 != 1:
        return [rows]
    half = rows.count // 2
    return [rows.cut(0, half), rows.cut(half, rows.count - half)]


def insert_logs(draft: Draft, parts: Sequence[Rows]) -> tuple[FieldBinlog, ...]:
    """The insert logs, put into the draft: of each field one per flush."""
    types = schema.field_types(draft.shape)
    return tuple(
        FieldBinlog(
            field_id=field, binlogs=tuple(_insert_log(draft, field, types[field], part) for part in parts)
        )
        for field in types
    )


def _insert_log(draft: Draft, field: int, data_type: Any, part: Rows) -> Binlog:
    column = part.columns[field]
    body = insert_log(draft.place(field), data_type, column, part.span)
    where = f"insert_log/{_owner(draft)}/{field}"
    return _log(draft, where, next(draft.ids), body, part.count, part.span, memory=column.nbytes)


def stats_logs(draft: Draft, parts: Sequence[Rows]) -> tuple[FieldBinlog, ...]:
    """The primary key's stats logs, one per flush; odd segments have the compound one as well."""
    where = f"stats_log/{_owner(draft)}/{schema.KEY}"
    statistics = [
        key_statistics(schema.KEY, part.first_key, part.first_key + part.count - 1) for part in parts
    ]
    logs = [
        _log(draft, where, next(draft.ids), stats_log(one), part.count, part.span)
        for one, part in zip(statistics, parts, strict=True)
    ]
    if draft.number % 2 == 1:
        count = sum(part.count for part in parts)
        span = Span(parts[0].span.first, parts[-1].span.last)
        logs.append(_log(draft, where, COMPOUND, stats_log(statistics), count, span))
    return (FieldBinlog(field_id=schema.KEY, binlogs=tuple(logs)),)


def delta_logs(draft: Draft, keys: Sequence[range]) -> tuple[FieldBinlog, ...]:
    """The delta logs, one for each range of deleted primary keys; none, no entry at all."""
    logs = tuple(_delta_log(draft, part, number) for number, part in enumerate(keys))
    return (FieldBinlog(field_id=0, binlogs=logs),) if logs else ()


def deleted_keys(draft: Draft, rows: Rows) -> list[range]:
    """The deleted keys of a segment with rows: none in odd segments, two logs in every fourth."""
    if draft.number % 2 == 1:
        return []
    last = rows.first_key + rows.count
    middle = rows.first_key + rows.count // 2
    if draft.number % 4 == 0:
        return [range(rows.first_key, middle, DELETED), range(middle, last, DELETED)]
    return [range(rows.first_key, last, DELETED)]


def foreign_keys(draft: Draft) -> list[range]:
    """The deleted keys of an L0 segment: rows of another segment."""
    first = (draft.number % draft.shape.segments) * 10_000_000 + 1
    return [range(first, first + 32)]


def _delta_log(draft: Draft, keys: range, number: int) -> Binlog:
    began = write_time(draft.number) + (DELETE_DELAY_MS * (1 + number) << 18)
    times = [began + (step << 18) for step in range(len(keys))]
    body = delete_log(draft.place(), list(keys), times)
    where = f"delta_log/{_owner(draft)}"
    return _log(draft, where, next(draft.ids), body, len(keys), Span(times[0], times[-1]))


def _owner(draft: Draft) -> str:
    return f"{draft.shape.collection_id}/{draft.partition}/{draft.segment}"


def _log(
    draft: Draft, where: str, log_id: int, body: bytes, entries: int, span: Span, memory: int | None = None
) -> Binlog:
    return Binlog(
        entries_num=entries,
        timestamp_from=span.first,
        timestamp_to=span.last,
        log_path=draft.put(f"{where}/{log_id}", body),
        log_size=len(body),
        log_id=log_id,
        memory_size=len(body) if memory is None else memory,
    )
