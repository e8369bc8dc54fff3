"""The rights that docs/security.md lists are enough, and each of them is needed."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from restore.errors import AccessDenied
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from stores.metadata import EtcdMetadataStore
from stores.ports import Transaction
from tests.e2e.commands import Commands, Told
from tests.e2e.deployment import Deployment
from tests.e2e.image import assert_rolled_back
from tests.e2e.site import Site, new_queue
from tests.e2e.waiting import eventually
from tests.e2e.worker_process import working
from tests.faults.steps import key_of
from tests.security.documented import grants, policy
from tests.security.guarded import Guarded
from tests.security.recorder import Recorded, recorded
from tests.stores.faulty_s3 import Answer, Request, Server

SHAPE = SampleShape(segments=2, partitions=2, megabytes=0.06, dim=8, full_text=True)
"""Of every kind of records, so that every right is needed."""


@pytest.fixture(scope="module")
def source(servers: Guarded) -> Deployment:
    return servers.deployment()


@pytest.fixture(scope="module")
def target(servers: Guarded) -> Deployment:
    return servers.deployment()


@pytest.fixture(scope="module")
def environment(servers: Guarded, source: Deployment, target: Deployment) -> dict[str, str]:
    return servers.admit(source, target)


@pytest.fixture(scope="module")
def written(source: Deployment) -> WrittenSample:
    return source.sample(SHAPE)


@pytest.fixture(scope="module")
def record(servers: Guarded, environment: dict[str, str]) -> Iterator[Recorded]:
    with recorded(servers, environment) as record:
        yield record


@pytest.fixture(scope="module")
def site(
    target: Deployment, record: Recorded, temporal_address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A worker that may do what is documented, and nothing else."""
    folder, queue = tmp_path_factory.mktemp("least"), new_queue()
    leads = {**record.environment, "RESTORE_TASK_QUEUE": queue, "TEMPORAL_ADDRESS": temporal_address}
    with working(leads, folder / "worker.log") as worker:
        yield Site(target, Commands(temporal_address, queue, folder), worker, leads)


@pytest.fixture(scope="module")
def copied(site: Site, written: WrittenSample) -> Told:
    """A restore from another bucket, proved."""
    to = site.target(SHAPE)
    told = site.commands.execute({"snapshot": written.uri, "target": to.name, "verify": "full"})
    site.assert_proved(written, to)
    return told


@pytest.fixture(scope="module")
def named(site: Site, target: Deployment) -> Told:
    """A restore of a snapshot that the catalog knows, proved."""
    written = target.sample(SHAPE.model_copy(update={"collection_id": SHAPE.collection_id + 10**6}))
    to = site.target(SHAPE)
    told = site.commands.execute({"snapshot": f"{SHAPE.name}/{SHAPE.snapshot}", "target": to.name})
    site.assert_proved(written, to)
    return told


class WithUpload:
    """A fault: beside the first copy an upload to its place is begun, as a killed copy in parts leaves it."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.begun = False

    def __call__(self, request: Request, server: Server) -> Answer:
        if request.operation == "CopyObject" and not self.begun:
            self.begun = True
            key = key_of(request)
            self._deployment.s3.create_multipart_upload(Bucket=self._deployment.bucket, Key=key)
        return server(request)


@pytest.fixture(scope="module")
def undone(site: Site, record: Recorded, written: WrittenSample) -> Told:
    """A restore that was cancelled while it copied, and undone."""
    to = site.target(SHAPE)
    record.s3.fault = fault = WithUpload(site.deployment)
    workflow_id = site.commands.begin({"snapshot": written.uri, "target": to.name})
    eventually(lambda: fault.begun, "an upload was begun")
    site.commands.workflow("cancel", "-w", workflow_id)
    told = site.commands.outcome(workflow_id)
    assert_rolled_back(to.before, site.deployment.image())
    return told


def test_they_are_enough_for_a_restore_from_another_bucket(copied: Told) -> None:
    assert copied.status == "COMPLETED", copied.message


def test_they_are_enough_for_a_restore_by_name(named: Told) -> None:
    assert named.status == "COMPLETED", named.message


def test_they_are_enough_for_a_rollback_that_finds_an_unfinished_upload(undone: Told) -> None:
    assert undone.status == "CANCELED", undone.message


@pytest.mark.usefixtures("undone")
def test_they_are_enough_for_the_doctor_who_leaves_nothing(site: Site) -> None:
    before = site.deployment.image()

    looked = site.commands.restore("doctor", "--orphans", "-o", "json", more=site.environment)

    assert looked.code == 0, looked.out + looked.err
    states = {each["what"]: each["state"] for each in looked.json["checks"]}
    assert states["object store of 'default'"] == states["etcd of 'default'"] == "ok"
    assert "note" not in states.values(), looked.out
    assert looked.json["leftovers"]["remains"] == []
    assert before.changes(site.deployment.image()) == set()


@pytest.mark.usefixtures("copied", "named", "undone")
def test_each_of_them_is_needed(record: Recorded, source: Deployment, target: Deployment) -> None:
    rights = policy(source=(source.bucket, source.root), target=(target.bucket, target.root))
    granted = {
        (resource.removeprefix("arn:aws:s3:::").partition("/")[0], action)
        for statement in rights["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    assert granted == record.actions

    unused = {
        (right, grant.where)
        for grant in grants(target.etcd_root)
        for right in ("read", "write")
        if right in grant.what and not any(what == right and grant.covers(key) for what, key in record.keys)
    }
    assert unused == set()


def test_the_servers_hold_the_worker_to_its_rights(
    servers: Guarded, environment: dict[str, str], source: Deployment, target: Deployment
) -> None:
    s3 = servers.s3.client(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=source.bucket, Key=f"{source.root}/x", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=source.bucket, Key="elsewhere/x")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=target.bucket, Key="elsewhere/x", Body=b"")
    s3.close()
    etcd = EtcdMetadataStore.connect(
        "default",
        [environment["RESTORE_ETCD_ENDPOINTS"]],
        user=environment["RESTORE_ETCD_USER"],
        password=environment["RESTORE_ETCD_PASSWORD"],
        ca=environment["RESTORE_ETCD_CA"],
        cert=environment["RESTORE_ETCD_CERT"],
        key=environment["RESTORE_ETCD_KEY"],
    )
    for key in (f"{target.meta}/root-coord/database/x", f"{target.etcd_root}/kv/x", "elsewhere"):
        with pytest.raises(AccessDenied, match="permission denied"):
            etcd.commit(Transaction(puts={key: b""}))
    with pytest.raises(AccessDenied, match="permission denied"):
        etcd.get(f"{source.meta}/datacoord-meta/s/1")
    etcd.close()
