"""What receiving from another store makes of refusals, lost answers and damaged bytes."""

import tracemalloc
from dataclasses import replace

import pytest

from restore.errors import ObjectMismatch
from stores.parts import MIB, PartRule
from stores.s3 import S3ObjectStore
from tests.stores.faulty_s3 import Answer, FaultyS3, Request, Server, always, answering, error, lost, once
from tests.stores.object_worlds import LARGE, S3World


@pytest.mark.parametrize("size", [100, 16 * MIB])
@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_receive_repeats_the_pair_of_get_and_put(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore, operation: str, size: int
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), LARGE[:size])
    wanted = "UploadPart" if operation == "PutObject" and size > 100 else operation
    for fault in (answering(error(503, "SlowDown")), lost):
        s3_proxy.requests.clear()
        s3_proxy.fault = once(wanted, fault)
        faulty_store.receive(faulty_store, seaweedfs.at("from"), seaweedfs.beside("to"), stat)
        assert seaweedfs.content()[str(seaweedfs.beside("to"))] == LARGE[:size]
        assert s3_proxy.count("GetObject") == (2 if size == 100 else 4)
    assert seaweedfs.unfinished() == []


def damaged(request: Request, server: Server) -> Answer:
    answer = server(request)
    return replace(answer, body=bytes([answer.body[0] ^ 1]) + answer.body[1:])


def test_receive_carries_bytes_again_that_were_damaged_on_the_way(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), b"the true bytes")
    s3_proxy.fault = once("GetObject", damaged)
    faulty_store.receive(faulty_store, seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert seaweedfs.content()[str(seaweedfs.beside("to"))] == b"the true bytes"


def test_receive_refuses_a_target_that_stays_different(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), b"the true bytes")
    s3_proxy.fault = always(
        "PutObject", lambda request, server: server(replace(request, body=request.body.swapcase()))
    )
    with pytest.raises(ObjectMismatch, match=f"s3://{seaweedfs.other}/to differs"):
        faulty_store.receive(seaweedfs.store, seaweedfs.at("from"), seaweedfs.beside("to"), stat)


def test_receive_takes_etags_that_are_no_md5(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore
) -> None:
    """Objects encrypted with KMS keys have such ETags."""

    def veiled(request: Request, server: Server) -> Answer:
        answer = server(request)
        etag = f'"{"e" * 32}"'
        headers = {name: etag if name.lower() == "etag" else value for name, value in answer.headers.items()}
        return replace(answer, headers=headers)

    seaweedfs.stored(seaweedfs.at("from"), b"body")
    s3_proxy.fault = veiled
    stat = faulty_store.stat(seaweedfs.at("from"))
    assert stat is not None
    assert stat.etag == "e" * 32
    faulty_store.receive(faulty_store, seaweedfs.at("from"), seaweedfs.beside("to"), stat)
    assert seaweedfs.content()[str(seaweedfs.beside("to"))] == b"body"


@pytest.mark.parametrize("threshold", [5 * MIB, 256 * MIB], ids=["in parts", "in one"])
def test_receive_needs_little_memory(seaweedfs: S3World, threshold: int) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), LARGE * 3)
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
