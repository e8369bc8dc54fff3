"""Hidden segments that no restore on record has staged: their job's tasks were lost."""

from formats.keys import MetaKeys
from formats.model import Model
from formats.proto.common_pb2 import Importing
from formats.proto.data_pb2 import CopySegmentTask, SegmentInfo
from formats.wire import decode
from stores.ids import FIRST, LAST
from stores.ports import MetadataStore


class Strays(Model):
    """Some hidden segments of one collection. Ids are text."""

    collection_id: str
    segments: tuple[str, ...]


def find_strays(metadata: MetadataStore, keys: MetaKeys) -> tuple[Strays, ...]:
    """Return hidden segments with ids of our own counter that no task on record names, by collection.

    Others may be those of Milvus's imports, or of a restore with ids of RootCoord: nothing tells them apart.
    """
    # Segments before tasks: whoever stages one meanwhile has its task on record already.
    found: dict[int, list[int]] = {}
    for record in metadata.scan(keys.segments()):
        info = decode(SegmentInfo, record.value, record.key)
        if info.state == Importing and FIRST <= info.ID <= LAST:
            found.setdefault(info.collectionID, []).append(info.ID)
    tasks = (
        decode(CopySegmentTask, record.value, record.key) for record in metadata.scan(keys.copy_segment_tasks)
    )
    staged = {each.target_segment_id for task in tasks for each in task.id_mappings}
    strays = {collection: [each for each in ids if each not in staged] for collection, ids in found.items()}
    return tuple(
        Strays(collection_id=str(collection), segments=tuple(map(str, sorted(ids))))
        for collection, ids in sorted(strays.items())
        if ids
    )
