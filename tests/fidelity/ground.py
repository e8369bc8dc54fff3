"""A deployment, a worker that serves it, and restores that are proved right or seen refused."""

import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from restore.certificate import Certificate
from restore.profiles import EtcdSettings, Profile, S3Settings
from restore.progress import RestoreResult
from restore.settings import Settings
from samples.proof import prove
from samples.shape import SampleShape
from samples.snapshot import WrittenSample, write_sample
from stores.clients import Clients
from stores.etcd import Etcd3Client
from tests.e2e.deployment import Deployment, deployed
from tests.e2e.image import ID_COUNTER, JOB, Image
from worker import build_worker

DELETES = 1_000
"""Objects in one request to delete them."""

APART = 10**6
"""Ids between the samples' collections."""

_NUMBERS = count()


@dataclass(frozen=True)
class Restored:
    """A restore that was proved right; `before` is what was there when it began."""

    result: RestoreResult
    certificate: Certificate
    collection: int
    before: Image


@dataclass(frozen=True)
class Ground:
    """`home` is what the default profile leads to, `source` where samples are taken; `clients` know both."""

    client: Client
    home: Deployment
    source: Deployment
    etcd: Etcd3Client
    queue: str
    root: str
    clients: Clients

    def sample(self, shape: SampleShape, *, catalogued: bool = False) -> WrittenSample:
        """A sample in the source, with ids that no other sample of these tests has.

        Its collection is in the source's etcd only where a test looks for it there.
        """
        write = self.source.sample if catalogued else self._written
        return write(apart(shape))

    def clear(self) -> None:
        """Leave nothing in bucket and etcd but our own counters: every test looks at all that is there."""
        for keys in _batches(list(self.home.image().objects), DELETES):
            self.home.s3.delete_objects(
                Bucket=self.home.bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        for key, _ in self.home.scan(f"{self.home.meta}/"):
            self.etcd.delete(key)

    def _written(self, shape: SampleShape) -> WrittenSample:
        return write_sample(self.source.s3, self.source.bucket, shape)

    async def restored(
        self,
        written: WrittenSample,
        snapshot: str | None = None,
        *,
        of: WrittenSample | None = None,
        **fields: Any,
    ) -> Restored:
        """Restore into a new target, and prove it; `of` is what is restored where that is not everything."""
        name, collection = self._target(written.shape, fields)
        before = self.home.image()
        result = await self._run(name, snapshot or written.uri, fields)
        rewritten = bool(fields.get("rewrite_descriptors"))
        self._assert_proved(of or written, before, collection, rewritten=rewritten)
        return Restored(result, self._certificate(result), collection, before)

    async def refused(
        self,
        written: WrittenSample,
        kind: str,
        *says: str,
        snapshot: str | None = None,
        copying: bool = False,
        prepare: Callable[[int], None] = lambda _: None,
        **fields: Any,
    ) -> str:
        """See a restore fail with this type and these texts, and nothing of it left; return the message.

        Only a restore that failed while it was `copying` leaves its job's record, which is failed. `prepare`
        is told the target's id before it begins.
        """
        name, collection = self._target(written.shape, fields)
        prepare(collection)
        before = self.home.image()
        with pytest.raises(WorkflowFailureError) as caught:
            await self._run(name, snapshot or written.uri, fields)
        failure = caught.value.cause
        assert isinstance(failure, ApplicationError)
        assert failure.type == kind, failure.message
        assert [text for text in says if text not in failure.message] == [], failure.message
        self._assert_undone(before, copying=copying)
        return failure.message

    def _target(self, shape: SampleShape, fields: Mapping[str, Any]) -> tuple[str, int]:
        name = f"restored_{secrets.token_hex(4)}"
        return name, self.home.target(shape, name, fields.get("database", "default"))

    async def _run(self, target: str, snapshot: str, fields: Mapping[str, Any]) -> RestoreResult:
        request = {"snapshot": snapshot, "target": target, **fields}
        return await self.client.execute_workflow(  # type: ignore[no-any-return]  # by name, as others start it
            "RestoreSnapshot",
            request,
            id=f"restore/{fields.get('database', 'default')}/{target}",
            task_queue=self.queue,
            result_type=RestoreResult,
        )

    def _assert_proved(
        self, written: WrittenSample, before: Image, collection: int, *, rewritten: bool
    ) -> None:
        proof = prove(
            self.home.s3,
            self.home.scan,
            written,
            {key: value for key, value in before.records.items() if key.startswith(f"{self.home.meta}/")},
            collection_id=collection,
            bucket=self.home.bucket,
            root=self.root,
            meta=self.home.meta,
            source=self.source.s3,
            rewritten=rewritten,
        )
        assert proof.differences == []
        assert proof.ok

    def _assert_undone(self, before: Image, *, copying: bool) -> None:
        changed = {key for key in before.changes(self.home.image()) if not key.endswith(ID_COUNTER)}
        assert len(changed) == copying, changed
        assert all(JOB in key for key in changed)

    def _certificate(self, result: RestoreResult) -> Certificate:
        bucket, _, key = result.certificate.removeprefix("s3://").partition("/")
        body = self.home.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return Certificate.model_validate(json.loads(body))


def apart(shape: SampleShape) -> SampleShape:
    """The shape with ids that no other sample of these tests has."""
    return shape.model_copy(update={"collection_id": shape.collection_id + next(_NUMBERS) * APART})


def _batches(keys: list[str], size: int) -> Iterator[list[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


@asynccontextmanager
async def grounded(
    client: Client,
    servers: Mapping[str, str],
    folder: Path,
    *,
    root: str = "files",
    source_servers: Mapping[str, str] | None = None,
) -> AsyncIterator[Ground]:
    """A ground with a running worker; with servers of its own the source is the profile `source`."""
    with ExitStack() as stack:
        home = stack.enter_context(deployed(servers, root=root))
        source = stack.enter_context(deployed(source_servers)) if source_servers else home
        etcd = stack.enter_context(Etcd3Client([servers["RESTORE_ETCD_ENDPOINTS"]]))
        profiles = {"default": _profile("default", home, servers, root, folder)}
        if source_servers:
            profiles["source"] = _profile("source", source, source_servers, "files", folder)
        queue = f"q-{secrets.token_hex(6)}"
        clients = Clients(Settings(task_queue=queue, profiles=profiles))
        async with build_worker(client, clients, queue, search_attributes=True):
            yield Ground(client, home, source, etcd, queue, root, clients)


def _profile(name: str, at: Deployment, servers: Mapping[str, str], root: str, folder: Path) -> Profile:
    access, secret = folder / f"{name}-access", folder / f"{name}-secret"
    access.write_text(servers["AWS_ACCESS_KEY_ID"])
    secret.write_text(servers["AWS_SECRET_ACCESS_KEY"])
    s3 = S3Settings(
        endpoint=servers["RESTORE_S3_ENDPOINT"],
        region=servers["RESTORE_S3_REGION"],
        bucket=at.bucket,
        root_path=root,
        access_key_file=access,
        secret_key_file=secret,
    )
    etcd = EtcdSettings(
        endpoints=(servers["RESTORE_ETCD_ENDPOINTS"],), root_path=at.etcd_root, meta_sub_path=at.sub_path
    )
    return Profile(name=name, s3=s3, etcd=etcd)
