import base64
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from pydantic import SecretStr

from formats.keys import MetaKeys
from formats.proto.schema_pb2 import CollectionSchema, FieldSchema, Int64
from restore.creation import CollectionDefinition
from restore.errors import AccessDenied, RestoreError, StoreUnavailable, TargetMismatch
from starter import port
from stores.catalog import collection_names, find_collection
from stores.memory import MemoryMetadataStore
from stores.milvus import Milvus
from stores.proto import milvus_rpc_pb2 as rpc
from tests.stores.catalog_samples import database, put
from tests.stores.milvus_server import Answer, MilvusServer, serving

KEYS = MetaKeys()


@pytest.fixture
def server() -> Iterator[MilvusServer]:
    store = MemoryMetadataStore()
    put(store, {KEYS.database(1): database(1, "default")})
    with serving(store, KEYS) as milvus:
        yield milvus


@pytest.fixture
def milvus(server: MilvusServer) -> Iterator[Milvus]:
    client = Milvus("prod", server.address)
    yield client
    client.close()


def definition(**changes: Any) -> CollectionDefinition:
    usual: dict[str, Any] = {
        "schema": CollectionSchema(
            fields=[FieldSchema(name="id", data_type=Int64, is_primary_key=True, fieldID=100)]
        ),
        "shards": 2,
        "consistency_level": 2,
        "properties": {"collection.ttl.seconds": "60"},
        "num_partitions": 0,
        "partitions": (),
        "indexes": (),
    }
    return CollectionDefinition(**{**usual, **changes})


def says(**status: Any) -> Answer:
    return lambda _request, _context: rpc.Status(**status)


def aborts(code: grpc.StatusCode, details: str) -> Answer:
    return lambda _request, context: context.abort(code, details)


def names(server: MilvusServer) -> set[str]:
    return set(collection_names(server.store, KEYS, "default").values())


def test_a_collection_is_made_with_all_that_was_asked_for(milvus: Milvus, server: MilvusServer) -> None:
    milvus.create_collection("default", "orders", definition())
    (request,) = server.calls("CreateCollection")
    schema = CollectionSchema.FromString(request.schema)
    assert (schema.name, schema.fields[0].fieldID) == ("orders", 100)
    assert (request.db_name, request.shards_num, request.consistency_level) == ("default", 2, 2)
    found = find_collection(server.store, KEYS, "default", "orders")
    assert found is not None
    assert (found.shards, found.properties) == (2, {"collection.ttl.seconds": "60"})


def test_a_definition_has_no_name_of_its_own(milvus: Milvus, server: MilvusServer) -> None:
    asked = definition()
    milvus.create_collection("default", "one", asked)
    milvus.create_collection("default", "two", asked)
    assert names(server) == {"one", "two"}


def test_partitions_indexes_names_and_their_end(milvus: Milvus, server: MilvusServer) -> None:
    milvus.create_collection("default", "orders", definition())
    milvus.create_partition("default", "orders", "north")
    milvus.create_index("default", "orders", "id", "by_id", {"index_type": "STL_SORT"})
    found = find_collection(server.store, KEYS, "default", "orders")
    assert found is not None
    assert set(found.partitions) == {"_default", "north"}
    assert [(each.index_name, each.fieldID) for each in found.indexes] == [("by_id", 100)]
    milvus.drop_index("default", "orders", "id", "by_id")
    milvus.rename_collection("default", "orders", "sales")
    renamed = find_collection(server.store, KEYS, "default", "sales")
    assert renamed is not None
    assert (renamed.id, renamed.indexes) == (found.id, ())
    milvus.drop_collection("default", "sales")
    assert names(server) == set()


def test_a_rename_stays_in_its_database(milvus: Milvus, server: MilvusServer) -> None:
    """Milvus 2.3.5 moves a collection to the database `default` when none is named."""
    server.troubles["RenameCollection"] = says()
    milvus.rename_collection("shop", "orders", "sales")
    assert server.calls("RenameCollection")[0].newDBName == "shop"


def test_milvus_tells_whether_it_has_a_collection(milvus: Milvus, server: MilvusServer) -> None:
    assert not milvus.has_collection("default", "orders")
    milvus.create_collection("default", "orders", definition())
    assert milvus.has_collection("default", "orders")
    server.troubles["HasCollection"] = lambda _request, _context: rpc.HasCollectionResponse(
        status=rpc.Status(code=100, reason="collection not found")
    )
    assert not milvus.has_collection("default", "orders")


def test_dropping_an_absent_collection_is_no_error(milvus: Milvus, server: MilvusServer) -> None:
    milvus.drop_collection("default", "nothing")
    assert server.calls("DropCollection")


def test_the_token_goes_with_every_call_and_into_no_message(server: MilvusServer) -> None:
    client = Milvus("prod", server.address, SecretStr("root:s3cret"))
    client.has_collection("default", "orders")
    assert base64.b64decode(server.metadata["authorization"]).decode() == "root:s3cret"
    server.troubles["DropCollection"] = aborts(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")
    with pytest.raises(AccessDenied, match=r"auth check failure.*RESTORE_MILVUS_TOKEN") as caught:
        client.drop_collection("default", "orders")
    assert "s3cret" not in f"{caught.value!r} {client.where}"
    client.close()


def test_without_a_token_none_is_sent(milvus: Milvus, server: MilvusServer) -> None:
    milvus.has_collection("default", "orders")
    assert "authorization" not in server.metadata


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (says(code=1100, reason="index type not match"), TargetMismatch),
        (says(error_code=1, reason="index type not match"), TargetMismatch),
        (says(code=1401, reason="index type not match"), AccessDenied),
        (says(code=8, reason="index type not match"), StoreUnavailable),
        (says(code=1, reason="index type not match"), StoreUnavailable),
        (says(code=55, retriable=True, reason="index type not match"), StoreUnavailable),
        (aborts(grpc.StatusCode.PERMISSION_DENIED, "index type not match"), AccessDenied),
        (aborts(grpc.StatusCode.UNIMPLEMENTED, "index type not match"), AccessDenied),
        (aborts(grpc.StatusCode.UNAVAILABLE, "index type not match"), StoreUnavailable),
        (aborts(grpc.StatusCode.DEADLINE_EXCEEDED, "index type not match"), StoreUnavailable),
        (aborts(grpc.StatusCode.RESOURCE_EXHAUSTED, "index type not match"), StoreUnavailable),
    ],
)
def test_what_milvus_says_no_to_is_named(
    milvus: Milvus, server: MilvusServer, trouble: Answer, error: type[RestoreError]
) -> None:
    server.troubles["CreateIndex"] = trouble
    with pytest.raises(error) as caught:
        milvus.create_index("default", "orders", "title", "by_title", {"index_type": "Trie"})
    assert type(caught.value) is error
    for part in (server.address, "'prod'", "CreateIndex", "index type not match"):
        assert part in str(caught.value)


def test_nobody_at_the_address_is_found_out_soon() -> None:
    closed = f"127.0.0.1:{port.pick(('closed',))['closed']}"
    client = Milvus("prod", closed)
    with pytest.raises(AccessDenied, match=rf"{closed}.*cannot be reached.*RESTORE_MILVUS_ADDRESS"):
        client.check()
    client.close()


def test_a_milvus_that_runs_passes_the_check(milvus: Milvus) -> None:
    milvus.check()
