"""What a restore leaves in object storage: every object at its mapped path, its bytes, and no more.

Paths are composed here from ids (segment-restore.md, sections 2.2 and 3.5), not by replacing parts.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from formats.segment import FieldBinlog, SegmentManifest
from samples.destination import Destination
from samples.finding import Finding, absent, faultless
from samples.records import STORAGE_V3, Placement, below_field
from samples.world import World


def target_objects(manifest: SegmentManifest, keys: Iterable[str], at: Placement) -> dict[str, str]:
    """The source's key of every object by the key that it must have in the target.

    `keys` are those of all the segment's objects: of a StorageV3 one the manifest names only some.
    """
    if manifest.storage_version == STORAGE_V3:
        below = {at.key(target): key for target, key in _folder(manifest, keys, at)}
        manifest = _outside_folder(manifest)
    else:
        below = {at.key(target): key for target, key in _plain_manifest(manifest, at)}
    named = (*_logs(manifest, at), *_indexes(manifest, at), *_match_indexes(manifest, at))
    return {**below, **{at.key(target): key for target, key in named}}


def objects_in_place(expected: Mapping[str, str], world: World, total: int) -> Finding:
    """That each expected key exists; `total` counts the objects of unmatched segments as well."""
    missing = sorted(expected.keys() - world.keys)
    there = len(expected) - len(missing)
    return Finding("objects in place", total, there, tuple(f"{key} is missing" for key in missing))


def objects_identical(
    expected: Mapping[str, str], before: Mapping[str, str], found: Mapping[str, str]
) -> Finding:
    """That each object's SHA-256 is that of its source before the restore; one that is absent has none."""
    same = sum(found.get(target) == before[source] for target, source in expected.items())
    different = [key for key in sorted(found.keys() & expected.keys()) if found[key] != before[expected[key]]]
    differences = tuple(f"{key} differs from its source {expected[key]}" for key in different)
    return Finding("objects identical", len(expected), same, differences)


def objects_beyond(
    allowed: Collection[str], world: World, at: Sequence[Placement], to: Destination
) -> Finding:
    """That nothing but what is allowed lies at any place that belongs to the target."""
    owners = {str(each) for each in (*to.partitions.values(), *(place.segment for place in at))}
    builds = {str(build) for place in at for build in place.builds.values()}
    others = {key: world.path(key).split("/") for key in world.keys.difference(allowed)}
    strangers = sorted(
        key for key, parts in others.items() if _belongs(parts, str(to.collection), owners, builds)
    )
    return absent("objects beyond", (f"{key} is not of the snapshot" for key in strangers))


def objects_unchanged(before: Mapping[str, str], found: Mapping[str, str]) -> Finding:
    """That the source's objects and snapshot files are as they were."""
    faults = [
        f"source object {key} {'was changed' if key in found else 'is gone'}"
        for key in sorted(before)
        if found.get(key) != before[key]
    ]
    return faultless("source objects unchanged", len(before), faults)


def _logs(manifest: SegmentManifest, at: Placement) -> Iterator[tuple[str, str]]:
    folders: dict[str, tuple[FieldBinlog, ...]] = {
        "insert_log": manifest.binlog_files,
        "stats_log": manifest.statslog_files,
        "bm25_stats": manifest.bm25_statslog_files,
    }
    for folder, fields in folders.items():
        for field in fields:
            for log in field.binlogs:
                yield f"{folder}/{at.owner}/{field.field_id}/{log.log_id}", log.log_path
    # A StorageV3 segment's deletes lie below its folder, whichever segment wrote them.
    for log in (log for field in manifest.deltalog_files for log in field.binlogs):
        foldered = "/_delta/" in log.log_path
        where = f"insert_log/{at.owner}/_delta" if foldered else f"delta_log/{at.owner}"
        yield f"{where}/{log.log_id}", log.log_path


def _indexes(manifest: SegmentManifest, at: Placement) -> Iterator[tuple[str, str]]:
    for index in manifest.index_files:
        build, version = at.build(index.build_id), index.index_version
        build_rooted = f"index_files/{build}/{version}/{at.partition}/{at.segment}"
        collection_rooted = f"index_v1/{at.owner}/{build}/{version}"
        folder = collection_rooted if index.index_store_path_version else build_rooted
        for path in index.index_file_paths:
            yield f"{folder}/{path.rsplit('/', 1)[1]}", path


def _match_indexes(manifest: SegmentManifest, at: Placement) -> Iterator[tuple[str, str]]:
    for text in manifest.text_index_files:
        folder = f"text_log/{at.build(text.build_id)}/{text.version}/{at.owner}/{text.field_id}"
        for path in text.files:
            yield f"{folder}/{path.rsplit('/', 1)[1]}", path
    for json in manifest.json_key_index_files:
        data_format = json.json_key_stats_data_format
        kind = "json_key_index_log" if data_format < 2 else f"json_stats/{data_format}"
        folder = f"{kind}/{at.build(json.build_id)}/{json.version}/{at.owner}/{json.field_id}"
        for path in json.files:
            yield f"{folder}/{below_field(path, json.field_id)}", path


def _plain_manifest(manifest: SegmentManifest, at: Placement) -> Iterator[tuple[str, str]]:
    if manifest.manifest_path:
        below = manifest.manifest_path.split(f"/{manifest.segment_id}/", 1)[1]
        yield f"insert_log/{at.owner}/{below}", manifest.manifest_path


def _folder(manifest: SegmentManifest, keys: Iterable[str], at: Placement) -> Iterator[tuple[str, str]]:
    """What lies below the segment's own folder, and the large objects beside it."""
    for key in keys:
        _, found, path = key.partition("insert_log/")
        if found:
            _, _, owner, below = path.split("/", 3)
            if owner == "lobs":
                yield f"insert_log/{at.collection}/{at.partition}/lobs/{below}", key
            elif owner == str(manifest.segment_id):
                yield f"insert_log/{at.owner}/{below}", key


def _outside_folder(manifest: SegmentManifest) -> SegmentManifest:
    """The manifest with what it names elsewhere: indexes, and deletes of other segments."""
    own = f"/{manifest.partition_id}/{manifest.segment_id}/_"
    deltas = (
        field.model_copy(update={"binlogs": tuple(log for log in field.binlogs if own not in log.log_path)})
        for field in manifest.deltalog_files
    )
    nothing = ("binlog_files", "statslog_files", "bm25_statslog_files", "text_index_files")
    left_out: dict[str, object] = dict.fromkeys((*nothing, "json_key_index_files"), ())
    return manifest.model_copy(update={**left_out, "deltalog_files": tuple(deltas)})


def _belongs(parts: Sequence[str], collection: str, owners: set[str], builds: set[str]) -> bool:
    """True for a key where only the target's objects may be; `owners` are its partitions and segments."""
    kind, rest = parts[0], parts[2:] if parts[0] == "json_stats" else parts[1:]
    if kind in {"insert_log", "stats_log", "delta_log", "bm25_stats", "index_v1"}:
        return rest[:1] == [collection]
    if kind == "index_files":
        return not builds.isdisjoint(rest[:1]) or not owners.isdisjoint(rest[2:4])
    if kind in {"text_log", "json_key_index_log", "json_stats"}:
        return not builds.isdisjoint(rest[:1]) or rest[2:3] == [collection]
    return False
