"""Packed storage: the columns of several fields in one Parquet file, a column group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa  # type: ignore[import-untyped]  # Arrow ships no type stubs
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # Arrow ships no type stubs

from samples import schema
from samples.columns import Rows

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


def packed_file(group: ColumnGroup, part: Rows) -> bytes:
    """The group's rows as a file; columns go by field id."""
    sink = pa.BufferOutputStream()
    table = pa.table({str(field): part.columns[field] for field in group.fields})
    pq.write_table(table, sink, compression="zstd", use_dictionary=False)
    return bytes(sink.getvalue())
