"""Whatever is done to both metadata stores, both show the same world."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores.memory import MemoryMetadataStore
from stores.metadata import EtcdMetadataStore
from stores.ports import Guard, MetadataStore, Transaction


@pytest.fixture(scope="module")
def etcd(etcd_endpoint: str) -> Iterator[EtcdMetadataStore]:
    store = EtcdMetadataStore.connect("default", [etcd_endpoint])
    yield store
    store.close()


@pytest.fixture
def root(etcd_root: str) -> str:
    return f"{etcd_root}/"


NAMES = st.sampled_from(["a", "a/b", "b", "é"])
STEPS = st.lists(
    st.tuples(
        st.dictionaries(NAMES, st.sampled_from(["absent", "current", "old"]), max_size=2),
        st.dictionaries(NAMES, st.binary(max_size=3), max_size=3),
        st.lists(NAMES, max_size=2),
    ),
    max_size=8,
)


def guards_of(store: MetadataStore, root: str, wanted: dict[str, str]) -> list[Guard]:
    guards = []
    for name, kind in wanted.items():
        record = store.get(root + name)
        now = record.mod_revision if record else 0
        guards.append(Guard(root + name, {"absent": 0, "current": now, "old": max(now - 1, 0)}[kind]))
    return guards


def shape(store: MetadataStore, root: str) -> list[tuple[str, bytes, bool]]:
    """All that the two stores must agree on; their revisions count from different beginnings."""
    return [
        (each.key.removeprefix(root), each.value, each.create_revision == each.mod_revision)
        for each in store.scan(root)
    ]


@given(steps=STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_twins_agree_on_any_sequence_of_transactions(
    etcd: EtcdMetadataStore, root: str, steps: list[tuple[dict[str, str], dict[str, bytes], list[str]]]
) -> None:
    assert etcd.commit(Transaction(deletes=[root + name for name in ("a", "a/b", "b", "é")]))
    twins: tuple[MetadataStore, MetadataStore] = (MemoryMetadataStore(), etcd)
    for guards, puts, deletes in steps:
        outcomes = [
            store.commit(
                Transaction(
                    guards_of(store, root, guards),
                    {root + name: value for name, value in puts.items()},
                    [root + name for name in deletes if name not in puts],
                )
            )
            for store in twins
        ]
        assert outcomes[0] == outcomes[1]
        assert shape(twins[0], root) == shape(twins[1], root)
