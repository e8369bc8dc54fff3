"""The plan of a restore: everything that it will do, decided once and stored beside its data.

A plan is one header object and many chunk objects, each a gzipped JSON document under
`{root}/restores/{job_id}/`. Histories carry only a PlanRef and task numbers (architecture, decisions
2 and 3). Sizes are in bytes, ids are Milvus's 64-bit ids, `created_at` is Unix seconds.
"""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Literal

from formats.model import Model
from formats.paths import Relocation, relocate
from formats.records import SegmentTarget
from formats.segment import FieldBinlog, SegmentManifest
from restore.recorded_sizes import built_bytes, doubtful_logs
from restore.request import RestoreRequest
from restore.seal import SealedObject
from restore.source_objects import FoundObject, Kind, SnapshotFile, SourceObject

Named = tuple[Kind, str, int | None]
"""Kind, source key, and bytes as recorded or None."""

_V3 = 3


class PlannedObject(SourceObject):
    """One object to copy, and where to."""

    target: str


class ListedObject(Model):
    """An object of a StorageV3 segment as it was listed when the restore was planned; size in bytes."""

    kind: Kind
    key: str
    size: int


class SegmentTree(Model):
    """All that lies below a StorageV3 segment's folder, and the large objects that it owns.

    `named` is False when the segment's own manifest has a layout that is not known: then nothing tells
    whether the listing is complete.
    """

    objects: tuple[ListedObject, ...] = ()
    named: bool = True


class SegmentPlan(Model):
    """One segment: what its manifest says, where it goes, and what its objects must be.

    That is told by the snapshot's seal, else by what planning found; `file` is the manifest itself. Plans of
    old have neither `found` nor `file`.
    """

    source: SegmentManifest
    target: SegmentTarget
    tree: SegmentTree = SegmentTree()
    sealed: tuple[SealedObject, ...] = ()
    found: tuple[FoundObject, ...] = ()
    file: SnapshotFile | None = None

    def objects(self) -> Iterator[SourceObject]:
        """Yield every object of the segment once, in manifest order, with all that is known of it."""
        found = {each.key: each for each in self.found}
        sealed = {each.key: each for each in self.sealed}
        for kind, key, size in self.named_objects():
            if seal := sealed.get(key):
                yield SourceObject(kind=kind, source=key, size=seal.size, etag=seal.etag, sha256=seal.sha256)
            elif there := found.get(key):
                yield SourceObject(kind=kind, source=key, size=there.size, etag=there.etag)
            else:
                yield SourceObject(kind=kind, source=key, size=size)

    def named_objects(self) -> Iterator[Named]:
        """Yield (kind, source key, recorded bytes or None) for each object of the segment, once each."""
        return segment_objects(self.source, self.tree)

    @property
    def bytes(self) -> int:
        """Bytes as recorded and listed, each object once; index sizes are of the build, not the files."""
        return sum(size or 0 for _, _, size in self.named_objects()) + built_bytes(self.source)


class Chunk(Model):
    """Some consecutive segments of the plan."""

    segments: tuple[SegmentPlan, ...]


class ChunkEntry(Model):
    """Where a chunk lies and what it holds; `digest` is the SHA-256 of the stored object."""

    key: str
    digest: str
    segments: int
    rows: int
    objects: int
    bytes: int


class SnapshotSource(Model):
    """The snapshot a plan was made from; `root` is the folder that holds its data files.

    `seal` is the SHA-256 of the seal that the snapshot was held against, '' where there is none.
    """

    name: str
    id: int
    collection_id: int
    collection: str
    bucket: str
    key: str
    root: str
    etag: str
    format_version: int
    seal: str = ""

    @property
    def uri(self) -> str:
        """The metadata JSON's URI."""
        return f"s3://{self.bucket}/{self.key}"


class Target(Model):
    """The collection a restore goes to, and the roots it is written under."""

    database: str
    collection: str
    collection_id: int
    bucket: str
    root: str
    root_path: str
    meta_sub_path: str
    partitions: dict[str, int]


class Plan(Model):
    """The plan's header: a task is one or more consecutive chunks.

    `newest` is the newest timestamp of anything that is restored, hybrid; `warnings` are for people.
    """

    version: Literal[1] = 1
    job_id: int
    created_at: int
    request: RestoreRequest
    snapshot: SnapshotSource
    target: Target
    tasks: tuple[tuple[ChunkEntry, ...], ...]
    task_ids: tuple[int, ...] = ()
    newest: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def chunks(self) -> Iterator[ChunkEntry]:
        """All chunks in order."""
        return (chunk for task in self.tasks for chunk in task)

    def move(self, segment: SegmentPlan) -> Relocation:
        """How the paths of a segment change."""
        target = segment.target
        return Relocation(
            source_root=self.snapshot.root,
            target_root=self.target.root,
            collection_id=target.collection_id,
            partition_id=target.partition_id,
            segment_id=target.segment_id,
            builds=target.builds,
        )

    def objects(self, segment: SegmentPlan) -> Iterator[PlannedObject]:
        """Every object of a segment once, in manifest order."""
        move = self.move(segment)
        for each in segment.objects():
            yield PlannedObject(
                kind=each.kind,
                source=each.source,
                target=relocate(each.source, move),
                size=each.size,
                etag=each.etag,
                sha256=each.sha256,
            )


class PlanRef(Model):
    """A plan by reference, with the totals and warnings that people see.

    `job_id` and `collection_id` are text: JSON readers round numbers above 2^53. `request` is that of a run
    which goes on with a kept plan: what it asks for wins over what was asked for when the plan was made.
    """

    job_id: str
    collection_id: str
    snapshot_name: str
    profile: str
    bucket: str
    key: str
    digest: str
    tasks: int
    segments: int
    rows: int
    objects: int
    bytes: int
    warnings: tuple[str, ...] = ()
    request: RestoreRequest | None = None


def segment_objects(manifest: SegmentManifest, tree: SegmentTree) -> Iterator[Named]:
    """Yield (kind, source key, recorded bytes or None) for each object of a segment, once each."""
    listed = ((each.kind, each.key, each.size) for each in tree.objects)
    seen: set[str] = set()
    for each in chain(named_objects(manifest), listed):
        if each[1] not in seen:
            seen.add(each[1])
            yield each


def named_objects(manifest: SegmentManifest) -> Iterator[Named]:
    """Yield (kind, source key, recorded bytes or None) for each object a manifest names, once each.

    Of StorageV3, insert logs, text and JSON indexes are not among them: they lie below the segment's
    folder, and what is recorded of them may name no object (segment-restore.md, section 2.1).
    """
    seen: set[str] = set()
    for each in _named(manifest):
        if each[1] and each[1] not in seen:
            seen.add(each[1])
            yield each


def _named(manifest: SegmentManifest) -> Iterator[Named]:
    doubtful = {log.key for log in doubtful_logs(manifest)}
    if manifest.storage_version != _V3:
        yield from _logs("insert", manifest.binlog_files, doubtful)
        yield from _flat(manifest)
    yield from _logs("stats", manifest.statslog_files)
    yield from _logs("delta", manifest.deltalog_files, doubtful)
    yield from _logs("bm25", manifest.bm25_statslog_files)
    for index in manifest.index_files:
        yield from (("index", path, None) for path in index.index_file_paths)


def _flat(manifest: SegmentManifest) -> Iterator[Named]:
    for text in manifest.text_index_files:
        yield from (("text", path, None) for path in text.files)
    for json in manifest.json_key_index_files:
        yield from (("json", path, None) for path in json.files)
    yield "manifest", manifest.manifest_path, None


def _logs(kind: Kind, fields: tuple[FieldBinlog, ...], doubtful: Collection[str] = ()) -> Iterator[Named]:
    for log in (log for field in fields for log in field.binlogs):
        yield kind, log.log_path, None if log.log_path in doubtful else log.log_size or None
