import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from formats.keys import MetaKeys
from restore.errors import Fenced, StoreUnavailable, TargetBusy
from restore.reservation import Owner, State
from stores.memory import MemoryMetadataStore
from stores.metadata import EtcdMetadataStore
from stores.ports import MetadataStore, Transaction
from stores.reservations import Reservations

COLLECTION = 444
RACERS = 8


@pytest.fixture
def keys(etcd_root: str) -> MetaKeys:
    return MetaKeys(etcd_root, "meta")


@pytest.fixture(params=["memory", "etcd"])
def metadata(request: pytest.FixtureRequest) -> Iterator[MetadataStore]:
    if request.param == "memory":
        yield MemoryMetadataStore()
        return
    store = EtcdMetadataStore.connect("default", [request.getfixturevalue("etcd_endpoint")])
    yield store
    store.close()


@pytest.fixture
def reservations(metadata: MetadataStore, keys: MetaKeys) -> Reservations:
    return Reservations(metadata, keys)


def owner(job: str = "1", state: State = "active") -> Owner:
    return Owner(
        job_id=job,
        workflow_id=f"restore/default/t{job}",
        state=state,
        since="2026-01-01T00:00:00+00:00",
        fingerprint="f",
    )


def take(reservations: Reservations, job: str = "1", **puts: bytes) -> int:
    return reservations.take(COLLECTION, owner(job), puts)


def state(reservations: Reservations) -> str | None:
    held = reservations.look(COLLECTION)
    return held[0].state if held else None


def value(metadata: MetadataStore, key: str) -> bytes | None:
    record = metadata.get(key)
    return record.value if record else None


@pytest.fixture
def job(etcd_root: str) -> str:
    """The key of a record that is written with a change."""
    return f"{etcd_root}/job"


def test_a_free_target_is_taken_with_its_job_in_one_step(
    reservations: Reservations, metadata: MetadataStore, job: str
) -> None:
    assert reservations.look(COLLECTION) is None
    epoch = reservations.take(COLLECTION, owner(), {job: b"executing"})
    held = reservations.look(COLLECTION)
    assert held is not None
    assert (held[0], held[1].mod_revision) == (owner(), epoch)
    record = metadata.get(job)
    assert record is not None
    assert (record.value, record.mod_revision) == (b"executing", epoch)


def test_of_many_takers_one_wins_and_the_others_hear_its_name(
    reservations: Reservations, metadata: MetadataStore, job: str
) -> None:
    start = threading.Barrier(RACERS)

    def race(number: int) -> str:
        start.wait()
        try:
            reservations.take(COLLECTION, owner(str(number)), {job: str(number).encode()})
        except TargetBusy as error:
            return str(error)
        return "won"

    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(race, range(RACERS)))
    winner = answers.index("won")
    assert answers.count("won") == 1
    assert value(metadata, job) == str(winner).encode()
    told = f"reserved by restore {winner} (workflow restore/default/t{winner}, active since 2026-01-01"
    assert all(told in answer for number, answer in enumerate(answers) if number != winner)


@pytest.mark.parametrize("there", ["active", "publishing", "kept", "rolling_back"])
def test_a_target_of_another_restore_is_busy_in_every_state(
    reservations: Reservations, metadata: MetadataStore, job: str, there: State
) -> None:
    epoch = take(reservations)
    if there != "active":
        epoch = reservations.change(COLLECTION, "1", epoch, there, {})
    with pytest.raises(TargetBusy, match=f"restore 1 .workflow restore/default/t1, {there} since"):
        reservations.take(COLLECTION, owner("2"), {job: b"2"})
    held = reservations.look(COLLECTION)
    assert held is not None
    assert held[1].mod_revision == epoch
    assert value(metadata, job) is None


def test_targets_are_reserved_one_by_one(reservations: Reservations) -> None:
    take(reservations)
    assert reservations.take(COLLECTION + 1, owner("2"), {}) > 0


def test_taking_twice_is_taking_once(reservations: Reservations, metadata: MetadataStore, job: str) -> None:
    epoch = reservations.take(COLLECTION, owner(), {job: b"first"})
    assert reservations.take(COLLECTION, owner(), {job: b"second"}) == epoch
    assert value(metadata, job) == b"first"


class Deaf(MemoryMetadataStore):
    """Commits, and loses the answer of each commit while `deaf`."""

    deaf = False

    def commit(self, transaction: Transaction) -> bool:
        done = super().commit(transaction)
        if self.deaf:
            raise StoreUnavailable(f"no answer, though it was {done}")
        return done


def test_after_a_lost_answer_the_same_epoch_is_found(keys: MetaKeys) -> None:
    deaf = Deaf()
    reservations = Reservations(deaf, keys)
    deaf.deaf = True
    with pytest.raises(StoreUnavailable):
        take(reservations)
    deaf.deaf = False
    epoch = take(reservations)
    held = reservations.look(COLLECTION)
    assert held is not None
    assert held[1].mod_revision == held[1].create_revision == epoch


def test_what_a_job_kept_it_takes_over_at_a_new_epoch(
    reservations: Reservations, metadata: MetadataStore, job: str
) -> None:
    first = take(reservations)
    kept = reservations.change(COLLECTION, "1", first, "kept", {})
    again = reservations.take(COLLECTION, owner(), {job: b"again"})
    assert first < kept < again
    assert state(reservations) == "active"
    assert value(metadata, job) == b"again"


@pytest.mark.parametrize("there", ["publishing", "rolling_back"])
def test_a_job_that_is_ending_is_not_taken_again(
    reservations: Reservations, metadata: MetadataStore, job: str, there: State
) -> None:
    reservations.change(COLLECTION, "1", take(reservations), there, {})
    with pytest.raises(Fenced, match=f"held by restore 1, {there}"):
        reservations.take(COLLECTION, owner(), {job: b"again"})
    assert state(reservations) == there
    assert value(metadata, job) is None


def test_a_change_raises_the_epoch_and_writes_its_records(
    reservations: Reservations, metadata: MetadataStore, job: str
) -> None:
    first = take(reservations)
    second = reservations.change(COLLECTION, "1", first, "publishing", {job: b"p"})
    assert second > first
    assert (state(reservations), value(metadata, job)) == ("publishing", b"p")


def test_a_change_made_twice_is_made_once(reservations: Reservations) -> None:
    first = take(reservations)
    second = reservations.change(COLLECTION, "1", first, "publishing", {})
    assert reservations.change(COLLECTION, "1", first, "publishing", {}) == second
    held = reservations.look(COLLECTION)
    assert held is not None
    assert held[1].mod_revision == second


def lose_to_rollback(reservations: Reservations, epoch: int) -> str:
    reservations.change(COLLECTION, "1", epoch, "rolling_back", {})
    return "held by restore 1, rolling_back"


def lose_to_nobody(reservations: Reservations, epoch: int) -> str:
    assert reservations.release(COLLECTION, epoch, {})
    return "it is gone"


def lose_to_another(reservations: Reservations, epoch: int) -> str:
    lose_to_nobody(reservations, epoch)
    take(reservations, "2")
    return "held by restore 2, active"


@pytest.mark.parametrize("lose", [lose_to_rollback, lose_to_nobody, lose_to_another])
def test_a_change_at_a_lost_epoch_is_fenced_and_changes_nothing(
    reservations: Reservations,
    metadata: MetadataStore,
    job: str,
    lose: Callable[[Reservations, int], str],
) -> None:
    epoch = take(reservations)
    why = lose(reservations, epoch)
    before = metadata.get(reservations.key(COLLECTION))
    with pytest.raises(Fenced, match=why):
        reservations.change(COLLECTION, "1", epoch, "publishing", {job: b"p"})
    assert metadata.get(reservations.key(COLLECTION)) == before
    assert value(metadata, job) is None


class Rival(MemoryMetadataStore):
    """Just before the next commit somebody else does `first`."""

    first: Callable[[], object] | None = None

    def commit(self, transaction: Transaction) -> bool:
        first, self.first = self.first, None
        if first:
            first()
        return super().commit(transaction)


def test_a_change_that_is_overtaken_is_fenced(keys: MetaKeys) -> None:
    store = Rival()
    reservations = Reservations(store, keys)
    epoch = take(reservations)
    store.first = lambda: reservations.change(COLLECTION, "1", epoch, "rolling_back", {})
    with pytest.raises(Fenced):
        reservations.change(COLLECTION, "1", epoch, "publishing", {})
    assert state(reservations) == "rolling_back"


def test_a_take_that_is_overtaken_names_the_winner(keys: MetaKeys) -> None:
    store = Rival()
    reservations = Reservations(store, keys)
    store.first = lambda: take(reservations, "2")
    with pytest.raises(TargetBusy, match="restore 2"):
        take(reservations, "1")


def test_released_is_free_again_and_writes_its_records(
    reservations: Reservations, metadata: MetadataStore, job: str
) -> None:
    assert reservations.release(COLLECTION, take(reservations), {job: b"done"})
    assert (state(reservations), value(metadata, job)) == (None, b"done")
    assert take(reservations, "2") > 0


def test_a_release_at_a_lost_epoch_changes_nothing(
    reservations: Reservations, metadata: MetadataStore, job: str
) -> None:
    epoch = take(reservations)
    reservations.change(COLLECTION, "1", epoch, "kept", {})
    assert not reservations.release(COLLECTION, epoch, {job: b"done"})
    assert (state(reservations), value(metadata, job)) == ("kept", None)


def test_the_guard_of_an_epoch_holds_until_the_next(
    reservations: Reservations, metadata: MetadataStore, job: str
) -> None:
    epoch = take(reservations)
    guards = [reservations.guard(COLLECTION, epoch)]
    assert metadata.commit(Transaction(guards, {job: b"1"}))
    reservations.change(COLLECTION, "1", epoch, "rolling_back", {})
    assert not metadata.commit(Transaction(guards, {job: b"2"}))
    assert value(metadata, job) == b"1"


class LateTry(MemoryMetadataStore):
    """In which, just before a transaction, an earlier try of the very same one arrives."""

    def commit(self, transaction: Transaction) -> bool:
        super().commit(transaction)
        return super().commit(transaction)


def test_a_change_that_a_late_try_of_an_earlier_attempt_made_first_is_made(keys: MetaKeys) -> None:
    metadata = LateTry()
    reservations = Reservations(metadata, keys)
    epoch = reservations.take(COLLECTION, owner(), {})

    changed = reservations.change(COLLECTION, "1", epoch, "publishing", {"job": b"shown"})

    held = reservations.look(COLLECTION)
    assert held is not None
    assert (held[0].state, held[1].mod_revision) == ("publishing", changed)
    assert changed > epoch
    assert value(metadata, "job") == b"shown"
