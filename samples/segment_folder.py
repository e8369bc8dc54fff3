"""A StorageV3 segment: all its files below one folder, which its own manifest names (section 1.5)."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence

from formats.segment import Binlog, FieldBinlog
from samples import schema
from samples.columns import Rows
from samples.draft import Draft
from samples.loon_manifest import Columns, Contents, container, plain
from samples.packed import FORMAT, ColumnGroup, column_groups, group_logs, packed_file

LOB_FORMAT = "vortex"
LOB_BYTES = 2_000


def folder_logs(draft: Draft, parts: Sequence[Rows]) -> tuple[FieldBinlog, ...]:
    """The insert logs as a snapshot may list them, which name no object; the files are in the draft."""
    for group in column_groups(draft.fields):
        files = {f"_data/{_name(draft)}.parquet": part for part in parts if part.count}
        for path, part in files.items():
            draft.put(f"insert_log/{draft.owner()}/{path}", packed_file(group, part))
        if files:
            rows = {path: part.count for path, part in files.items()}
            draft.columns.append(Columns(group.fields, rows, FORMAT))
    if draft.shape.large_text:
        draft.columns += _large_objects(draft, parts)
    return tuple(_listed(draft, group, parts) for group in column_groups(draft.fields) if parts)


def segment_pointer(draft: Draft) -> str:
    """What the snapshot's metadata says of where the manifest is, which is put with it; call this last."""
    base, version = f"insert_log/{draft.owner()}", 2 if draft.number % 2 == 0 else 1
    if version == 2:
        # What an index build or an earlier commit has left is the segment's as well.
        draft.put(f"{base}/_index/embedding_hnsw/{next(draft.ids)}/HNSW", draft.random_bytes(500))
        earlier = Contents(draft.columns[:1], {}, {})
        draft.put(f"{base}/_metadata/manifest-1.avro", plain(earlier, sized=False))
    draft.put(f"{base}/_metadata/manifest-{version}.avro", _manifest(draft, draft.shape.key(base)))
    return json.dumps({"ver": version, "base_path": draft.shape.key(base)}, separators=(",", ":"))


def packed_pointer(draft: Draft) -> str:
    """The key of a storage version 2 segment's manifest, put with it; every other segment has none."""
    if draft.number % 2 == 1 or not draft.objects:
        return ""
    names = {"columns": [group.fields for group in column_groups(draft.fields)]}
    return draft.put(f"insert_log/{draft.owner()}/_manifest/{next(draft.ids)}", json.dumps(names).encode())


def _large_objects(draft: Draft, parts: Sequence[Rows]) -> Iterator[Columns]:
    """Files beside the partition's segments, named by relative path or by full key."""
    for part in (part for part in parts if part.count):
        beside = f"lobs/{schema.MANUAL}/_data/{_name(draft)}.vx"
        folder = f"insert_log/{draft.shape.collection_id}/{draft.partition}"
        key = draft.put(f"{folder}/{beside}", draft.random_bytes(LOB_BYTES))
        path = f"../{beside}" if draft.number % 2 == 0 else key
        yield Columns((schema.MANUAL,), {path: part.count}, LOB_FORMAT)


def _listed(draft: Draft, group: ColumnGroup, parts: Sequence[Rows]) -> FieldBinlog:
    where = draft.shape.key(draft.log_folder("insert_log", group.group_id))

    def log(part: Rows) -> Binlog:
        log_id = next(draft.ids)
        return Binlog(
            entries_num=part.count,
            timestamp_from=part.span.first,
            timestamp_to=part.span.last,
            log_path=f"{where}/{log_id}",
            log_size=group.bytes_of(part),
            log_id=log_id,
            memory_size=group.bytes_of(part),
        )

    return group_logs(draft, group, map(log, parts))


def _manifest(draft: Draft, base: str) -> bytes:
    paths = [key.removeprefix(f"{base}/") for key in draft.objects if key.startswith(f"{base}/")]
    stats: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if path.startswith("_stats/"):
            stats[path.split("/")[1]].append(path)
    contents = Contents(draft.columns, {path: 1 for path in paths if path.startswith("_delta/")}, stats)
    if draft.oddity == "newer manifest":
        named = (path for columns in draft.columns for path in columns.files)
        return container(contents, [path for path in named if path.endswith(".vx")])
    return plain(contents, sized=draft.number % 4 < 2)


def _name(draft: Draft) -> str:
    return draft.random_bytes(16).hex()
