"""Where one segment goes."""

from formats.model import Model
from formats.segment import Int64


class SegmentTarget(Model):
    """The ids, the channel and the time that a restored segment's records are written with.

    `channel` is the target's virtual channel; `message_id` and `message_group` are of its checkpoint,
    empty when there is none, and `wal_name` the checkpoint's kind of log (common.WALName). `builds` gives
    the new build id by the source's, `index_ids` the target's index id by index name. `created_at` is
    Unix seconds, fixed when the restore is planned.
    """

    collection_id: Int64
    partition_id: Int64
    segment_id: Int64
    channel: str
    message_id: bytes = b""
    message_group: str = ""
    wal_name: int = 0
    builds: dict[int, int]
    index_ids: dict[str, int]
    created_at: int

    @property
    def ids(self) -> tuple[int, int, int]:
        """Collection, partition and segment, as keys begin."""
        return (self.collection_id, self.partition_id, self.segment_id)
