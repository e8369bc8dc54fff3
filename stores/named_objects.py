"""What the committed snapshots of a cluster name, held against what is to be removed."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor

from formats.census import SegmentCensus
from formats.pointer import read_pointer
from formats.segment import SegmentManifest
from restore.plan import segment_objects
from stores.ports import ObjectStore
from stores.segment_trees import SegmentTrees
from stores.snapshots import OpenSnapshot

Doomed = dict[str, int]
"""Keys, and folders that end in '/', of what is to be removed: each with its owner's number."""


class NamedObjects:
    """Finds which owners of doomed places a snapshot names something of."""

    def __init__(self, bucket: str, doomed: Doomed) -> None:
        self._bucket = bucket
        self._doomed = doomed
        self._above: dict[str, int] = {
            folder: owner for place, owner in doomed.items() for folder in _folders(place)
        }

    def owners(self, snapshot: OpenSnapshot, objects: ObjectStore, threads: Executor) -> set[int]:
        """Return the owners that it names something of; its own files count, too.

        Raises what reading it raises: a snapshot that cannot be read may name anything.
        """
        found = self._among([snapshot.at.key, *snapshot.roots.manifest_keys(snapshot.metadata)])
        census, trees = (
            SegmentCensus(snapshot.metadata, snapshot.roots),
            SegmentTrees(objects, snapshot.at.bucket),
        )
        for manifest in snapshot.manifests(objects, threads):
            found |= self._among(_places(census.admit(manifest), trees))
        census.close()
        return found if snapshot.at.bucket == self._bucket else set()

    def _among(self, places: Iterable[str]) -> set[int]:
        return {owner for place in places for owner in self._owners(place)}

    def _owners(self, place: str) -> Iterator[int]:
        """Owners of the place itself, of a folder around it, or of something within it."""
        for each in (place, *_folders(place)):
            if each in self._doomed:
                yield self._doomed[each]
        if place in self._above:
            yield self._above[place]


def _places(manifest: SegmentManifest, trees: SegmentTrees) -> Iterator[str]:
    for _, key, _ in segment_objects(manifest, trees.look(manifest)):
        yield key
    if manifest.storage_version == 3 and manifest.manifest_path:
        yield f"{read_pointer(manifest.manifest_path, manifest.segment_id).base_path}/"


def _folders(place: str) -> Iterator[str]:
    """Every folder above a key or folder, each with its slash."""
    parts = place.rstrip("/").split("/")[:-1]
    for length in range(1, len(parts) + 1):
        yield "/".join(parts[:length]) + "/"
