"""Whole restores of one sample, whose objects are damaged before a restore or once its plan is stored."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from unittest.mock import patch

from temporalio.client import Client

from formats.manifest import decode_manifest
from restore.plan import Plan, PlanRef
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from samples.world import digests
from stores.clients import Clients
from stores.sealing import Sealer
from stores.snapshots import open_snapshot
from tests.corruption.victims import Kind, Victim, victims
from tests.e2e.deployment import Deployment, listed
from tests.fidelity.ground import Ground, grounded

SHAPE: Final = SampleShape(
    segments=6,
    l0_segments=2,
    partitions=2,
    megabytes=0.1,
    dim=4,
    storage_versions=(0, 2, 3),
    full_text=True,
    large_text=True,
)
"""Two segments of each storage version, and deletes of one partition and of all."""

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
    """A sample in the source's bucket, its target elsewhere; `whole` has the body of every victim."""

    ground: Ground
    written: WrittenSample
    victims: Mapping[Kind, Victim]
    sealed: bool
    whole: dict[str, bytes] = field(default_factory=dict)

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
        return replace(self.written, digests=found, manifests=tuple(manifests))

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Afterwards the source is whole again, and nothing of a restore is left."""
        before = listed(self.source.s3, self.source.bucket)
        try:
            yield
        finally:
            after = listed(self.source.s3, self.source.bucket)
            for key in {key for key, _ in before.items() ^ after.items()}:
                self.put(key, self.whole[key])
            self.ground.clear()


@asynccontextmanager
async def bench(
    client: Client, servers: Mapping[str, str], folder: Path, *, sealed: bool
) -> AsyncIterator[Bench]:
    """A bench with a worker of its own; each segment is a chunk of the plan."""
    with patch("activities.planning.CHUNK_OBJECTS", 1):
        async with grounded(client, servers, folder, source_servers=servers) as ground:
            written = ground.sample(SHAPE)
            sizes = {key: int(it.split()[0]) for key, it in listed(ground.source.s3, written.bucket).items()}
            here = Bench(ground, written, victims(written, sizes), sealed)
            for victim in here.victims.values():
                here.whole |= {key: here.body(key) for key in (victim.key, victim.sibling)}
            if sealed:
                _seal(here)
            yield here


def _seal(here: Bench) -> None:
    clients = here.ground.clients
    store, threads = clients.objects(SOURCE), clients.list_threads
    snapshot = open_snapshot(store, here.written.bucket, here.written.key)
    Sealer(store, snapshot, lists=threads, reads=clients.work_threads).seal()
