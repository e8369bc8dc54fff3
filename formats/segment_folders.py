"""Where a segment's objects lie, by ids alone (segment-restore.md, section 3.5)."""

from dataclasses import dataclass

from formats.errors import UnsupportedFormat

# The folder of index files, by index_store_path_version.
_INDEX_FOLDERS = ("index_files", "index_v1")
_JSON_STATS = 2
"""From this data format on a JSON index is JSON stats; before, it was a JSON key index."""


@dataclass(frozen=True, slots=True)
class SegmentFolders:
    """The places of one segment's objects below the root, which is '' for the bucket itself.

    `base` is a StorageV3 segment's own folder, '' for every other segment.
    """

    root: str
    collection: int
    partition: int
    segment: int
    base: str = ""

    @property
    def owner(self) -> str:
        """Collection, partition and segment, as they begin or end most paths."""
        return f"{self.collection}/{self.partition}/{self.segment}"

    def insert_log(self, field: int, log: int) -> str:
        """The key of an insert log; the field is a column group in packed storage."""
        return self._key(f"insert_log/{self.owner}/{field}/{log}")

    def stats_log(self, field: int, log: int) -> str:
        """The key of primary key statistics."""
        return self._key(f"stats_log/{self.owner}/{field}/{log}")

    def bm25_log(self, field: int, log: int) -> str:
        """The key of BM25 statistics."""
        return self._key(f"bm25_stats/{self.owner}/{field}/{log}")

    def delta_log(self, _field: int, log: int) -> str:
        """The key of a delta log, which has no field."""
        return self._key(f"delta_log/{self.owner}/{log}")

    def text_file(self, field: int, build: int, version: int, name: str) -> str:
        """The key of a text index file."""
        return self._key(f"text_log/{build}/{version}/{self.owner}/{field}/{name}")

    def json_file(self, field: int, build: int, version: int, data_format: int, name: str) -> str:
        """The key of a file of a JSON index, whose name may have folders."""
        if self.base:
            return f"{self.base}/_stats/json_stats.{field}/{name}"
        kind = f"json_stats/{data_format}" if data_format >= _JSON_STATS else "json_key_index_log"
        return self._key(f"{kind}/{build}/{version}/{self.owner}/{field}/{name}")

    def index_file(self, path_version: int, build: int, version: int, name: str) -> str:
        """The key of an index file; UnsupportedFormat for a path version that is not known."""
        if path_version not in range(len(_INDEX_FOLDERS)):
            raise UnsupportedFormat(
                f"build {build} of segment {self.segment}: index_store_path_version {path_version} is not 0 "
                "or 1; a newer milvus-restore may know it"
            )
        folder = _INDEX_FOLDERS[path_version]
        if path_version == 0:
            return self._key(f"{folder}/{build}/{version}/{self.partition}/{self.segment}/{name}")
        return self._key(f"{folder}/{self.owner}/{build}/{version}/{name}")

    def own_stats(self, kind: str, field: int, name: int | str) -> str:
        """The key of statistics in a StorageV3 segment's own folder."""
        return f"{self.base}/_stats/{kind}.{field}/{name}"

    def own_delta(self, log: int) -> str:
        """The key of a delta log in a StorageV3 segment's own folder."""
        return f"{self.base}/_delta/{log}"

    def _key(self, path: str) -> str:
        root = self.root.strip("/")
        return f"{root}/{path}" if root else path
