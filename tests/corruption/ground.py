"""Whole restores of one sample, whose objects are damaged before a restore or once its plan is stored."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from unittest.mock import patch

from temporalio.client import Client

from formats.manifest import decode_manifest
from formats.pointer import read_pointer
from formats.segment import SegmentManifest
from restore.plan import Plan, PlanRef
from restore.seal import seal_key
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from samples.world import digests
from stores.clients import Clients
from stores.ports import Location
from stores.sealing import Sealer
from stores.snapshots import open_snapshot
from tests.corruption.victims import Kind, Victim, victims
from tests.e2e.deployment import Deployment, listed
from tests.fidelity.ground import Ground, grounded

SHAPE: Final = SampleShape(
    segments=6,
    l0_segments=1,
    partitions=2,
    megabytes=0.1,
    dim=4,
    storage_versions=(0, 2, 3),
    full_text=True,
    large_text=True,
)
"""Two segments of each storage version, and deletes of all partitions."""

SOURCE: Final = "source"


@contextmanager
def once_planned(clients: Clients, then: Callable[[PlanRef], None]) -> Iterator[None]:
    """Have this done in every restore as soon as its plan is stored."""
    archive = clients.archive("default")
    put = archive.put_plan

    def put_and_then(plan: Plan) -> PlanRef:
        ref = put(plan)
        then(ref)
        return ref

    with patch.object(archive, "put_plan", put_and_then):
        yield


@dataclass
class Bench:
    """A sample in the source's bucket, its target elsewhere.

    `whole` has the body of every victim, `seal` that of the snapshot's seal, which is not in its place.
    """

    ground: Ground
    written: WrittenSample
    victims: Mapping[Kind, Victim]
    seal: bytes
    whole: Mapping[str, bytes]

    @property
    def source(self) -> Deployment:
        return self.ground.source

    def body(self, key: str, at: Deployment | None = None) -> bytes:
        place = at or self.source
        return place.s3.get_object(Bucket=place.bucket, Key=key)["Body"].read()

    def put(self, key: str, body: bytes | None, at: Deployment | None = None) -> None:
        """Have this body at the key, or nothing."""
        place = at or self.source
        if body is None:
            place.s3.delete_object(Bucket=place.bucket, Key=key)
        else:
            place.s3.put_object(Bucket=place.bucket, Key=key, Body=body)

    def as_it_is(self) -> WrittenSample:
        """The sample as it now lies there, damage included: what a faithful restore restores."""
        found = digests(self.source.s3, self.written.bucket, list(self.written.digests))
        manifests = []
        for manifest in self.written.manifests:
            key = next(key for key in found if key.endswith(f"/{manifest.segment_id}.avro"))
            read = decode_manifest(self.body(key), format_version=SHAPE.format_version, key=key)
            manifests.append(read.model_copy(update={"manifest_path": manifest.manifest_path}))
        keys = {each.segment_id: self._owned(each) for each in manifests}
        objects = sum(map(len, keys.values()))
        return replace(self.written, digests=found, manifests=tuple(manifests), keys=keys, objects=objects)

    def _owned(self, manifest: SegmentManifest) -> tuple[str, ...]:
        """A segment's keys; of large objects those that its StorageV3 manifest, as it now is, names."""
        keys = self.written.keys[manifest.segment_id]
        if manifest.storage_version != 3 or not manifest.manifest_path:
            return keys
        named = self.body(read_pointer(manifest.manifest_path, manifest.segment_id).manifest_key)
        return tuple(key for key in keys if "/lobs/" not in key or key.rpartition("/")[2].encode() in named)

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Afterwards the source is whole again, and nothing of a restore is left."""
        before = listed(self.source.s3, self.source.bucket)
        try:
            yield
        finally:
            after = listed(self.source.s3, self.source.bucket)
            for key in {key for key, _ in before.items() ^ after.items()}:
                self.put(key, self.whole.get(key))
            self.ground.clear()

    def put_seal(self) -> None:
        """Have the snapshot sealed, as it was when it was good."""
        self.put(seal_key(self.written.key), self.seal)


@asynccontextmanager
async def bench(client: Client, servers: Mapping[str, str], folder: Path) -> AsyncIterator[Bench]:
    """A bench with a worker of its own; each segment is a chunk of the plan."""
    with patch("activities.planning.CHUNK_OBJECTS", 1):
        async with grounded(client, servers, folder, source_servers=servers) as ground:
            written = ground.sample(SHAPE)
            s3, bucket = ground.source.s3, written.bucket
            sizes = {key: int(state.split()[0]) for key, state in listed(s3, bucket).items()}
            chosen = victims(written, sizes)
            keys = {key for each in chosen.values() for key in (each.key, each.sibling)}
            whole = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
            yield Bench(ground, written, chosen, _sealed(ground, written), whole)


def _sealed(ground: Ground, written: WrittenSample) -> bytes:
    """The seal's body; it is taken away again."""
    clients, at = ground.clients, Location(written.bucket, seal_key(written.key))
    store, threads = clients.objects(SOURCE), clients.list_threads
    snapshot = open_snapshot(store, written.bucket, written.key)
    Sealer(store, snapshot, lists=threads, reads=clients.work_threads).seal()
    body = store.get(at)
    store.delete(at.bucket, [at.key])
    return body
