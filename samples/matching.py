"""Which segment of the target is which of the source, by what a restore keeps."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from formats.proto.data_pb2 import FieldBinlog, SegmentInfo
from formats.proto.index_pb2 import SegmentIndex
from formats.segment import SegmentManifest
from samples.finding import Finding
from samples.world import World

SIDES = ("binlog", "statslog", "deltalog", "bm25log")
LOG_FOLDERS = ("insert_log", "stats_log", "delta_log", "bm25_stats")


@dataclass(frozen=True, slots=True)
class Match:
    """Source segment ids to target ones, and what stood in the way."""

    segments: Mapping[int, int]
    finding: Finding


def match_segments(
    world: World, manifests: Sequence[SegmentManifest], keys: Mapping[int, Sequence[str]], collection: int
) -> Match:
    """Each source segment with the target segment that shares most of its marks, in records or objects.

    Marks are what a restore keeps and no other segment of the sample has: log ids, file names, and the
    time of the first row (segment-restore.md, sections 2.2 and 3.1). `keys` are the objects of each.
    """
    owners = _owners({each.segment_id: set(_marks(each, keys[each.segment_id])) for each in manifests})
    votes: dict[int, Counter[int]] = {}
    for segment, mark in _evidence(world, collection):
        counted = votes.setdefault(segment, Counter())
        if mark in owners:
            counted[owners[mark]] += 1
    return _settled(votes, [manifest.segment_id for manifest in manifests])


def _owners(marks: Mapping[int, set[str]]) -> dict[str, int]:
    times_used = Counter(mark for each in marks.values() for mark in each)
    return {mark: segment for segment, each in marks.items() for mark in each if times_used[mark] == 1}


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


def _marks(manifest: SegmentManifest, keys: Sequence[str]) -> Iterator[str]:
    kinds = (manifest.binlog_files, manifest.statslog_files, manifest.deltalog_files)
    for field in (field for kind in kinds for field in kind):
        yield from (str(log.log_id) for log in field.binlogs)
    for key in keys:
        if f"/{manifest.segment_id}/_" in key:
            yield key.rpartition("/")[2]
    yield _begun(manifest.start_position.timestamp)


def _begun(timestamp: int) -> str:
    return f"begun at {timestamp}"


def _evidence(world: World, collection: int) -> Iterator[tuple[int, str]]:
    """Every segment of the target that anything speaks of, with a mark, or '' where there is none."""
    for kind in SIDES:
        for ids, field in world.messages(f"datacoord-meta/{kind}/{collection}", FieldBinlog, ids=3):
            yield from ((ids[1], str(log.logID)) for log in field.binlogs)
    for ids, info in world.messages(f"datacoord-meta/s/{collection}", SegmentInfo, ids=2):
        yield ids[1], _begun(info.start_position.timestamp)
    for ids, _ in world.messages(f"segment-index/{collection}", SegmentIndex, ids=3):
        yield ids[1], ""
    for folder, *parts in world.paths():
        if folder in LOG_FOLDERS and parts[:1] == [str(collection)] and parts[2:3] and parts[2].isdecimal():
            yield int(parts[2]), parts[-1]
