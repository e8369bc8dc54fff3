"""What to ask of Milvus for an index like a snapshot's (segment-restore.md, section 1.4)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from formats.proto.index_pb2 import IndexInfo
from formats.proto.schema_pb2 import CollectionSchema
from restore.errors import SnapshotCorrupt
from restore.parameters import texts

_SERVING = frozenset({"mmap.enabled", "mmap_enabled"})
_JSON_PATH = "json_path"


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """An index that is yet to be made.

    `asked` are the parameters to ask for. Of an automatic index they are what its user said, and Milvus
    chooses the others; `exact` are those that it chose at the source.
    """

    name: str
    field: str
    asked: Mapping[str, str]
    exact: Mapping[str, str]


def index_definition(index: IndexInfo, schema: CollectionSchema) -> IndexDefinition:
    """Return what makes an index equal to the snapshot's; SnapshotCorrupt when its field is not there."""
    names = {field.fieldID: field.name for field in schema.fields}
    for struct in schema.struct_array_fields:
        names |= {field.fieldID: field.name for field in struct.fields}
    field = names.get(index.fieldID)
    if field is None:
        raise SnapshotCorrupt(
            f"index {index.index_name!r} of the snapshot is on field {index.fieldID}, which its collection "
            f"{schema.name!r} does not have; take the snapshot again"
        )
    exact = _parameters(texts(index.index_params), field)
    said = _parameters(texts(index.user_index_params), field) if index.is_auto_index else {}
    return IndexDefinition(name=index.index_name, field=field, asked=said or exact, exact=exact)


def _parameters(pairs: Mapping[str, str], field: str) -> dict[str, str]:
    kept = {key: value for key, value in pairs.items() if key not in _SERVING}
    path = kept.get(_JSON_PATH)
    if path is not None and (not path or path.startswith("/")):
        kept[_JSON_PATH] = _spelled(path, field)
    return kept


def _spelled(pointer: str, field: str) -> str:
    """A JSON pointer as Milvus's API wants it spelled: `/a/b` of field f is `f["a"]["b"]`."""
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return field + "".join(f"[{json.dumps(step, ensure_ascii=False)}]" for step in steps)
