"""The keys of Milvus's records in etcd, and of ours beside them (segment-restore.md, 3.2 and 3.6)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetaKeys:
    """Every key and prefix that a restore reads or writes, for one cluster.

    Milvus's keys lie under `{root_path}/{meta_sub_path}/`, both etcd settings of Milvus; either may be
    empty. Ours lie under `{root_path}/milvus-restore/`, so that no scan of Milvus's meets them. A prefix
    ends in '/'; those that take ids narrow with each: all, a collection's, a partition's, a segment's.
    What needs no id is a property.
    """

    root_path: str = "by-dev"
    meta_sub_path: str = "meta"

    # DataCoord's records of segments.

    def segment(self, collection: int, partition: int, segment: int) -> str:
        """The key of a data.SegmentInfo."""
        return self._meta("datacoord-meta/s", collection, partition, segment)

    def segments(self, *ids: int) -> str:
        """The prefix of segments, narrowed by collection and partition."""
        return self._meta("datacoord-meta/s", *ids, "")

    def binlog(self, collection: int, partition: int, segment: int, field: int) -> str:
        """The key of a data.FieldBinlog of insert logs; the field is a column group in packed storage."""
        return self._meta("datacoord-meta/binlog", collection, partition, segment, field)

    def binlogs(self, *ids: int) -> str:
        """The prefix of insert logs, narrowed by collection, partition and segment."""
        return self._meta("datacoord-meta/binlog", *ids, "")

    def statslog(self, collection: int, partition: int, segment: int, field: int) -> str:
        """The key of a data.FieldBinlog of primary key statistics."""
        return self._meta("datacoord-meta/statslog", collection, partition, segment, field)

    def statslogs(self, *ids: int) -> str:
        """The prefix of primary key statistics, narrowed by collection, partition and segment."""
        return self._meta("datacoord-meta/statslog", *ids, "")

    def deltalog(self, collection: int, partition: int, segment: int, field: int) -> str:
        """The key of a data.FieldBinlog of deletes; the field is 0."""
        return self._meta("datacoord-meta/deltalog", collection, partition, segment, field)

    def deltalogs(self, *ids: int) -> str:
        """The prefix of deletes, narrowed by collection, partition and segment."""
        return self._meta("datacoord-meta/deltalog", *ids, "")

    def bm25log(self, collection: int, partition: int, segment: int, field: int) -> str:
        """The key of a data.FieldBinlog of BM25 statistics."""
        return self._meta("datacoord-meta/bm25log", collection, partition, segment, field)

    def bm25logs(self, *ids: int) -> str:
        """The prefix of BM25 statistics, narrowed by collection, partition and segment."""
        return self._meta("datacoord-meta/bm25log", *ids, "")

    def segment_index(self, collection: int, partition: int, segment: int, build: int) -> str:
        """The key of an index.SegmentIndex."""
        return self._meta("segment-index", collection, partition, segment, build)

    def segment_indexes(self, *ids: int) -> str:
        """The prefix of segments' indexes, narrowed by collection, partition and segment."""
        return self._meta("segment-index", *ids, "")

    # DataCoord's other records.

    def field_index(self, collection: int, index: int) -> str:
        """The key of an index.FieldIndex."""
        return self._meta("field-index", collection, index)

    def field_indexes(self, collection: int) -> str:
        """The prefix of a collection's indexes."""
        return self._meta("field-index", collection, "")

    def channel_checkpoint(self, vchannel: str) -> str:
        """The key of a msg.MsgPosition: how far a virtual channel was consumed."""
        return self._meta("datacoord-meta/channel-cp", vchannel)

    def copy_segment_job(self, job: int) -> str:
        """The key of a data.CopySegmentJob."""
        return self._meta("datacoord-meta/copy-segment-job", job)

    @property
    def copy_segment_jobs(self) -> str:
        """The prefix of jobs."""
        return self._meta("datacoord-meta/copy-segment-job", "")

    def copy_segment_task(self, task: int) -> str:
        """The key of a data.CopySegmentTask."""
        return self._meta("datacoord-meta/copy-segment-task", task)

    @property
    def copy_segment_tasks(self) -> str:
        """The prefix of tasks, of all jobs."""
        return self._meta("datacoord-meta/copy-segment-task", "")

    def snapshot(self, collection: int, snapshot: int) -> str:
        """The key of a data.SnapshotInfo."""
        return self._meta("datacoord-meta/snapshot", collection, snapshot)

    def snapshots(self, *ids: int) -> str:
        """The prefix of snapshots, narrowed by collection."""
        return self._meta("datacoord-meta/snapshot", *ids, "")

    # Where snapshots of clusters that know none are recorded, and who makes one: ours.

    def own_snapshot(self, collection: int, snapshot: int) -> str:
        """The key of a data.SnapshotInfo that no scan of an older Milvus meets."""
        return self._root("milvus-restore/snapshot", collection, snapshot)

    def own_snapshots(self, *ids: int) -> str:
        """The prefix of such snapshots, narrowed by collection."""
        return self._root("milvus-restore/snapshot", *ids, "")

    def snapshot_creation(self, collection: int, name: str) -> str:
        """The key that says who makes a snapshot of this name; gone when it is made."""
        return self._root("milvus-restore/snapshot-creation", collection, name)

    # RootCoord's catalog.

    def database(self, database: int) -> str:
        """The key of an etcd.DatabaseInfo."""
        return self._meta("root-coord/database/db-info", database)

    @property
    def databases(self) -> str:
        """The prefix of databases; the default one may have no record."""
        return self._meta("root-coord/database/db-info", "")

    def collection(self, database: int, collection: int) -> str:
        """The key of an etcd.CollectionInfo."""
        return self._meta("root-coord/database/collection-info", database, collection)

    def collections(self, database: int) -> str:
        """The prefix of a database's collections."""
        return self._meta("root-coord/database/collection-info", database, "")

    def legacy_collection(self, collection: int) -> str:
        """The key of an etcd.CollectionInfo from before databases; it is of the default one."""
        return self._meta("root-coord/collection", collection)

    @property
    def legacy_collections(self) -> str:
        """The prefix of collections from before databases."""
        return self._meta("root-coord/collection", "")

    def partition(self, collection: int, partition: int) -> str:
        """The key of an etcd.PartitionInfo."""
        return self._meta("root-coord/partitions", collection, partition)

    def partitions(self, collection: int) -> str:
        """The prefix of a collection's partitions."""
        return self._meta("root-coord/partitions", collection, "")

    def field(self, collection: int, field: int) -> str:
        """The key of a schema.FieldSchema."""
        return self._meta("root-coord/fields", collection, field)

    def fields(self, collection: int) -> str:
        """The prefix of a collection's fields."""
        return self._meta("root-coord/fields", collection, "")

    def struct_array_field(self, collection: int, field: int) -> str:
        """The key of a schema.StructArrayFieldSchema."""
        return self._meta("root-coord/struct-array-fields", collection, field)

    def struct_array_fields(self, collection: int) -> str:
        """The prefix of a collection's struct array fields."""
        return self._meta("root-coord/struct-array-fields", collection, "")

    def function(self, collection: int, function: int) -> str:
        """The key of a schema.FunctionSchema."""
        return self._meta("root-coord/functions", collection, function)

    def functions(self, collection: int) -> str:
        """The prefix of a collection's functions."""
        return self._meta("root-coord/functions", collection, "")

    def alias(self, database: int, alias: str) -> str:
        """The key of an etcd.AliasInfo."""
        return self._meta("root-coord/database/aliases", database, alias)

    def aliases(self, database: int) -> str:
        """The prefix of a database's aliases."""
        return self._meta("root-coord/database/aliases", database, "")

    # The cluster's own.

    def session(self, role: str) -> str:
        """The key of a coordinator's session: JSON text that tells its address, gone when it dies."""
        return self._meta("session", role)

    @property
    def timestamp(self) -> str:
        """The key of the clock's high-water mark: Unix nanoseconds as 8 bytes, big-endian."""
        return self._root("kv/gid/timestamp")

    # Ours.

    def reservation(self, collection: int) -> str:
        """The key that says which restore owns a target collection."""
        return self._root("milvus-restore/reservation", collection)

    @property
    def reservations(self) -> str:
        """The prefix of reservations."""
        return self._root("milvus-restore/reservation", "")

    @property
    def id_counter(self) -> str:
        """The key of our own id allocator's next id."""
        return self._root("milvus-restore/id-counter")

    def _meta(self, folder: str, *parts: int | str) -> str:
        sub = self.meta_sub_path.strip("/")
        return self._root(f"{sub}/{folder}" if sub else folder, *parts)

    def _root(self, folder: str, *parts: int | str) -> str:
        root = self.root_path.strip("/")
        return "/".join(map(str, (root, folder, *parts) if root else (folder, *parts)))
