"""What S3ObjectStore makes of a server that refuses, lies, drops answers or is silent."""

import base64
import hashlib
import os
import random
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from restore.errors import AccessDenied, ObjectMismatch, StoreUnavailable
from stores.parts import MIB, PartRule
from stores.ports import ObjectStat
from stores.retry import Retry
from stores.s3 import S3ObjectStore
from tests.stores.faulty_s3 import Answer, Fault, FaultyS3, Request, error, faulty
from tests.stores.object_worlds import SMALL_PARTS, S3World

LARGE = os.urandom(16 * MIB)  # three parts
PATIENT = Retry(budget=30.0, first_wait=0.005, longest_wait=0.05)

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CopySourceTypeDef

Server = Callable[[Request], Answer]


@pytest.fixture
def proxy(seaweedfs: S3World) -> Iterator[FaultyS3]:
    with faulty(seaweedfs.access) as running:
        yield running


@pytest.fixture
def store(proxy: FaultyS3) -> Iterator[S3ObjectStore]:
    """A store that reaches SeaweedFS through the proxy."""
    through = S3ObjectStore(proxy.access, retry=PATIENT, rule=SMALL_PARTS)
    yield through
    through.close()


def once(operation: str, fault: Fault) -> Fault:
    """Return the fault for the first request of an operation only."""
    left = iter([fault])

    def answer(request: Request, server: Server) -> Answer | None:
        hit = next(left, None) if request.operation == operation else None
        return hit(request, server) if hit else server(request)

    return answer


def always(operation: str, fault: Fault) -> Fault:
    """Return the fault for every request of an operation."""
    return lambda request, server: (fault if request.operation == operation else _pass)(request, server)


def answering(answer: Answer) -> Fault:
    return lambda request, server: answer


def _pass(request: Request, server: Server) -> Answer:
    return server(request)


def lost(request: Request, server: Server) -> None:
    """Do what was asked and drop the answer."""
    server(request)


def stored(world: S3World, key: str, body: bytes) -> ObjectStat:
    world.client.put_object(Bucket=world.bucket, Key=key, Body=body)
    stat = world.store.stat(world.at(key))
    assert stat is not None
    return stat


class Storm:
    """Refuses 30 % of the requests with SlowDown, and drops the answers to 5 % after they were executed."""

    def __init__(self) -> None:
        self._dice, self._lock = random.Random(7), threading.Lock()
        self.refused = self.dropped = 0

    def __call__(self, request: Request, server: Server) -> Answer | None:
        with self._lock:
            roll = self._dice.random()
            self.refused += roll < 0.30
            self.dropped += 0.30 <= roll < 0.35
        if roll < 0.30:
            return error(503, "SlowDown")
        answer = server(request)
        return None if roll < 0.35 else answer


def test_a_storm_of_refusals_and_lost_answers_changes_nothing(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    proxy.fault = storm = Storm()
    bodies = {f"k/{number:03}": os.urandom(500 + number) for number in range(200)}

    def carry(key: str) -> None:
        store.put(seaweedfs.at(key), bodies[key])
        stat = store.stat(seaweedfs.at(key))
        assert stat is not None
        assert store.copy(seaweedfs.at(key), seaweedfs.beside(key), stat)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(carry, bodies))
    assert [stat.key for stat in store.scan(seaweedfs.bucket, "k/")] == sorted(bodies)
    places = (seaweedfs.at, seaweedfs.beside)
    assert seaweedfs.content() == {str(at(key)): body for at in places for key, body in bodies.items()}
    store.delete(seaweedfs.bucket, list(bodies))
    assert seaweedfs.content() == {str(seaweedfs.beside(key)): body for key, body in bodies.items()}
    assert storm.refused > 100
    assert storm.dropped > 15


def test_a_storm_does_not_break_copies_in_parts_or_from_elsewhere(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stat = stored(seaweedfs, "from", LARGE)
    proxy.fault = storm = Storm()
    for number in range(4):
        assert store.copy(seaweedfs.at("from"), seaweedfs.beside(f"copy{number}"), stat)
        store.receive(seaweedfs.store, seaweedfs.at("from"), seaweedfs.beside(f"received{number}"), stat)
    store.abort_uploads(seaweedfs.other, "")  # those whose first answer was lost
    assert set(seaweedfs.content().values()) == {LARGE}
    assert len(seaweedfs.content()) == 9
    assert seaweedfs.unfinished() == []
    assert storm.refused
    assert storm.dropped


@pytest.mark.parametrize("size", [100, 16 * MIB])
@pytest.mark.parametrize(
    "fault",
    [
        answering(error(200, "InternalError")),
        answering(error(503, "SlowDown")),
        answering(error(429, "TooManyRequests")),
        answering(error(400, "RequestTimeout")),
        answering(Answer(502, {"Content-Type": "text/html"}, b"<html>bad gateway")),
        lambda request, server: None,
        lost,
        lambda request, server: replace(server(request), sent=20),
    ],
    ids=["200 with error", "503", "429", "request timeout", "502 page", "dropped", "lost", "cut short"],
)
def test_a_copy_is_repeated_after(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore, fault: Fault, size: int
) -> None:
    operation = "CopyObject" if size == 100 else "UploadPartCopy"
    stat = stored(seaweedfs, "from", LARGE[:size])
    proxy.fault = once(operation, fault)
    assert store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert seaweedfs.content()[str(seaweedfs.beside("to"))] == LARGE[:size]
    assert seaweedfs.unfinished() == []
    assert proxy.count(operation) == (2 if size == 100 else 4)


def test_an_empty_answer_to_a_copy_is_proved_by_looking(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stat = stored(seaweedfs, "from", b"body")
    proxy.fault = always("CopyObject", lambda request, server: replace(server(request), body=b""))
    assert store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    proxy.fault = always("CopyObject", answering(Answer(200)))
    with pytest.raises(ObjectMismatch, match="nothing"):
        store.copy(seaweedfs.at("from"), seaweedfs.beside("nothing"), stat)
    assert set(seaweedfs.content()) == {str(seaweedfs.at("from")), str(seaweedfs.beside("to"))}


def deaf(world: S3World) -> Fault:
    """Copy without the condition on the source's ETag, as radosgw and others do."""

    def answer(request: Request, server: Server) -> Answer:
        source, target = world.at("from"), world.beside("to")
        named: CopySourceTypeDef = {"Bucket": source.bucket, "Key": source.key}
        if request.operation == "CopyObject":
            etag = world.client.copy_object(Bucket=target.bucket, Key=target.key, CopySource=named)[
                "CopyObjectResult"
            ]["ETag"]
            return Answer(200, body=f"<CopyObjectResult><ETag>{etag}</ETag></CopyObjectResult>".encode())
        query = dict(parse_qsl(urlsplit(request.path).query))
        etag = world.client.upload_part_copy(
            Bucket=target.bucket,
            Key=target.key,
            CopySource=named,
            CopySourceRange=request.headers["x-amz-copy-source-range"],
            UploadId=query["uploadId"],
            PartNumber=int(query["partNumber"]),
        )["CopyPartResult"]["ETag"]
        return Answer(200, body=f"<CopyPartResult><ETag>{etag}</ETag></CopyPartResult>".encode())

    return answer


def test_a_changed_source_is_found_where_the_server_ignores_the_condition(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stat = stored(seaweedfs, "from", b"listed")
    stored(seaweedfs, "from", b"newer!")
    proxy.fault = always("CopyObject", deaf(seaweedfs))
    with pytest.raises(ObjectMismatch, match=f"s3://{seaweedfs.bucket}/from has changed"):
        store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)


def test_a_source_that_changes_between_two_parts_is_found(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stat = stored(seaweedfs, "from", LARGE)
    copy = deaf(seaweedfs)

    def change_and_copy(request: Request, server: Server) -> Answer | None:
        stored(seaweedfs, "from", LARGE[::-1])
        return copy(request, server)

    proxy.fault = always("UploadPartCopy", change_and_copy)
    with pytest.raises(ObjectMismatch, match=f"s3://{seaweedfs.bucket}/from has changed"):
        store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert set(seaweedfs.content()) == {str(seaweedfs.at("from"))}
    assert seaweedfs.unfinished() == []


def test_a_completion_whose_answer_was_lost_counts(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stat = stored(seaweedfs, "from", LARGE)
    answers = iter([lost, answering(error(404, "NoSuchUpload"))])
    proxy.fault = lambda request, server: (
        next(answers) if request.operation == "CompleteMultipartUpload" else _pass
    )(request, server)
    assert store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert seaweedfs.content()[str(seaweedfs.beside("to"))] == LARGE


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (error(200, "AccessDenied"), "AccessDenied"),
        (error(403, "AccessDenied"), "AccessDenied"),
        (error(401, "Unauthorized"), "Unauthorized"),
        (error(403, "SignatureDoesNotMatch"), "SignatureDoesNotMatch"),
        (error(403, "RequestTimeTooSkewed"), "RequestTimeTooSkewed"),
        (error(400, "ExpiredToken"), "ExpiredToken"),
        (error(400, "AuthorizationHeaderMalformed"), "RESTORE_S3_REGION"),
    ],
)
def test_a_refused_copy_is_not_repeated_and_names_call_place_and_profile(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore, answer: Answer, told: str
) -> None:
    stat = stored(seaweedfs, "from", b"body")
    proxy.fault = always("CopyObject", answering(answer))
    source, target = seaweedfs.at("from"), seaweedfs.beside("to")
    with pytest.raises(AccessDenied, match=f"CopyObject of {source} to {target} .*profile default.*{told}"):
        store.copy(source, target, stat)
    assert proxy.count("CopyObject") == 1
    assert set(seaweedfs.content()) == {str(source)}


def test_a_store_that_stays_busy_says_for_how_long(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    answer = error(503, "SlowDown", **{"Retry-After": "77"})
    proxy.fault = answering(answer)
    with pytest.raises(StoreUnavailable, match="SlowDown") as busy:
        store.get(seaweedfs.at("from"))
    assert busy.value.retry_after == 77
    assert len(proxy.requests) == 1  # the budget is shorter than that


def test_calls_are_repeated_until_the_budget_is_used_up(seaweedfs: S3World, proxy: FaultyS3) -> None:
    short = Retry(budget=0.3, first_wait=0.01, longest_wait=0.02)
    store = S3ObjectStore(proxy.access, retry=short)
    proxy.fault = answering(error(500, "InternalError"))
    with pytest.raises(StoreUnavailable, match=f"PutObject of s3://{seaweedfs.bucket}/k"):
        store.put(seaweedfs.at("k"), b"1")
    assert len(proxy.requests) > 3
    store.close()


def kept(key: str, code: str) -> Answer:
    item = f"<Error><Key>{key}</Key><Code>{code}</Code><Message>no</Message></Error>"
    return Answer(200, {"Content-Type": "application/xml"}, f"<DeleteResult>{item}</DeleteResult>".encode())


def test_keys_that_a_deletion_keeps_are_named(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stored(seaweedfs, "a", b"1")
    proxy.fault = answering(kept("a", "AccessDenied"))
    with pytest.raises(AccessDenied, match=f"DeleteObjects of s3://{seaweedfs.bucket}/a"):
        store.delete(seaweedfs.bucket, ["a"])
    proxy.fault = once("DeleteObjects", answering(kept("a", "InternalError")))
    store.delete(seaweedfs.bucket, ["a"])
    assert seaweedfs.content() == {}


def test_deletions_carry_the_md5_that_older_servers_ask_for(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    store.delete(seaweedfs.bucket, ["a"])
    expected = base64.b64encode(hashlib.md5(proxy.requests[0].body).digest()).decode()
    assert proxy.requests[0].headers["content-md5"] == expected


def test_a_body_that_is_cut_short_is_read_again(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stored(seaweedfs, "from", LARGE)
    cut: Fault = lambda request, server: replace(server(request), sent=MIB)  # noqa: E731 - one of many faults
    proxy.fault = once("GetObject", cut)
    assert store.get(seaweedfs.at("from")) == LARGE
    proxy.fault = once("GetObject", cut)
    assert store.digest(seaweedfs.at("from")) == hashlib.sha256(LARGE).hexdigest()


@pytest.mark.parametrize("sent", [0, 150])
def test_a_listing_that_is_cut_short_is_no_listing(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore, sent: int
) -> None:
    stored(seaweedfs, "a", b"1")
    proxy.fault = once("GetObject", lambda request, server: replace(server(request), sent=sent))
    assert [stat.key for stat in store.scan(seaweedfs.bucket, "")] == ["a"]


def test_a_deletion_whose_answer_is_cut_short_is_repeated(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stored(seaweedfs, "a", b"1")
    proxy.fault = once("DeleteObjects", answering(replace(kept("a", "InternalError"), sent=0)))
    store.delete(seaweedfs.bucket, ["a"])
    assert seaweedfs.content() == {}


@pytest.mark.parametrize("size", [100, 16 * MIB])
@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_receive_repeats_the_pair_of_get_and_put(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore, operation: str, size: int
) -> None:
    stat = stored(seaweedfs, "from", LARGE[:size])
    wanted = "UploadPart" if operation == "PutObject" and size > 100 else operation
    for fault in (answering(error(503, "SlowDown")), lost):
        proxy.requests.clear()
        proxy.fault = once(wanted, fault)
        store.receive(store, seaweedfs.at("from"), seaweedfs.beside("to"), stat)
        assert seaweedfs.content()[str(seaweedfs.beside("to"))] == LARGE[:size]
        assert proxy.count("GetObject") == (2 if size == 100 else 4)
    assert seaweedfs.unfinished() == []


def damaged(request: Request, server: Server) -> Answer:
    answer = server(request)
    return replace(answer, body=bytes([answer.body[0] ^ 1]) + answer.body[1:])


def test_receive_carries_bytes_again_that_were_damaged_on_the_way(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stat = stored(seaweedfs, "from", b"the true bytes")
    proxy.fault = once("GetObject", damaged)
    store.receive(store, seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert seaweedfs.content()[str(seaweedfs.beside("to"))] == b"the true bytes"


def test_receive_refuses_a_target_that_stays_different(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    stat = stored(seaweedfs, "from", b"the true bytes")
    proxy.fault = always(
        "PutObject", lambda request, server: server(replace(request, body=request.body.swapcase()))
    )
    with pytest.raises(ObjectMismatch, match=f"s3://{seaweedfs.other}/to differs"):
        store.receive(seaweedfs.store, seaweedfs.at("from"), seaweedfs.beside("to"), stat)


def test_receive_takes_etags_that_are_no_md5(
    seaweedfs: S3World, proxy: FaultyS3, store: S3ObjectStore
) -> None:
    """Objects encrypted with KMS keys have such ETags."""

    def veiled(request: Request, server: Server) -> Answer:
        answer = server(request)
        etag = f'"{"e" * 32}"'
        headers = {name: etag if name.lower() == "etag" else value for name, value in answer.headers.items()}
        return replace(answer, headers=headers)

    stored(seaweedfs, "from", b"body")
    proxy.fault = veiled
    stat = store.stat(seaweedfs.at("from"))
    assert stat is not None
    assert stat.etag == "e" * 32
    store.receive(store, seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert seaweedfs.content()[str(seaweedfs.beside("to"))] == b"body"


@pytest.mark.parametrize("threshold", [5 * MIB, 256 * MIB], ids=["in parts", "in one"])
def test_receive_needs_little_memory(seaweedfs: S3World, threshold: int) -> None:
    stat = stored(seaweedfs, "from", LARGE * 3)
    store = S3ObjectStore(seaweedfs.access, rule=PartRule(threshold=threshold, size=16 * MIB))
    tracemalloc.start()
    try:
        store.receive(store, seaweedfs.at("from"), seaweedfs.beside("to"), stat)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * MIB
    assert seaweedfs.content()[str(seaweedfs.beside("to"))] == LARGE * 3
    store.close()
