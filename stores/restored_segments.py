"""What has become of restored segments: which are as they were published, and what may be missing.

A restored segment is one of three things (the fields of a living one: restore/drift.py):

- living: its records must all be there, and each object that they still name;
- released: Milvus dropped or compacted it away, or its partition or collection was dropped. The SegmentInfo
  says so (Dropped, or compacted); or it is gone, and another segment of the same partition and channel was
  compacted from it, or from one between them that is gone as well; or all records of a segment of deletes
  only are gone, since its deletes go into other segments. Nothing of a released segment is damage;
- lost: its SegmentInfo is gone, and nothing tells why. That is damage.

An index of a living segment is released when the collection no longer has it, or its build is marked deleted,
or gone while another is there; a text or JSON index when the SegmentInfo names another build for its field;
the folder of a StorageV3 segment when its pointer has moved on to a later version.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from formats.paths import relocate
from formats.pointer import read_pointer
from formats.proto import data_pb2, index_pb2
from formats.records import published_records
from formats.segment import IndexFiles, SegmentManifest, TextIndex
from formats.wire import decode
from restore.drift import Drift, build_drift, is_released, logs_drift, moved_on, segment_drift
from restore.plan import Plan, SegmentPlan
from restore.reproof import Finding
from stores.restored_collection import RestoredCollection

_L0 = 1
_V3 = 3


@dataclass(frozen=True)
class Judgement:
    """What has become of one segment: `records` were compared, objects in `released` may be missing."""

    findings: tuple[Finding, ...]
    records: int
    released: frozenset[str] = frozenset()


class RestoredSegments:
    """Judges the segments of one plan; `restored` has the ids of all of them."""

    def __init__(self, plan: Plan, now: RestoredCollection, restored: Collection[int]) -> None:
        self._plan = plan
        self._now = now
        self._restored = restored

    def judge(self, segment: SegmentPlan) -> Judgement:
        """Return what has become of the segment's records, and which of its objects are released."""
        move = self._plan.move(segment)
        planned = published_records(
            segment.source, segment.target, self._now.keys, lambda path: relocate(path, move)
        )
        key = self._now.keys.segment(*segment.target.ids)
        reason = self._release(segment, key, planned)
        if reason:
            finding = Finding(what="segment", name=key, verdict="changed since", reason=reason)
            objects = frozenset(each.target for each in self._plan.objects(segment))
            return Judgement((finding,), len(planned), objects)
        findings = tuple(self._compare(segment, planned))
        return Judgement(findings, len(planned), frozenset(self._superseded(segment, planned, key)))

    def _release(self, segment: SegmentPlan, key: str, planned: Mapping[str, bytes]) -> str | None:
        """Why nothing of the segment needs to be there; None when it lives or is lost."""
        collection, target = self._now.catalog, segment.target
        if collection is None:
            return "the collection was dropped"
        if target.partition_id >= 0 and target.partition_id not in collection.partitions.values():
            return "its partition was dropped"
        if key in self._now.values:
            info = decode(data_pb2.SegmentInfo, self._now.values[key], key)
            return "Milvus dropped it or compacted it away" if is_released(info) else None
        if segment.source.segment_level == _L0 and self._now.values.keys().isdisjoint(planned):
            return "its deletes went into other segments"
        heir = self._heir(segment)
        return f"it was compacted into segment {heir}" if heir else None

    def _heir(self, segment: SegmentPlan) -> int | None:
        target, there = segment.target, self._now.segments
        for info in there.values():
            beside = (info.partitionID, info.insert_channel) == (target.partition_id, target.channel)
            gone = [each for each in info.compactionFrom if each not in there]
            if beside and any(each == target.segment_id or each not in self._restored for each in gone):
                return info.ID
        return None

    def _compare(self, segment: SegmentPlan, planned: Mapping[str, bytes]) -> Iterator[Finding]:
        for key, value in planned.items():
            drift = self._drift(segment, key, value)
            if drift:
                yield Finding(what="record", name=key, verdict=drift.verdict, reason=drift.reason)

    def _drift(self, segment: SegmentPlan, key: str, planned: bytes) -> Drift | None:
        found = self._now.values.get(key)
        if key.startswith(self._now.keys.segment_indexes()):
            return build_drift(planned, found, key) if found else self._missing_build(planned, key)
        if found is None:
            return Drift(True, "it is gone")
        if key == self._now.keys.segment(*segment.target.ids):
            return segment_drift(planned, found, key)
        return logs_drift(planned, found, key)

    def _missing_build(self, planned: bytes, key: str) -> Drift:
        build = decode(index_pb2.SegmentIndex, planned, key)
        if build.indexID not in self._now.index_ids:
            return Drift(False, "the collection has its index no more")
        others = self._now.builds.get((build.segmentID, build.indexID))
        if others:
            return Drift(False, f"the index was built anew, by build {max(others)}")
        return Drift(True, "it is gone")

    def _superseded(self, segment: SegmentPlan, planned: Mapping[str, bytes], key: str) -> Iterator[str]:
        """The objects of a living segment that its records no longer name."""
        move, source = self._plan.move(segment), segment.source
        for index in source.index_files:
            if self._is_replaced(segment, index):
                yield from (relocate(path, move) for path in index.index_file_paths)
        if key not in self._now.values:
            return
        was, now = (decode(data_pb2.SegmentInfo, each[key], key) for each in (planned, self._now.values))
        if source.storage_version != _V3:
            paths = (path for stats in _replaced_stats(source, was, now) for path in stats.files)
            yield from (relocate(path, move) for path in paths)
        elif moved_on(was, now):
            folder = f"{read_pointer(now.manifest_path, now.ID).base_path}/"
            targets = (each.target for each in self._plan.objects(segment))
            yield from (target for target in targets if target.startswith(folder))

    def _is_replaced(self, segment: SegmentPlan, index: IndexFiles) -> bool:
        target = segment.target
        number, build = target.index_ids[index.index_name], target.builds[index.build_id]
        if number not in self._now.index_ids:
            return True
        there = self._now.builds.get((target.segment_id, number), set())
        found = self._now.values.get(self._now.keys.segment_index(*target.ids, build))
        return build not in there and (bool(there) or found is not None)


def _replaced_stats(
    source: SegmentManifest, was: data_pb2.SegmentInfo, now: data_pb2.SegmentInfo
) -> Iterator[TextIndex]:
    """The text and JSON indexes whose build the SegmentInfo no longer names."""
    for text in source.text_index_files:
        if was.textStatsLogs[text.field_id].buildID != now.textStatsLogs[text.field_id].buildID:
            yield text
    for json in source.json_key_index_files:
        if was.jsonKeyStats[json.field_id].buildID != now.jsonKeyStats[json.field_id].buildID:
            yield json
