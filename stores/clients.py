"""The stores of every profile, connected on first use and shared by all activities of a worker."""

import threading
from collections.abc import Callable
from typing import TypeVar

from formats.keys import MetaKeys
from restore.profiles import Profile
from restore.settings import Settings
from stores.ids import FIRST, LAST, IdAllocator, IdSource, Occupied
from stores.management import Management
from stores.metadata import EtcdMetadataStore
from stores.milvus import Milvus
from stores.milvus_ids import RootCoordIds, Taken
from stores.plan_archive import PlanArchive
from stores.ports import MetadataStore, ObjectStore
from stores.root_coord import RootCoord
from stores.s3 import S3ObjectStore
from stores.target_origins import TargetOrigins
from stores.threads import Threads

T = TypeVar("T")

COPY_THREADS = 32
"""Copies in flight per worker: more only queue at the interpreter's lock (benchmarks tell)."""

LIST_THREADS = 16
"""Listings in flight per worker; a pool of their own, since blocking work waits for them."""

WORK_THREADS = 64
"""Blocking work of activities, which mostly waits for a store."""


class Clients:
    """Connections by profile name; an unknown name is InvalidRequest."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], object] = {}
        self.copy_threads = Threads(COPY_THREADS, thread_name_prefix="copy")
        self.list_threads = Threads(LIST_THREADS, thread_name_prefix="list")
        self.work_threads = Threads(WORK_THREADS, thread_name_prefix="work")

    def profile(self, name: str) -> Profile:
        """The settings of a profile."""
        return self._settings.profile(name)

    def keys(self, name: str) -> MetaKeys:
        """Where a profile's cluster keeps its records."""
        etcd = self.profile(name).etcd
        return MetaKeys(etcd.root_path, etcd.meta_sub_path)

    def objects(self, name: str) -> ObjectStore:
        """The profile's object store."""
        return self._once("s3", name, lambda: _s3(self.profile(name)))

    def metadata(self, name: str) -> MetadataStore:
        """The profile's etcd."""
        return self._once("etcd", name, lambda: _etcd(self.profile(name)))

    def connected_metadata(self) -> dict[str, MetadataStore]:
        """The etcd of every profile that was worked for so far; connects none."""
        with self._lock:
            opened = dict(self._open)
        return {
            name: store
            for (kind, name), store in opened.items()
            if kind == "etcd" and isinstance(store, EtcdMetadataStore)
        }

    def archive(self, name: str) -> PlanArchive:
        """The plans of a destination."""
        s3 = self.profile(name).s3
        return self._once("plans", name, lambda: PlanArchive(self.objects(name), s3.bucket, s3.root_path))

    def origins(self, name: str, job_id: int | str) -> TargetOrigins:
        """Where a restore to the profile notes that it makes its target itself."""
        return TargetOrigins(
            self.objects(name), self.profile(name).s3.bucket, self.archive(name).folder(job_id)
        )

    def milvus(self, name: str) -> Milvus | None:
        """The proxy of the profile's Milvus; None without a Milvus address."""
        milvus = self.profile(name).milvus
        address = milvus.address
        if address is None:
            return None
        return self._once("milvus", name, lambda: Milvus(name, address, milvus.token()))

    def management(self, name: str) -> Management | None:
        """The management endpoint of the profile's Milvus; None where none is named."""
        endpoint = self.profile(name).milvus.management
        if endpoint is None:
            return None
        return self._once("management", name, lambda: Management(name, endpoint))

    def root_coord(self, name: str) -> RootCoord | None:
        """The coordinator of the profile's Milvus; None without a Milvus address."""
        if self.profile(name).milvus.address is None:
            return None
        return self._once("ids", name, lambda: RootCoord(name, self.metadata(name), self.keys(name)))

    def ids(
        self, name: str, taken: Taken, occupied: Occupied = lambda _: False, block_size: int = 1
    ) -> IdSource:
        """Where ids for the profile's cluster come from: RootCoord, or our own counter without an address.

        `taken` tells the ids of a range that exist; `block_size` is how many are taken at once.
        """
        root_coord = self.root_coord(name)
        if root_coord is not None:
            return RootCoordIds(root_coord, taken, occupied, block_size)
        return IdAllocator(self.metadata(name), self.keys(name), taken(FIRST, LAST), occupied, block_size)

    def close(self) -> None:
        """End the threads, then drop the connections; what is under way is finished first."""
        for threads in (self.copy_threads, self.list_threads, self.work_threads):
            threads.shutdown()
        for opened in self._open.values():
            if isinstance(opened, S3ObjectStore | EtcdMetadataStore | RootCoord | Milvus | Management):
                opened.close()

    def _once(self, kind: str, name: str, connect: Callable[[], T]) -> T:
        found = self._open.get((kind, name))
        if found is None:
            made = connect()
            with self._lock:
                found = self._open.setdefault((kind, name), made)
        return found  # type: ignore[return-value]  # each kind is only ever connected as its own type


def _s3(profile: Profile) -> S3ObjectStore:
    s3 = profile.s3
    pair = s3.credentials()
    access, secret = (each.get_secret_value() for each in pair) if pair else (None, None)
    return S3ObjectStore.connect(
        profile.name,
        endpoint=s3.endpoint,
        region=s3.region,
        access_key=access,
        secret_key=secret,
        pool=COPY_THREADS + LIST_THREADS + WORK_THREADS,
    )


def _etcd(profile: Profile) -> EtcdMetadataStore:
    etcd = profile.etcd
    password = etcd.password()
    return EtcdMetadataStore.connect(
        profile.name,
        etcd.endpoints,
        user=etcd.user or "",
        password=password.get_secret_value() if password else "",
        ca=etcd.ca,
        cert=etcd.cert,
        key=etcd.key,
    )
