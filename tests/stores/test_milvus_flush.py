from collections.abc import Iterator

import pytest

from formats.keys import MetaKeys
from restore.errors import AccessDenied, CollectionNotFound, FlushRefused, RestoreError, StoreUnavailable
from stores.memory import MemoryMetadataStore
from stores.milvus import Flush, Milvus
from stores.proto import milvus_rpc_pb2 as rpc
from tests.stores.catalog_samples import collection, database, put
from tests.stores.milvus_server import MilvusServer, serving

KEYS = MetaKeys()


@pytest.fixture
def server() -> Iterator[MilvusServer]:
    store = MemoryMetadataStore()
    put(store, {KEYS.database(1): database(1, "default"), KEYS.collection(1, 444): collection()})
    with serving(store, KEYS) as milvus:
        yield milvus


@pytest.fixture
def milvus(server: MilvusServer) -> Iterator[Milvus]:
    client = Milvus("prod", server.address)
    yield client
    client.close()


def test_a_flush_is_asked_after_by_all_its_segments_and_its_time(
    milvus: Milvus, server: MilvusServer
) -> None:
    server.looks = 1
    flush = milvus.flush("default", "books")
    assert flush == Flush("default", "books", (71, 72), server.next_id)

    assert not milvus.is_flushed(flush)
    assert milvus.is_flushed(flush)

    asked = server.calls("GetFlushState")[-1]
    assert (list(asked.segmentIDs), asked.flush_ts) == ([71, 72], server.next_id)
    assert (asked.db_name, asked.collection_name) == ("default", "books")


def test_a_collection_that_milvus_lacks_is_named(milvus: Milvus) -> None:
    with pytest.raises(CollectionNotFound, match="papers"):
        milvus.flush("default", "papers")
    with pytest.raises(CollectionNotFound, match="papers"):
        milvus.is_flushed(Flush("default", "papers", (), 0))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (rpc.Status(code=1100, reason="not now"), FlushRefused),
        (rpc.Status(error_code=1, reason="an older server says so"), FlushRefused),
        (rpc.Status(code=8, reason="rate limit exceeded"), StoreUnavailable),
        (rpc.Status(code=5, reason="try again", retriable=True), StoreUnavailable),
        (rpc.Status(code=1401, reason="no privilege"), AccessDenied),
    ],
)
def test_what_milvus_says_against_a_flush_is_told_in_our_words(
    milvus: Milvus, server: MilvusServer, status: rpc.Status, kind: type[RestoreError]
) -> None:
    server.troubles["Flush"] = lambda _request, _context: rpc.FlushResponse(status=status)
    with pytest.raises(kind, match=status.reason):
        milvus.flush("default", "books")
