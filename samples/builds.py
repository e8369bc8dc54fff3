"""Which build of the target is which of the source's, and that none is the source's own."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import eq

from formats.proto.data_pb2 import SegmentInfo
from formats.proto.index_pb2 import SegmentIndex
from formats.segment import IndexFiles, SegmentManifest
from samples.destination import Destination
from samples.finding import Finding
from samples.snapshot import build_ids
from samples.world import World


@dataclass(slots=True)
class SegmentBuilds:
    """The builds that a segment's records name: index records by build, text and JSON builds by field."""

    indexes: dict[int, SegmentIndex] = field(default_factory=dict)
    texts: dict[int, int] = field(default_factory=dict)
    jsons: dict[int, int] = field(default_factory=dict)

    def match(self, manifest: SegmentManifest, to: Destination) -> dict[int, int]:
        """The manifest's build ids to those in place; builds without a record are left out."""
        pairs = [
            *((each.build_id, self._most_like(each, to)) for each in manifest.index_files),
            *((each.build_id, self.texts.get(each.field_id)) for each in manifest.text_index_files),
            *((each.build_id, self.jsons.get(each.field_id)) for each in manifest.json_key_index_files),
        ]
        return {source: build for source, build in pairs if source and build is not None}

    def _most_like(self, index: IndexFiles, to: Destination) -> int | None:
        """The build whose record agrees in two of three, so that one wrong field can be named."""
        names = [path.rpartition("/")[2] for path in index.index_file_paths]
        wanted = (to.indexes.get(index.index_name), names, index.serialized_size)

        def likeness(build: int) -> int:
            record = self.indexes[build]
            found = (record.indexID, list(record.index_file_keys), record.serialize_size)
            return sum(map(eq, wanted, found))

        best = max(self.indexes, key=likeness, default=None)
        return best if best is not None and likeness(best) > 1 else None


def read_builds(world: World, collection: int) -> dict[int, SegmentBuilds]:
    """The builds of every segment of the collection that has a record."""
    found: dict[int, SegmentBuilds] = defaultdict(SegmentBuilds)
    for ids, index in world.messages(f"segment-index/{collection}", SegmentIndex, ids=3):
        found[ids[1]].indexes[ids[2]] = index
    for ids, segment in world.messages(f"datacoord-meta/s/{collection}", SegmentInfo, ids=2):
        found[ids[1]].texts = {number: each.buildID for number, each in segment.textStatsLogs.items()}
        found[ids[1]].jsons = {number: each.buildID for number, each in segment.jsonKeyStats.items()}
    return found


def new_builds(manifests: Sequence[SegmentManifest], matched: Mapping[int, int]) -> Finding:
    """That every build has a new id of its own: one in use twice lets a collector delete live files."""
    own = build_ids(manifests)
    uses = Counter(matched.values())
    differences = [f"source build {build} has no counterpart" for build in sorted(own - matched.keys())]
    for source, build in sorted(matched.items()):
        if build in own:
            differences.append(f"build {build}, for source build {source}, is one of the source's own")
        elif build == 0:
            differences.append(f"source build {source} has build id 0")
        elif uses[build] > 1:
            differences.append(f"build {build}, for source build {source}, stands for {uses[build]} builds")
    return Finding("new build ids", len(own), len(own) - len(differences), tuple(differences))
