"""An independent proof of a restore: every object and record compared with what the snapshot asks for.

Nothing of the product's path, key or record building is used here; only its protobuf classes are.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

from formats.segment import SegmentManifest
from samples.builds import SegmentBuilds, new_builds, read_builds
from samples.catalog import META
from samples.destination import Destination, read_destination
from samples.finding import Finding
from samples.job_proof import job_completed, job_records
from samples.matching import match_segments
from samples.object_proof import (
    objects_beyond,
    objects_identical,
    objects_in_place,
    objects_unchanged,
    target_objects,
)
from samples.record_proof import Placed, expected_records, records_beyond, records_right, records_unchanged
from samples.records import Placement
from samples.rewritten import rewritten_logs
from samples.snapshot import WrittenSample
from samples.world import Scan, World, digests, read_world

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_L0 = 1


@dataclass(frozen=True, slots=True)
class Proof:
    """The lines of a proof; as a rich renderable it is their table."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True when every line holds."""
        return all(finding.ok for finding in self.findings)

    @property
    def rows(self) -> list[tuple[str, int, int, bool]]:
        """Each line as (what, expected, found, ok)."""
        return [(each.what, each.expected, each.found, each.ok) for each in self.findings]

    @property
    def differences(self) -> list[str]:
        """Each difference as a sentence that begins with the line it is of."""
        return [f"{each.what}: {difference}" for each in self.findings for difference in each.differences]

    def __rich__(self) -> Table:
        table = Table("What", title="Proof of the restore")
        table.add_column("Expected", justify="right")
        table.add_column("Found", justify="right")
        table.add_column("")
        for what, expected, found, ok in self.rows:
            table.add_row(
                what, f"{expected:,}", f"{found:,}", "[green]ok[/]" if ok else "[bold red]differs[/]"
            )
        return table


def prove(
    client: "S3Client",
    scan: Scan,
    written: WrittenSample,
    before: Mapping[str, bytes],
    *,
    collection_id: int,
    bucket: str | None = None,
    root: str | None = None,
    meta: str = META,
    source: "S3Client | None" = None,
    rewritten: bool = False,
) -> Proof:
    """Whether the sample is restored into the collection, object by object and record by record.

    `scan(prefix)` gives etcd's keys and values; `before` is all below `{meta}/` as it was when the restore
    began, the empty target's records included. Bucket and root are the destination's, by default the
    source's own; `source` is a client of the source's store where that is another. `rewritten` tells that
    logs are to have the target's ids in their descriptors. KeyError when `before` lacks the collection.
    """
    place = (bucket or written.bucket, written.shape.root if root is None else root)
    after = read_world(client, scan, bucket=place[0], root=place[1], meta=meta)
    was = World(*place, meta, frozenset(), before)
    to = read_destination(was, collection_id)
    origin = source or client
    left = objects_unchanged(written.digests, digests(origin, written.bucket, written.digests))
    return Proof((*_findings(client, written, was, after, to, origin if rewritten else None), left))


def _findings(
    client: "S3Client",
    written: WrittenSample,
    before: World,
    after: World,
    to: Destination,
    rewritten_from: "S3Client | None",
) -> Iterator[Finding]:
    match = match_segments(after, written.manifests, written.keys, to.collection)
    placed = _placed(written, match.segments, after, to)
    yield match.finding
    yield from _object_findings(client, written, placed, after, to, rewritten_from)
    builds = {source: build for _, at in placed for source, build in at.builds.items()}
    yield new_builds(written.manifests, builds)
    jobs = job_records(before, after)
    rows = sum(manifest.num_of_rows for manifest in written.manifests)
    yield from _record_findings(placed, before, after, jobs)
    yield job_completed(jobs, written.shape, match.segments, rows, to)
    yield records_unchanged(before, after)


def _object_findings(
    client: "S3Client",
    written: WrittenSample,
    placed: Placed,
    after: World,
    to: Destination,
    rewritten_from: "S3Client | None",
) -> Iterator[Finding]:
    by_segment = [(at, target_objects(each, written.keys[each.segment_id], at)) for each, at in placed]
    expected = {target: source for _, objects in by_segment for target, source in objects.items()}
    found = digests(client, after.bucket, expected.keys() & after.keys)
    yield objects_in_place(expected, after, written.objects)
    logs = rewritten_logs(rewritten_from, written.bucket, by_segment) if rewritten_from else {}
    yield objects_identical(expected, {**written.digests, **logs}, found)
    own = written.digests if after.bucket == written.bucket else ()
    yield objects_beyond([*expected, *own], after, [at for _, at in placed], to)


def _record_findings(placed: Placed, before: World, after: World, jobs: Collection[str]) -> Iterator[Finding]:
    kinds = expected_records(placed)
    for what, expected in kinds.items():
        yield records_right(what, expected, after)
    yield records_beyond([*jobs, *(key for expected in kinds.values() for key in expected)], before, after)


def _placed(written: WrittenSample, segments: Mapping[int, int], after: World, to: Destination) -> Placed:
    """Each segment that has a counterpart with the place it must have, given the ids the restore chose."""
    builds = read_builds(after, to.collection)
    matched = [manifest for manifest in written.manifests if manifest.segment_id in segments]
    names = {number: name for name, number in written.shape.partition_ids.items()}
    partitions = {number: to.partitions[name] for number, name in names.items()}
    # Deletes of no partition of the collection are those of all of them.
    elsewhere = {each.partition_id for each in matched if each.segment_level == _L0} - partitions.keys()
    partitions |= dict.fromkeys(elsewhere, -1)
    return [
        (manifest, _placement(manifest, segment, partitions, builds[segment], after, to))
        for manifest, segment in ((each, segments[each.segment_id]) for each in matched)
    ]


def _placement(
    manifest: SegmentManifest,
    segment: int,
    partitions: Mapping[int, int],
    builds: SegmentBuilds,
    after: World,
    to: Destination,
) -> Placement:
    channel = to.channel(manifest.channel_name)
    return Placement(
        meta=after.meta,
        root=after.root,
        collection=to.collection,
        partition=partitions[manifest.partition_id],
        segment=segment,
        channel=channel,
        start=to.position(manifest.start_position, channel),
        dml=to.position(manifest.dml_position, channel),
        builds=builds.match(manifest, to),
        indexes=to.indexes,
    )
