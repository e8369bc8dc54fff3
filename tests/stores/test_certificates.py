import pytest

from restore.errors import InvalidRequest
from stores.certificates import certificate_at, plan_root, read_certificate
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://b/files/restores/7/certificate.json", Location("b", "files/restores/7/certificate.json")),
        ("restores/7/certificate.json", Location("own", "restores/7/certificate.json")),
    ],
)
def test_a_certificate_is_named_by_uri_or_key(text: str, place: Location) -> None:
    assert certificate_at(text, "own") == place


@pytest.mark.parametrize("text", ["", "/", "s3://b", "s3:///k", "https://b/k"])
def test_other_texts_name_no_certificate(text: str) -> None:
    with pytest.raises(InvalidRequest, match="expected s3://bucket/key or a key"):
        certificate_at(text, "own")


@pytest.mark.parametrize("root", ["", "files", "a/restores/7"])
def test_the_root_of_the_plan_is_that_of_the_certificate(root: str) -> None:
    key = f"{root}/restores/7/certificate.json".lstrip("/")
    assert plan_root(Location("b", key), "7") == root


@pytest.mark.parametrize(
    "key", ["certificate.json", "files/restores/8/certificate.json", "xrestores/7/certificate.json"]
)
def test_a_certificate_that_was_moved_away_has_no_plan_beside_it(key: str) -> None:
    with pytest.raises(InvalidRequest, match="does not lie where restore 7 put it"):
        plan_root(Location("b", key), "7")


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[1]"])
def test_what_is_no_certificate_is_named(body: bytes) -> None:
    store = MemoryObjectStore("b")
    store.put(Location("b", "k"), body)
    with pytest.raises(InvalidRequest, match="s3://b/k is no certificate of a restore"):
        read_certificate(store, Location("b", "k"))
