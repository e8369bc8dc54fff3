"""All segments of a snapshot, taken in one at a time (snapshot-format.md, section 1.3)."""

from collections.abc import Iterable

from formats.contradictions import require_consistent
from formats.errors import SnapshotCorrupt
from formats.metadata import manifest_keys, manifest_pointers
from formats.pointer import read_pointer
from formats.proto.data_pb2 import SnapshotMetadata
from formats.roots import SnapshotRoots
from formats.segment import SegmentManifest

_L0 = 1


class SegmentCensus:
    """Admits each segment that the metadata announces once, checked and complete; not thread-safe.

    Holds a few words per segment, so that 100,000 of them need no more than some megabytes.
    """

    def __init__(self, metadata: SnapshotMetadata, roots: SnapshotRoots) -> None:
        self._roots = roots
        self._expected = {each: roots.rebase(key) for each, key in manifest_keys(metadata).items()}
        self._pointers = manifest_pointers(metadata)
        self._partitions = frozenset(metadata.collection.partitions.values())
        self._channels = frozenset(metadata.collection.virtual_channel_names)
        self._admitted: set[int] = set()

    def admit(self, manifest: SegmentManifest) -> SegmentManifest:
        """Return the segment with its manifest_path and its paths rebased, once per segment.

        Raises SnapshotCorrupt, naming the manifest's key, when the metadata announces no such segment,
        it came before, it contradicts itself, or its partition or channel is not the collection's;
        UnsupportedFormat for a StorageV3 pointer with ver 0; InvalidRequest for a path outside its root.
        """
        key = self._enter(manifest.segment_id)
        require_consistent(manifest, key)
        self._require_home(manifest, key)
        pointer = self._pointers.get(manifest.segment_id, "")
        _require_pointer(manifest, pointer, key)
        return self._roots.settle(manifest.model_copy(update={"manifest_path": pointer}))

    def close(self) -> None:
        """Return when every announced segment was admitted; else SnapshotCorrupt naming one that was not."""
        missing = self._expected.keys() - self._admitted
        if missing:
            first = min(missing)
            raise SnapshotCorrupt(
                f"{self._expected[first]}: segment {first} was not read; expected "
                f"{len(self._expected)} segments, found {len(self._admitted)}"
            )

    def _enter(self, segment_id: int) -> str:
        key = self._expected.get(segment_id)
        if key is None:
            raise SnapshotCorrupt(
                f"segment {segment_id} is not one of the snapshot's {len(self._expected)} segments"
            )
        if segment_id in self._admitted:
            raise SnapshotCorrupt(f"{key}: segment {segment_id} was read twice")
        self._admitted.add(segment_id)
        return key

    def _require_home(self, manifest: SegmentManifest, key: str) -> None:
        # Deletes of a partition that is not the collection's, -1 among them, concern all of its partitions.
        if manifest.segment_level != _L0 and manifest.partition_id not in self._partitions:
            raise SnapshotCorrupt(
                f"{key}: partition_id: expected one of the collection's {_listed(self._partitions)}, "
                f"found {manifest.partition_id}"
            )
        if manifest.channel_name not in self._channels:
            raise SnapshotCorrupt(
                f"{key}: channel_name: expected one of the collection's {_listed(self._channels)}, "
                f"found {manifest.channel_name!r}"
            )


def _require_pointer(manifest: SegmentManifest, pointer: str, key: str) -> None:
    if manifest.storage_version == 0 and pointer:
        raise SnapshotCorrupt(
            f"{key}: storage_version 0 has no own manifest, but storagev2_manifest_list names {pointer!r}"
        )
    if manifest.storage_version == 3:
        if manifest.segment_level == _L0 and not pointer:
            return  # deletes only: its delta logs are all there is
        if not pointer:
            raise SnapshotCorrupt(
                f"{key}: storage_version 3: expected an entry in storagev2_manifest_list, found none"
            )
        read_pointer(pointer, manifest.segment_id)


def _listed(values: Iterable[int] | Iterable[str], limit: int = 8) -> str:
    in_order = sorted(str(value) for value in values)
    more = f" and {len(in_order) - limit} more" if len(in_order) > limit else ""
    return f"[{', '.join(in_order[:limit])}{more}]"
