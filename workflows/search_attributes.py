"""The search attributes by which operators find restores; the one source for use and registration."""

from collections.abc import Mapping

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.common import SearchAttributeKey

TARGET = SearchAttributeKey.for_keyword("RestoreTarget")
SNAPSHOT_NAME = SearchAttributeKey.for_keyword("RestoreSnapshotName")
PHASE = SearchAttributeKey.for_keyword("RestorePhase")
PERCENT = SearchAttributeKey.for_int("RestorePercent")

REGISTERED: Mapping[str, "IndexedValueType.ValueType"] = {
    TARGET.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    SNAPSHOT_NAME.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    PHASE.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    PERCENT.name: IndexedValueType.INDEXED_VALUE_TYPE_INT,
}
"""What the worker asks the server to know at its start."""
