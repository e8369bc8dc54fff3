import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from restore.certificate import Certificate, ProofSums, ProvedObject, TaskProof, merkle
from restore.request import RestoreRequest
from tests.restore.plans import snapshot, target

texts = st.text(max_size=8)


def leaf(text: str) -> bytes:
    return hashlib.sha256(b"\x00" + text.encode()).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


A, B, C, D, E = map(leaf, "ABCDE")


@pytest.mark.parametrize(
    ("leaves", "root"),
    [
        ("A", A),
        ("AB", node(A, B)),
        ("ABC", node(node(A, B), C)),
        ("ABCD", node(node(A, B), node(C, D))),
        ("ABCDE", node(node(node(A, B), node(C, D)), E)),
    ],
)
def test_the_root_is_that_of_a_binary_tree_whose_odd_node_is_carried_up(leaves: str, root: bytes) -> None:
    assert merkle(leaves) == root.hex()


def test_nothing_has_the_root_of_nothing() -> None:
    assert merkle([]) == hashlib.sha256(b"").hexdigest()


@given(st.lists(texts, min_size=1), st.data())
def test_any_other_leaf_changes_the_root(leaves: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(texts)
    assume(other != leaves[at])
    assert merkle([*leaves[:at], other, *leaves[at + 1 :]]) != merkle(leaves)


@given(st.lists(texts, min_size=1, unique=True), texts)
def test_one_leaf_more_changes_the_root(leaves: list[str], more: str) -> None:
    assert merkle([*leaves, more]) != merkle(leaves)


@given(st.lists(texts, min_size=2, unique=True))
def test_another_order_changes_the_root(leaves: list[str]) -> None:
    assert merkle(reversed(leaves)) != merkle(leaves)


def proved(key: str = "files/a", **changes: object) -> ProvedObject:
    entry = {"key": key, "size": 10, "etag": "e1", "sha256": None, "proof": "etag"}
    return ProvedObject.model_validate({**entry, **changes})


@pytest.mark.parametrize(
    "changed",
    [
        proved(key="files/b"),
        proved(size=11),
        proved(etag="e2"),
        proved(sha256="5a"),
    ],
    ids=["key", "size", "etag", "hash"],
)
def test_the_root_of_a_task_tells_key_size_and_content(changed: ProvedObject) -> None:
    assert TaskProof(objects=(changed,)).root != TaskProof(objects=(proved(),)).root


def test_where_a_hash_is_known_the_etag_does_not_matter() -> None:
    one, other = proved(sha256="5a", etag="e1-2"), proved(sha256="5a", etag="e2-4")
    assert TaskProof(objects=(one,)).root == TaskProof(objects=(other,)).root


def test_sums_tell_roots_kinds_and_what_only_a_listing_proves() -> None:
    tasks = (
        TaskProof(objects=(proved(), proved(sha256="5a", proof="sha256")), by_listing=("7",)),
        TaskProof(objects=(proved(),), by_listing=("8", "9")),
    )
    sums = ProofSums.of(iter(tasks))
    assert sums.root == merkle(task.root for task in tasks)
    assert sums.proofs == {"etag": 2, "sha256": 1}
    assert sums.segments_by_listing == 3


def test_a_certificate_is_read_as_it_was_written() -> None:
    certificate = Certificate(
        job_id=str(2**40),
        request=RestoreRequest(snapshot="s3://origin/x", target="t"),
        snapshot=snapshot(),
        target=target(),
        segments=1,
        rows=2,
        objects=3,
        objects_skipped=0,
        bytes=4,
        root=merkle(["A"]),
        proofs={"etag": 2, "sha256": 1},
        segments_by_listing=1,
        started_at="2026-01-01T00:00:00+00:00",
        completed_at="2026-01-01T00:00:01+00:00",
        software="milvus-restore 0",
    )
    assert Certificate.model_validate_json(certificate.model_dump_json()) == certificate
