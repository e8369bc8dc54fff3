"""Whether a restore left exactly what its snapshot asks for, read without a line of the product's code."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.audit.expectation import AT_RESTORE, Expectation
from tests.audit.paths import Move
from tests.audit.protobuf import message
from tests.audit.snapshot import Snapshot, read
from tests.audit.target import Target, read_target

COMPLETED = 3
HOUR = 3_600


@dataclass(frozen=True)
class State:
    """A bucket's keys and the reading of one, with etcd's records at that moment (none for a source)."""

    keys: frozenset[str]
    get: Callable[[str], bytes]
    records: Mapping[str, bytes]


@dataclass(frozen=True)
class Audit:
    """`before` and `after` are the destination's; `root` is '' or ends in a slash."""

    source: State
    before: State
    after: State
    meta: str
    root: str

    def differences(self, key: str, collection: int, partitions: Collection[str] | None = None) -> list[str]:
        """Each difference as a sentence, for a snapshot by its metadata's key; none when all is right.

        With `partitions` only these, and the deletes of all, are restored.
        """
        snapshot = read(self.source.get, key).of(partitions)
        target = read_target(self.before.records, self.meta, collection)
        return [*self._compare(snapshot, target)]

    def _compare(self, snapshot: Snapshot, target: Target) -> Iterator[str]:
        job = self._job()
        expected = list(self._expectations(snapshot, target, job))
        yield from self._objects(expected, job)
        yield from self._records(expected)
        yield from self._job_faults(job, snapshot, target, expected)
        yield from _build_faults(snapshot, expected)

    def _objects(self, expected: list[Expectation], job: Mapping[str, Any]) -> Iterator[str]:
        wanted = {
            target: source
            for each in expected
            for target, source in each.objects(self.source.keys, self.source.get).items()
        }
        own = f"{self.root}restores/{job['job_id']}/"
        new = {key for key in self.after.keys - self.before.keys if not key.startswith(own)}
        yield from (f"object {key} is missing" for key in sorted(wanted.keys() - self.after.keys))
        yield from (f"object {key} is nobody's" for key in sorted(new - wanted.keys()))
        yield from (f"object {key} is gone" for key in sorted(self.before.keys - self.after.keys))
        for key, source in wanted.items():
            if key in self.after.keys and self.after.get(key) != self.source.get(source):
                yield f"object {key} differs from {source}"

    def _records(self, expected: list[Expectation]) -> Iterator[str]:
        wanted = {key: record for each in expected for key, record in each.records().items()}
        new = {key for key in self._new_keys() if "/copy-segment-" not in key}
        yield from (f"record {key} is missing" for key in sorted(wanted.keys() - new))
        yield from (f"record {key} is nobody's" for key in sorted(new - wanted.keys()))
        for key in sorted(wanted.keys() & new):
            found = message(_kind(key), self.after.records[key])
            if "/segment-index/" in key:
                yield from (f"{key}: {fault}" for fault in _time_faults(found))
            yield from (f"{key}: {fault}" for fault in _differences(wanted[key], found))
        for key, value in self.before.records.items():
            if key.startswith(f"{self.meta}/") and self.after.records.get(key) != value:
                yield f"record {key} was changed"

    def _new_keys(self) -> set[str]:
        new = self.after.records.keys() - self.before.records.keys()
        return {key for key in new if key.startswith(f"{self.meta}/")}

    def _new(self, kind: str, of: str) -> list[dict[str, Any]]:
        keys = sorted(key for key in self._new_keys() if f"/{kind}/" in key)
        return [message(of, self.after.records[key]) for key in keys]

    def _job(self) -> dict[str, Any]:
        (job,) = self._new("copy-segment-job", "data.CopySegmentJob")
        return job

    def _job_faults(
        self, job: Mapping[str, Any], snapshot: Snapshot, target: Target, expected: list[Expectation]
    ) -> Iterator[str]:
        wanted = {
            "collection_id": target.collection,
            "state": COMPLETED,
            "options": [{"key": "copy_index", "value": "true"}, {"key": "source_type", "value": "snapshot"}],
            "total_segments": len(expected),
            "copied_segments": len(expected),
            "total_rows": sum(each.segment["num_of_rows"] for each in expected),
            "snapshot_name": snapshot.name,
            "source_collection_id": snapshot.collection,
            "id_mappings": sorted(_mapping(each) for each in expected),
        }
        found = {name: job.get(name, 0) for name in wanted} | {"id_mappings": _mappings([job])}
        yield from (f"job: {fault}" for fault in _differences(wanted, found))
        tasks = self._new("copy-segment-task", "data.CopySegmentTask")
        if _mappings(tasks) != wanted["id_mappings"]:
            yield f"the tasks map {_mappings(tasks)}, expected {wanted['id_mappings']}"
        for task in tasks:
            ended = {"job_id": job["job_id"], "collection_id": target.collection, "state": COMPLETED}
            found = {name: task.get(name) for name in (*ended, "reason")}
            yield from (f"task {task['task_id']}: {fault}" for fault in _differences(ended, found))

    def _expectations(
        self, snapshot: Snapshot, target: Target, job: Mapping[str, Any]
    ) -> Iterator[Expectation]:
        mappings = job.get("id_mappings", [])
        pairs = {each["source_segment_id"]: each["target_segment_id"] for each in mappings}
        if pairs.keys() != snapshot.segments.keys():
            raise ValueError(f"the job maps {sorted(pairs)}, the snapshot has {sorted(snapshot.segments)}")
        for number, segment in snapshot.segments.items():
            name = snapshot.partitions.get(segment["partition_id"])
            move = Move(
                source_root=snapshot.root,
                target_root=self.root,
                collection=target.collection,
                partition=target.partitions[name] if name else -1,
                segment=pairs[number],
                builds=self._builds(segment, pairs[number], target),
            )
            yield Expectation(segment, move, target, self.meta)

    def _builds(self, segment: Mapping[str, Any], number: int, target: Target) -> dict[int, int]:
        """The new ids of a segment's builds, as its records have them: by index name, or by field."""
        by_index, fields = {}, {}
        for key, value in self.after.records.items():
            if key.startswith(f"{self.meta}/segment-index/{target.collection}/") and f"/{number}/" in key:
                record = message("index.SegmentIndex", value)
                by_index[record["indexID"]] = record["buildID"]
            if key.startswith(f"{self.meta}/datacoord-meta/s/{target.collection}/") and key.endswith(
                f"/{number}"
            ):
                fields = message("data.SegmentInfo", value)
        found = {
            each["build_id"]: by_index.get(target.indexes[each["index_name"]], 0)
            for each in segment["index_files"]
        }
        kinds = {"text_index_files": "textStatsLogs", "json_key_index_files": "jsonKeyStats"}
        for kind, member in kinds.items():
            for each in segment[kind]:
                new = fields.get(member, {}).get(each["field_id"], {}).get("buildID", 0)
                found[each["stats"]["build_id"]] = new
        return {source: build for source, build in found.items() if source}


def _build_faults(snapshot: Snapshot, expected: list[Expectation]) -> Iterator[str]:
    """A build that is used twice, or is the source's own, has its files removed by a collector."""
    new = [build for each in expected for build in each.move.builds.values()]
    own = {source for each in expected for source in each.move.builds}
    if len(set(new)) != len(new) or own & {*new} or 0 in new:
        yield f"the builds of {snapshot.name} are not all new and different: {sorted(new)}"


def _kind(key: str) -> str:
    if "/segment-index/" in key:
        return "index.SegmentIndex"
    return "data.SegmentInfo" if "/datacoord-meta/s/" in key else "data.FieldBinlog"


def _time_faults(index: dict[str, Any]) -> Iterator[str]:
    """The times, which are taken out of the record, are Unix seconds of just now."""
    for name in AT_RESTORE:
        if abs(index.pop(name, 0) - time.time()) > HOUR:
            yield f"{name} is not now"


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*wanted, *found}):
        if wanted.get(name) != found.get(name):
            yield f"{name} is {found.get(name)!r}, expected {wanted.get(name)!r}"


def _mapping(each: Expectation) -> tuple[int, int, int]:
    return each.segment["segment_id"], each.move.segment, each.move.partition


def _mappings(records: list[dict[str, Any]] | list[Mapping[str, Any]]) -> list[tuple[int, ...]]:
    """What job or task records map, in order: source segment, target segment, target partition."""
    names = ("source_segment_id", "target_segment_id", "partition_id")
    found = (each for record in records for each in record.get("id_mappings", []))
    return sorted(tuple(each.get(name, 0) for name in names) for each in found)
