"""Whatever a snapshot holds, and wherever it lies: restored by the real activities, audited from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.client import Client

from restore.profiles import EtcdSettings, Profile, S3Settings
from restore.settings import Settings
from samples.export import export_sample, move_bundle
from samples.shape import BORN_MS, SampleShape
from samples.snapshot import WrittenSample, snapshot_files, write_sample
from stores.memory import MemoryMetadataStore
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location
from tests.activities.scene import Scene, SharedClients
from tests.audit.auditor import Audit, State
from tests.fidelity.tampering import twice
from tests.samples.bucket_twin import BucketTwin
from tests.samples.test_any_snapshot import ROOTS, SHAPES

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

HOME, ORIGIN = "home", "origin"
EXPORT, ARCHIVE = "backups/4f0c", "archive"
Layout = Literal["referenced", "bundle", "moved bundle"]


@dataclass(frozen=True)
class Case:
    """`partitions` are some of the shape's, None for all; `apart` is a server of the source's own.

    With `twice` a referenced snapshot names everything again that it may.
    """

    shape: SampleShape
    layout: Layout
    root: str
    partitions: list[str] | None
    apart: bool
    twice: bool = False


@st.composite
def cases(draw: st.DrawFn) -> Case:
    born = draw(st.integers(10**12, BORN_MS))  # a snapshot from the future is refused
    shape = draw(SHAPES).model_copy(update={"born_ms": born})
    names = list(shape.partition_ids)
    return Case(
        shape=shape,
        layout=draw(st.sampled_from(["referenced", "bundle", "moved bundle"])),
        root=draw(ROOTS),
        partitions=draw(st.none() | st.lists(st.sampled_from(names), min_size=1, unique=True)),
        apart=draw(st.booleans()),
        twice=draw(st.booleans()),
    )


def laid_out(case: Case) -> tuple[WrittenSample, dict[str, bytes]]:
    """The snapshot and the objects that are there with it."""
    twin = BucketTwin()
    written = write_sample(twin.client, ORIGIN, case.shape)
    if case.layout == "referenced" and case.twice:
        twin.objects |= snapshot_files(case.shape, [twice(each) for each in written.manifests])
    if case.layout != "referenced":
        written = export_sample(twin.client, written, ORIGIN, EXPORT)
    if case.layout == "moved bundle":
        written = move_bundle(twin.client, written, EXPORT, ORIGIN, ARCHIVE)
    return written, {key: twin.objects[key] for key in written.digests}


def memory_scene(case: Case, written: WrittenSample, source: MemoryObjectStore, temporal: Client) -> Scene:
    """An empty target in memory, and the source's store beside it or apart from it."""
    home = MemoryObjectStore(HOME, endpoint="memory://home", beside=None if case.apart else source)
    home.add_bucket(HOME)
    places = {"default": (HOME, case.root), "origin": (ORIGIN, case.shape.root)}
    profiles = {
        name: Profile(name=name, s3=S3Settings(bucket=bucket, root_path=root), etcd=EtcdSettings())
        for name, (bucket, root) in places.items()
    }
    clients = SharedClients(
        Settings(task_queue="none", profiles=profiles), {"default": home, "origin": source}
    )
    metadata = MemoryMetadataStore()
    clients.metadata_stores["default"] = metadata
    return Scene(clients, cast("S3Client", None), metadata, written, temporal)


def state(store: MemoryObjectStore, bucket: str, records: Mapping[str, bytes]) -> State:
    keys = frozenset(each.key for each in store.scan(bucket, ""))
    return State(keys, lambda key: store.get(Location(bucket, key)), records)


def destination(scene: Scene) -> State:
    records = {each.key: each.value for each in scene.metadata.scan("")}
    return state(cast("MemoryObjectStore", scene.clients.objects("default")), HOME, records)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(case=cases())
async def test_every_object_and_record_is_as_a_reader_of_its_own_expects(
    temporal: Client, case: Case
) -> None:
    source = MemoryObjectStore(ORIGIN, endpoint="memory://origin")
    written, objects = laid_out(case)
    for key, body in objects.items():
        source.put(Location(ORIGIN, key), body)
    scene = memory_scene(case, written, source, temporal)
    before = destination(scene)

    chosen = {} if case.partitions is None else {"partitions": case.partitions}
    await scene.finish(snapshot=written.uri, **chosen)

    audit = Audit(
        source=state(source, ORIGIN, {}),
        before=before,
        after=destination(scene),
        meta=f"{scene.root}/meta",
        root=f"{case.root}/" if case.root else "",
    )
    assert audit.differences(written.key, scene.collection, case.partitions) == []
    scene.clients.close()
