"""No secret is found in anything that a restore leaves or says, however it ended."""

import asyncio
import base64
import secrets
from collections.abc import Iterator
from typing import Final

import pytest
from temporalio.client import Client

from samples.shape import SampleShape
from tests.e2e.commands import Commands
from tests.e2e.deployment import Deployment
from tests.e2e.otlp_receiver import Received, receiving
from tests.e2e.site import Site, new_queue
from tests.e2e.troubled_stores import WRONG_PASSWORD, WRONG_SECRET
from tests.e2e.waiting import POLL
from tests.e2e.worker_process import working
from tests.security.guarded import Guarded
from tests.security.haystack import Haystack, holders, of_stores, of_temporal
from tests.security.recorder import Recorded, recorded
from tests.stores.faulty_s3 import Storm, always, answering, error
from workflows.plugin import RestorePlugin

SHAPE: Final = SampleShape(segments=2, partitions=2, megabytes=0.06, dim=8)
AT_ONCE: Final = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
PROFILES: Final = ("wrong-keys", "wrong-password", "no-milvus")
SECRETS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "RESTORE_ETCD_PASSWORD", "TEMPORAL_API_KEY")


@pytest.fixture(scope="module")
def deployment(servers: Guarded) -> Deployment:
    return servers.deployment()


@pytest.fixture(scope="module")
def environment(servers: Guarded, deployment: Deployment) -> dict[str, str]:
    """Real keys and a real password for the stores; an API key for Temporal and a token for Milvus."""
    return {
        **servers.admit(deployment, deployment),
        **servers.tls_to_temporal,
        "TEMPORAL_API_KEY": secrets.token_urlsafe(24),
        "RESTORE_MILVUS_TOKEN": secrets.token_urlsafe(24),
        "WRONG_SECRET_KEY": WRONG_SECRET,
        "WRONG_PASSWORD": WRONG_PASSWORD,
        "OTHER_TOKEN": secrets.token_urlsafe(24),
        "COLLECTOR_TOKEN": secrets.token_urlsafe(24),
    }


@pytest.fixture(scope="module")
def record(servers: Guarded, environment: dict[str, str]) -> Iterator[Recorded]:
    with recorded(servers, environment) as record:
        yield record


@pytest.fixture(scope="module")
def collector() -> Iterator[Received]:
    """Where traces and metrics go."""
    with receiving() as received:
        yield received


@pytest.fixture(scope="module")
def site(
    servers: Guarded,
    deployment: Deployment,
    record: Recorded,
    collector: Received,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """A worker that knows all the secrets, and profiles with wrong ones."""
    folder, queue = tmp_path_factory.mktemp("secrets"), new_queue()
    profiles = folder / "profiles.toml"
    profiles.write_text(_profiles(record, deployment))
    leads = {**record.environment, "RESTORE_TASK_QUEUE": queue, "RESTORE_CONFIG": str(profiles)}
    telling = _telemetry(collector, leads["COLLECTOR_TOKEN"])
    leads |= telling
    commands = Commands(servers.temporal.address, queue, folder)
    commands.environment |= {**servers.tls_to_temporal, "TEMPORAL_API_KEY": leads["TEMPORAL_API_KEY"]}
    commands.environment |= telling
    with working(leads, folder / "worker.log") as worker:
        yield Site(deployment, commands, worker, leads)


def _telemetry(collector: Received, token: str) -> dict[str, str]:
    """Everything on, to a collector that asks for a token."""
    return {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{token}",
        **AT_ONCE,
    }


def _profiles(record: Recorded, deployment: Deployment) -> str:
    """Wrong keys for S3, a wrong password for etcd, and a Milvus that is not there."""
    s3, etcd = record.environment["RESTORE_S3_ENDPOINT"], record.environment["RESTORE_ETCD_ENDPOINTS"]
    user = record.environment["RESTORE_ETCD_USER"]
    known = f'etcd = {{ endpoints = ["{etcd}"], user = "{user}", password_env = "RESTORE_ETCD_PASSWORD" }}'
    place = f'endpoint = "{s3}", bucket = "{deployment.bucket}"'
    return f"""
[profiles.wrong-keys]
{known}
[profiles.wrong-keys.s3]
endpoint = "{s3}"
bucket = "{deployment.bucket}"
access_key_env = "AWS_ACCESS_KEY_ID"
secret_key_env = "WRONG_SECRET_KEY"

[profiles.wrong-password]
s3 = {{ {place} }}
etcd = {{ endpoints = ["{etcd}"], user = "{user}", password_env = "WRONG_PASSWORD" }}

[profiles.no-milvus]
s3 = {{ {place} }}
milvus = {{ address = "127.0.0.1:1", token_env = "OTHER_TOKEN" }}
{known}
"""


@pytest.fixture(scope="module")
def said(site: Site, record: Recorded) -> dict[str, str]:
    """What the command line printed of a successful restore, a faulted one, and of several that failed."""
    uri = site.deployment.sample(SHAPE).uri
    outputs: dict[str, str] = {}
    healthy = record.s3.fault

    def begin(how: str, *words: str) -> int:
        ended = site.commands.restore("start", uri, site.target(SHAPE).name, *words)
        outputs[f"command line, {how}"] = ended.out + ended.err
        return ended.code

    assert begin("successful") == 0
    record.s3.fault = Storm()
    assert begin("in a storm") == 0
    record.s3.fault = always("CopyObject", answering(error(403, "AccessDenied")))
    assert begin("refused in the middle") == 1
    record.s3.fault = healthy
    for profile in PROFILES:
        assert begin(profile, "--destination", profile) == 1
    return outputs


@pytest.fixture(scope="module")
async def haystack(site: Site, collector: Received, said: dict[str, str], temporal_address: str) -> Haystack:
    """All that there is to search."""
    client = await Client.connect(temporal_address, plugins=[RestorePlugin()])
    histories: Haystack = {}
    async with asyncio.timeout(30):
        # The list of workflows lags behind, and telemetry is sent in batches.
        while not (_has_all(histories, said) and _tells_of_the_last(collector)):
            await asyncio.sleep(POLL)
            histories = await of_temporal(client, site.commands.queue)
    log = {"the worker's log": site.worker.log.read_bytes()}
    told = {f"telemetry {number}": body for number, body in enumerate(collector.raw)}
    printed = {where: text.encode() for where, text in said.items()}
    return histories | of_stores(site.deployment) | log | told | printed


def _tells_of_the_last(collector: Received) -> bool:
    """Traces of refused restores have come as well, and metrics."""
    failed = [span for span in collector.spans() if span.failed]
    return len({span.trace for span in failed}) >= len(PROFILES) and bool(collector.metrics)


def _has_all(histories: Haystack, said: dict[str, str]) -> bool:
    restores = [
        where for where in histories if where.startswith("history of restore/") and "task-" not in where
    ]
    return len({where.split()[2] for where in restores if "rollback" not in where}) == len(said)


def test_what_is_searched_is_what_a_restore_leaves(haystack: Haystack, site: Site) -> None:
    """A text that is no secret is found in every kind of place, so a secret would be."""
    places = " ".join(holders(haystack, site.deployment.bucket))
    for kind in (
        "history of",
        "certificate.json",
        "plan.json.gz",
        "the worker's log",
        "command line, success",
    ):
        assert kind in places
    assert any("telemetry" in where for where in holders(haystack, "open_restore"))
    assert holders(haystack, site.environment["RESTORE_ETCD_USER"])
    assert any("copy-segment-job" in where for where in holders(haystack, SHAPE.snapshot))


@pytest.mark.parametrize(
    "name",
    [
        *SECRETS,
        "RESTORE_MILVUS_TOKEN",
        "OTHER_TOKEN",
        "WRONG_SECRET_KEY",
        "WRONG_PASSWORD",
        "COLLECTOR_TOKEN",
    ],
)
def test_a_secret_is_nowhere(haystack: Haystack, site: Site, name: str) -> None:
    assert holders(haystack, site.environment[name]) == []


def test_a_hidden_secret_would_be_found() -> None:
    secret = secrets.token_urlsafe(24)
    shifted = (base64.b64encode(f"{'x' * shift}{secret} and more".encode()).decode() for shift in range(3))
    for code in (secret, secret.encode().hex(), *shifted):
        assert holders({"here": f"something {code}.".encode()}, secret) == ["here"]
