"""What etcd holds of a restored collection now, read once."""

from functools import cached_property

from formats.catalog import TargetCollection
from formats.proto import data_pb2, index_pb2
from formats.wire import decode
from restore.errors import TargetNotFound
from restore.plan import Plan
from stores.catalog import collection_names, read_collection
from stores.ports import MetadataStore
from stores.staged_records import collection_records, keys_of


class RestoredCollection:
    """The collection of a plan, by its id: it may have been renamed since."""

    def __init__(self, metadata: MetadataStore, plan: Plan) -> None:
        self._metadata = metadata
        self._target = plan.target
        self.keys = keys_of(plan)
        found = collection_records(metadata, self.keys, plan.target.collection_id)
        self.values = {record.key: record.value for record in found}

    @cached_property
    def catalog(self) -> TargetCollection | None:
        """The collection in RootCoord's catalog; None when it was dropped."""
        database = self._target.database
        try:
            name = collection_names(self._metadata, self.keys, database).get(self._target.collection_id)
            return read_collection(self._metadata, self.keys, database, name) if name else None
        except TargetNotFound:  # the database is gone, and all in it
            return None

    @cached_property
    def segments(self) -> dict[int, data_pb2.SegmentInfo]:
        """Every segment by its id, restored or not."""
        prefix = self.keys.segments(self._target.collection_id)
        infos = (
            decode(data_pb2.SegmentInfo, value, key)
            for key, value in self.values.items()
            if key.startswith(prefix)
        )
        return {info.ID: info for info in infos}

    @cached_property
    def builds(self) -> dict[tuple[int, int], set[int]]:
        """The builds that are not deleted, by segment id and index id."""
        prefix = self.keys.segment_indexes(self._target.collection_id)
        found: dict[tuple[int, int], set[int]] = {}
        for key, value in self.values.items():
            if key.startswith(prefix):
                build = decode(index_pb2.SegmentIndex, value, key)
                if not build.deleted:
                    found.setdefault((build.segmentID, build.indexID), set()).add(build.buildID)
        return found

    @cached_property
    def index_ids(self) -> set[int]:
        """The indexes that the collection has."""
        return {index.indexID for index in self.catalog.indexes} if self.catalog else set()
