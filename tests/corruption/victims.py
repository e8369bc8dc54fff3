"""Which object of a sample is damaged, and which other one it is exchanged with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

from formats.pointer import read_pointer
from formats.segment import FieldBinlog
from samples import schema
from samples.snapshot import WrittenSample, manifest_key

Kind = Literal[
    "metadata JSON",
    "segment manifest",
    "insert log",
    "delta log",
    "stats log",
    "BM25 log",
    "vector index",
    "scalar index",
    "text index",
    "JSON index",
    "StorageV3 manifest",
    "StorageV3 file",
    "large object",
    "plan chunk",
]
STRUCTURED: Final[tuple[Kind, ...]] = ("metadata JSON", "segment manifest", "StorageV3 manifest")
"""Files that are read: what a flipped byte in one means depends on the byte."""

_VECTOR: Final = schema.INDEXES[schema.EMBEDDING_INDEX].name

Groups = Sequence[Sequence[str]]
"""Keys of one kind, together where only their sizes' sum is recorded."""


@dataclass(frozen=True)
class Victim:
    """An object's key and its sibling's."""

    key: str
    sibling: str


def victims(written: WrittenSample, sizes: Mapping[str, int]) -> dict[Kind, Victim]:
    """One of each kind but the plan's chunk, which is not there yet.

    The sibling is the one that is hardest to tell: of the same build, or of the same size.
    """
    return {kind: _victim(groups, sizes, written.digests) for kind, groups in _groups(written).items()}


def _victim(groups: Groups, sizes: Mapping[str, int], digests: Mapping[str, str]) -> Victim:
    def others(keys: Iterable[str]) -> list[Victim]:
        return [Victim(one, two) for one, two in combinations(keys, 2) if digests[one] != digests[two]]

    together = [victim for group in groups for victim in others(group)]
    apart = others(key for group in groups for key in group)
    alike = [each for each in apart if sizes[each.key] == sizes[each.sibling]]
    return (together or alike or apart)[0]


def _groups(written: WrittenSample) -> dict[Kind, Groups]:
    plain = [each for each in written.manifests if each.storage_version == 0]
    flat = [each for each in written.manifests if each.storage_version != 3]
    builds = [index for each in plain for index in each.index_files if index.index_file_paths]
    return {
        "metadata JSON": [[written.key, _a_manifest(written, 0)]],
        "segment manifest": [[_a_manifest(written, number)] for number in range(2)],
        "insert log": _each(_logs(each.binlog_files for each in plain)),
        "delta log": _each(_logs(each.deltalog_files for each in written.manifests)),
        "stats log": _each(_logs(each.statslog_files for each in flat)),
        "BM25 log": _each(_logs(each.bm25_statslog_files for each in flat)),
        "vector index": [each.index_file_paths for each in builds if each.index_name == _VECTOR],
        "scalar index": [each.index_file_paths for each in builds if each.index_name != _VECTOR],
        "text index": [text.files for each in plain for text in each.text_index_files],
        "JSON index": [json.files for each in plain for json in each.json_key_index_files],
        **_foldered(written),
    }


def _foldered(written: WrittenSample) -> dict[Kind, Groups]:
    segment = next(each for each in written.manifests if each.storage_version == 3)
    pointer = read_pointer(segment.manifest_path, segment.segment_id)
    keys = written.keys[segment.segment_id]
    earlier = [key for key in keys if "/_metadata/" in key and key != pointer.manifest_key]
    return {
        "StorageV3 manifest": [[pointer.manifest_key, *earlier]],
        "StorageV3 file": [[key for key in keys if "/_data/" in key and "/lobs/" not in key]],
        "large object": _each(key for key in written.digests if "/lobs/" in key),
    }


def _a_manifest(written: WrittenSample, number: int) -> str:
    return manifest_key(written.shape, written.manifests[number].segment_id)


def _logs(kinds: "Iterator[tuple[FieldBinlog, ...]]") -> Iterator[str]:
    return (log.log_path for fields in kinds for field in fields for log in field.binlogs)


def _each(keys: Iterator[str]) -> Groups:
    return [[key] for key in keys]
