"""The world of one run: stores of its own behind proxies, a snapshot, an empty target, and workers."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import grpc

from samples.snapshot import WrittenSample
from stores.etcd import Etcd3Client
from stores.s3_connection import Access
from tests.e2e.deployment import Deployment, deployed
from tests.e2e.image import Image
from tests.e2e.site import Target, new_name, new_queue
from tests.faults.crew import Crew
from tests.faults.etcd_proxy import BUSY, CUT, DENIED, Server, proxied_etcd
from tests.faults.gate import Busy, Cut, Denied, Gate
from tests.faults.hand import Hand
from tests.faults.scenario import Scenario
from tests.faults.stale import StaleListings, stale_listings
from tests.faults.steps import key_of, step_of_call, step_of_request
from tests.stores import faulty_s3
from tests.stores.faulty_s3 import Answer, FaultyS3, Request, error, faulty

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef


_SOON_BACK: Final = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 300))
"""The proxy finds a server that comes back at once; what the product does is the product's."""


class Copies:
    """Counts objects that reached their target, and those of them that did so again, with their bytes."""

    def __init__(self, source: Image) -> None:
        self._sizes = {key: int(value.split()[0]) for key, value in source.objects.items()}
        self._there: set[str] = set()
        self._lock = threading.Lock()
        self.made = 0
        self.again = 0
        self.bytes_again = 0

    def note(self, request: Request, answer: Answer) -> None:
        """Take note of a request that was done, whatever the copier hears of it."""
        if step_of_request(request) != "copy" or answer.status != 200:
            return
        key = key_of(request)
        with self._lock:
            self.made += 1
            self.again += key in self._there
            self.bytes_again += self._size(request) if key in self._there else 0
            self._there.add(key)

    def _size(self, request: Request) -> int:
        source = request.headers.get("x-amz-copy-source")
        return self._sizes[unquote(source).lstrip("/").partition("/")[2]] if source else len(request.body)


@dataclass
class Ground:
    """What a run needs; `revision` is etcd's when it began."""

    scenario: Scenario
    deployment: Deployment
    source: Deployment
    written: WrittenSample
    target: Target
    untouched: Image
    revision: int
    gate: Gate
    copies: Copies
    crew: Crew
    queue: str

    @property
    def request(self) -> dict[str, Any]:
        """The input of the restore."""
        return {
            "snapshot": self.written.uri,
            "target": self.target.name,
            "source": "origin" if self.scenario.place == "other store" else "default",
            "verify": self.scenario.verify,
            "concurrency": self.scenario.concurrency,
            "on_failure": self.scenario.on_failure,
        }


@contextmanager
def prepared(servers: Mapping[str, str], folder: Path, scenario: Scenario, hand: Hand) -> Iterator[Ground]:
    """A fresh world for the scenario, gone afterwards with its workers, whom the hand can harm."""
    with ExitStack() as stack:
        deployment = stack.enter_context(deployed(servers))
        same = scenario.place == "same bucket"
        source = deployment if same else stack.enter_context(deployed(servers))
        for each in {deployment.bucket: deployment, source.bucket: source}.values():
            stack.callback(_remove, each.s3, each.bucket)
        written = source.sample(scenario.shape)
        name = new_name()
        target = Target(name, deployment.target(scenario.shape, name), deployment.image())
        untouched = source.image()
        gate, copies = Gate(scenario.faults, hand, scenario.seed), Copies(untouched)
        environment = stack.enter_context(_behind_proxies(deployment, source, scenario, gate, copies, folder))
        hand.crew.environment = environment
        stack.callback(hand.crew.end)
        stack.callback(hand.rest)
        stack.callback(gate.close)
        yield Ground(
            scenario,
            deployment,
            source,
            written,
            target,
            untouched,
            _revision(servers),
            gate,
            copies,
            hand.crew,
            environment["RESTORE_TASK_QUEUE"],
        )


@contextmanager
def _behind_proxies(
    deployment: Deployment, source: Deployment, scenario: Scenario, gate: Gate, copies: Copies, folder: Path
) -> Iterator[dict[str, str]]:
    """The environment of workers that reach their stores through the gate."""
    settings = deployment.settings
    access = Access("default", settings["RESTORE_S3_ENDPOINT"], settings["RESTORE_S3_REGION"])
    with ExitStack() as stack:
        listings = None
        if scenario.has("stale"):
            buckets = {deployment.bucket, source.bucket}
            listings = stack.enter_context(stale_listings(deployment.s3, buckets))
        s3 = stack.enter_context(faulty(access))
        s3.fault = _s3_fault(gate, copies, listings)
        server = grpc.insecure_channel(settings["RESTORE_ETCD_ENDPOINTS"], _SOON_BACK)
        etcd = stack.enter_context(proxied_etcd(server, _etcd_fault(gate)))
        yield {
            **settings,
            "RESTORE_S3_ENDPOINT": str(s3.access.endpoint),
            "RESTORE_ETCD_ENDPOINTS": etcd.address,
            "RESTORE_TASK_QUEUE": new_queue(),
            "RESTORE_CONFIG": str(_profiles(folder, s3, etcd.address, source)),
        }


def _s3_fault(gate: Gate, copies: Copies, listings: StaleListings | None) -> faulty_s3.Fault:
    def fault(request: Request, server: faulty_s3.Server) -> Answer | None:
        def act() -> Answer:
            stale = listings.answer(request) if listings else None
            if stale:
                gate.meet("stale")
                return stale
            answer = server(request)
            copies.note(request, answer)
            return answer

        try:
            return gate.let(step_of_request(request), act)
        except Cut:
            return None
        except Busy:
            return error(503, "SlowDown")
        except Denied:
            return error(403, "AccessDenied")

    return fault


def _etcd_fault(gate: Gate) -> Any:
    def fault(method: str, request: bytes, server: Server) -> bytes:
        try:
            return gate.let(step_of_call(method, request), server)
        except Cut as cut:
            raise CUT from cut
        except Busy as busy:
            raise BUSY from busy
        except Denied as denied:
            raise DENIED from denied

    return fault


def _profiles(folder: Path, s3: FaultyS3, etcd: str, source: Deployment) -> Path:
    """A profile by another name of the same endpoint, so that it counts as another store."""
    endpoint = str(s3.access.endpoint).replace("127.0.0.1", "localhost")
    file = folder / "profiles.toml"
    file.write_text(
        f'[profiles.origin]\netcd = {{ endpoints = ["{etcd}"] }}\n'
        f's3 = {{ endpoint = "{endpoint}", bucket = "{source.bucket}", root_path = "{source.root}" }}\n'
    )
    return file


def _revision(servers: Mapping[str, str]) -> int:
    with Etcd3Client([servers["RESTORE_ETCD_ENDPOINTS"]]) as etcd:
        return etcd.put("the-bench/begins", "").header.revision


def _remove(s3: "S3Client", bucket: str) -> None:
    """Delete a bucket, and first all that is in it."""
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        with suppress(s3.exceptions.NoSuchUpload):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        objects: list[ObjectIdentifierTypeDef] = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    s3.delete_bucket(Bucket=bucket)
