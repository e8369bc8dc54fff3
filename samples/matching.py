"""Which segment of the target is which of the source, by the log ids that a restore keeps."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from formats.proto.data_pb2 import FieldBinlog, SegmentInfo
from formats.proto.index_pb2 import SegmentIndex
from formats.segment import SegmentManifest
from samples.finding import Finding
from samples.stats_log import COMPOUND
from samples.world import World

SIDES = ("binlog", "statslog", "deltalog", "bm25log")
LOG_FOLDERS = ("insert_log", "stats_log", "delta_log", "bm25_stats")


@dataclass(frozen=True, slots=True)
class Match:
    """Source segment ids to target ones, and what stood in the way."""

    segments: Mapping[int, int]
    finding: Finding


def match_segments(world: World, manifests: Sequence[SegmentManifest], collection: int) -> Match:
    """Each source segment with the target segment that shares most of its logs, in records or objects.

    Log ids are unique in a sample, and a restore keeps them (segment-restore.md, section 2.2).
    """
    owners = {log: manifest.segment_id for manifest in manifests for log in _log_ids(manifest)}
    votes: dict[int, Counter[int]] = {}
    for segment, log in _evidence(world, collection):
        counted = votes.setdefault(segment, Counter())
        if log in owners:
            counted[owners[log]] += 1
    return _settled(votes, [manifest.segment_id for manifest in manifests])


def _settled(votes: Mapping[int, Counter[int]], sources: Sequence[int]) -> Match:
    claims: dict[int, list[int]] = {source: [] for source in sources}
    differences = []
    for segment, counted in sorted(votes.items()):
        if counted:
            claims[counted.most_common(1)[0][0]].append(segment)
        else:
            differences.append(f"segment {segment} has no log of the source")
    for source, segments in claims.items():
        if not segments:
            differences.append(f"source segment {source} has no counterpart")
        elif len(segments) > 1:
            differences.append(f"source segment {source} is there {len(segments)} times: {segments}")
    matched = {
        source: max(segments, key=lambda segment: votes[segment][source])
        for source, segments in claims.items()
        if segments
    }
    return Match(matched, Finding("segments", len(sources), len(matched), tuple(differences)))


def _log_ids(manifest: SegmentManifest) -> Iterator[int]:
    kinds = (manifest.binlog_files, manifest.statslog_files, manifest.deltalog_files)
    for field in (field for kind in kinds for field in kind):
        yield from (log.log_id for log in field.binlogs if log.log_id != COMPOUND)


def _evidence(world: World, collection: int) -> Iterator[tuple[int, int]]:
    """Every segment of the target that anything speaks of, with a log id, or 0 where there is none."""
    for kind in SIDES:
        for ids, field in world.messages(f"datacoord-meta/{kind}/{collection}", FieldBinlog, ids=3):
            yield from ((ids[1], log.logID) for log in field.binlogs)
    for ids, _ in world.messages(f"datacoord-meta/s/{collection}", SegmentInfo, ids=2):
        yield ids[1], 0
    for ids, _ in world.messages(f"segment-index/{collection}", SegmentIndex, ids=3):
        yield ids[1], 0
    for folder, *parts in world.paths():
        if folder in LOG_FOLDERS and parts[:1] == [str(collection)] and parts[2:3] and parts[2].isdecimal():
            yield int(parts[2]), int(parts[-1]) if parts[-1].isdecimal() else 0
