"""What S3ObjectStore makes of a server that refuses, lies, drops answers or is silent."""

import base64
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from restore.errors import AccessDenied, ObjectMismatch, StoreUnavailable
from stores.parts import MIB
from stores.retry import Retry
from stores.s3 import S3ObjectStore
from tests.stores.faulty_s3 import (
    Answer,
    Fault,
    FaultyS3,
    Request,
    Server,
    Storm,
    always,
    answering,
    error,
    lost,
    once,
    pass_on,
)
from tests.stores.object_worlds import LARGE, S3World

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CopySourceTypeDef


def test_a_storm_of_refusals_and_lost_answers_changes_nothing(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    s3_proxy.fault = storm = Storm()
    bodies = {f"k/{number:03}": os.urandom(500 + number) for number in range(200)}

    def carry(key: str) -> None:
        faulty_store.put(seaweedfs.at(key), bodies[key])
        stat = faulty_store.stat(seaweedfs.at(key))
        assert stat is not None
        assert faulty_store.copy(seaweedfs.at(key), seaweedfs.beside(key), stat)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(carry, bodies))
    assert [stat.key for stat in faulty_store.scan(seaweedfs.bucket, "k/")] == sorted(bodies)
    places = (seaweedfs.at, seaweedfs.beside)
    assert seaweedfs.content() == {str(at(key)): body for at in places for key, body in bodies.items()}
    faulty_store.delete(seaweedfs.bucket, list(bodies))
    assert seaweedfs.content() == {str(seaweedfs.beside(key)): body for key, body in bodies.items()}
    assert storm.refused > 100
    assert storm.dropped > 15


def test_a_storm_does_not_break_copies_in_parts_or_from_elsewhere(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), LARGE)
    s3_proxy.fault = storm = Storm()
    for number in range(4):
        assert faulty_store.copy(seaweedfs.at("from"), seaweedfs.beside(f"copy{number}"), stat)
        faulty_store.receive(
            seaweedfs.store, seaweedfs.at("from"), seaweedfs.beside(f"received{number}"), stat
        )
    faulty_store.abort_uploads(seaweedfs.other, "")  # those whose first answer was lost
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
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore, fault: Fault, size: int
) -> None:
    operation = "CopyObject" if size == 100 else "UploadPartCopy"
    stat = seaweedfs.stored(seaweedfs.at("from"), LARGE[:size])
    s3_proxy.fault = once(operation, fault)
    assert faulty_store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert seaweedfs.content()[str(seaweedfs.beside("to"))] == LARGE[:size]
    assert seaweedfs.unfinished() == []
    assert s3_proxy.count(operation) == (2 if size == 100 else 4)


def test_an_empty_answer_to_a_copy_is_proved_by_looking(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), b"body")
    s3_proxy.fault = always("CopyObject", lambda request, server: replace(server(request), body=b""))
    assert faulty_store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    s3_proxy.fault = always("CopyObject", answering(Answer(200)))
    with pytest.raises(ObjectMismatch, match="nothing"):
        faulty_store.copy(seaweedfs.at("from"), seaweedfs.beside("nothing"), stat)
    assert set(seaweedfs.content()) == {str(seaweedfs.at("from")), str(seaweedfs.beside("to"))}


def test_an_empty_answer_to_a_part_is_no_answer(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), LARGE)
    s3_proxy.fault = once("UploadPartCopy", answering(Answer(200)))
    assert faulty_store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert seaweedfs.content()[str(seaweedfs.beside("to"))] == LARGE


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
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), b"listed")
    seaweedfs.stored(seaweedfs.at("from"), b"newer!")
    s3_proxy.fault = always("CopyObject", deaf(seaweedfs))
    with pytest.raises(ObjectMismatch, match=f"s3://{seaweedfs.bucket}/from has changed"):
        faulty_store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)


def test_a_source_that_changes_between_two_parts_is_found(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), LARGE)
    copy = deaf(seaweedfs)

    def change_and_copy(request: Request, server: Server) -> Answer | None:
        seaweedfs.stored(seaweedfs.at("from"), LARGE[::-1])
        return copy(request, server)

    s3_proxy.fault = always("UploadPartCopy", change_and_copy)
    with pytest.raises(ObjectMismatch, match=f"s3://{seaweedfs.bucket}/from has changed"):
        faulty_store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert set(seaweedfs.content()) == {str(seaweedfs.at("from"))}
    assert seaweedfs.unfinished() == []


def test_a_completion_whose_answer_was_lost_counts(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), LARGE)
    answers = iter([lost, answering(error(404, "NoSuchUpload"))])
    s3_proxy.fault = lambda request, server: (
        next(answers) if request.operation == "CompleteMultipartUpload" else pass_on
    )(request, server)
    assert faulty_store.copy(seaweedfs.at("from"), seaweedfs.beside("to"), stat)
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
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore, answer: Answer, told: str
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), b"body")
    s3_proxy.fault = always("CopyObject", answering(answer))
    source, target = seaweedfs.at("from"), seaweedfs.beside("to")
    with pytest.raises(AccessDenied, match=f"CopyObject of {source} to {target} .*profile default.*{told}"):
        faulty_store.copy(source, target, stat)
    assert s3_proxy.count("CopyObject") == 1
    assert set(seaweedfs.content()) == {str(source)}


def test_a_store_that_stays_busy_says_for_how_long(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    answer = error(503, "SlowDown", **{"Retry-After": "77"})
    s3_proxy.fault = answering(answer)
    with pytest.raises(StoreUnavailable, match="SlowDown") as busy:
        faulty_store.get(seaweedfs.at("from"))
    assert busy.value.retry_after == 77
    assert len(s3_proxy.requests) == 1  # the budget is shorter than that


def test_calls_are_repeated_until_the_budget_is_used_up(seaweedfs: S3World, s3_proxy: FaultyS3) -> None:
    short = Retry(budget=3.0, first_wait=0.01, longest_wait=0.2)
    store = S3ObjectStore(s3_proxy.access, retry=short)
    s3_proxy.fault = answering(error(500, "InternalError"))
    with pytest.raises(StoreUnavailable, match=f"PutObject of s3://{seaweedfs.bucket}/k"):
        store.put(seaweedfs.at("k"), b"1")
    assert len(s3_proxy.requests) > 3
    store.close()


def kept(key: str, code: str) -> Answer:
    item = f"<Error><Key>{key}</Key><Code>{code}</Code><Message>no</Message></Error>"
    return Answer(200, {"Content-Type": "application/xml"}, f"<DeleteResult>{item}</DeleteResult>".encode())


def test_keys_that_a_deletion_keeps_are_named(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    seaweedfs.stored(seaweedfs.at("a"), b"1")
    s3_proxy.fault = answering(kept("a", "AccessDenied"))
    with pytest.raises(AccessDenied, match=f"DeleteObjects of s3://{seaweedfs.bucket}/a"):
        faulty_store.delete(seaweedfs.bucket, ["a"])
    s3_proxy.fault = once("DeleteObjects", answering(kept("a", "InternalError")))
    faulty_store.delete(seaweedfs.bucket, ["a"])
    assert seaweedfs.content() == {}


def test_deletions_carry_the_md5_that_older_servers_ask_for(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    faulty_store.delete(seaweedfs.bucket, ["a"])
    expected = base64.b64encode(hashlib.md5(s3_proxy.requests[0].body).digest()).decode()
    assert s3_proxy.requests[0].headers["content-md5"] == expected


def test_a_body_that_is_cut_short_is_read_again(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    seaweedfs.stored(seaweedfs.at("from"), LARGE)
    cut: Fault = lambda request, server: replace(server(request), sent=MIB)  # noqa: E731 - one of many faults
    s3_proxy.fault = once("GetObject", cut)
    assert faulty_store.get(seaweedfs.at("from")) == LARGE
    s3_proxy.fault = once("GetObject", cut)
    assert faulty_store.digest(seaweedfs.at("from")) == hashlib.sha256(LARGE).hexdigest()


@pytest.mark.parametrize("sent", [0, 150])
def test_a_listing_that_is_cut_short_is_no_listing(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore, sent: int
) -> None:
    seaweedfs.stored(seaweedfs.at("a"), b"1")
    s3_proxy.fault = once("GetObject", lambda request, server: replace(server(request), sent=sent))
    assert [stat.key for stat in faulty_store.scan(seaweedfs.bucket, "")] == ["a"]


def test_a_deletion_whose_answer_is_cut_short_is_repeated(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    seaweedfs.stored(seaweedfs.at("a"), b"1")
    s3_proxy.fault = once("DeleteObjects", answering(replace(kept("a", "InternalError"), sent=0)))
    faulty_store.delete(seaweedfs.bucket, ["a"])
    assert seaweedfs.content() == {}
