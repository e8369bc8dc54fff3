"""Packed storage: the columns of several fields in one Parquet file, a column group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa  # type: ignore[import-untyped]  # Arrow ships no type stubs
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # Arrow ships no type stubs

from formats.segment import Binlog, FieldBinlog
from samples import schema
from samples.columns import Rows
from samples.draft import Draft

FORMAT = "parquet"
SHORT = 0
"""The id of the group of all narrow fields; a wide field is a group of its own, by its own id."""

WIDE = frozenset({schema.EMBEDDING, schema.THUMBNAIL, schema.REVIEW_TERMS})


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """The fields whose columns lie side by side."""

    group_id: int
    fields: tuple[int, ...]

    def bytes_of(self, part: Rows) -> int:
        """Bytes of the group's columns in memory."""
        return sum(part.columns[field].nbytes for field in self.fields)


def column_groups(fields: Iterable[int]) -> Sequence[ColumnGroup]:
    """The groups that the fields are packed in, the narrow ones first."""
    fields = tuple(fields)
    narrow = ColumnGroup(SHORT, tuple(field for field in fields if field not in WIDE))
    return [narrow, *(ColumnGroup(field, (field,)) for field in fields if field in WIDE)]


def group_logs(draft: Draft, group: ColumnGroup, logs: Iterable[Binlog]) -> FieldBinlog:
    """The group's entry in a manifest; before format version 4 that had no room for fields and format."""
    told = draft.shape.format_version >= 4
    return FieldBinlog(
        field_id=group.group_id,
        child_fields=group.fields if told else (),
        format=FORMAT if told else "",
        binlogs=tuple(logs),
    )


def packed_file(group: ColumnGroup, part: Rows) -> bytes:
    """The group's rows as a file; columns go by field id."""
    sink = pa.BufferOutputStream()
    table = pa.table({str(field): part.columns[field] for field in group.fields})
    pq.write_table(table, sink, compression="zstd", use_dictionary=False)
    return bytes(sink.getvalue())
