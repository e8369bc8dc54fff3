"""CollectGarbage: looks, and removes only what it is told to and what may go."""

import pytest

from restore.errors import AccessDenied, SnapshotCorrupt
from restore.garbage import Collected, Litter
from tests.workflows.trial import Trial, ends_cancelled, failure_of

pytestmark = pytest.mark.usefixtures("worker")

PENDING = Litter(kind="pending", what="snapshot a", why="pending since long ago", record="a")
KEPT = Litter(kind="deleting", what="snapshot b", why="half dropped", record="b", kept="c names it")


@pytest.fixture
def orphan(trial: Trial) -> Litter:
    return Litter(
        kind="restore", what="restore 7", why="nobody", job_id="7", rollback_id=f"{trial.id}/rollback-7"
    )


@pytest.fixture(autouse=True)
def litter(trial: Trial, orphan: Litter) -> None:
    trial.world.litter = [PENDING, KEPT, orphan]
    trial.world.snapshots = {"a": "PENDING", "b": "DELETING"}
    trial.world.plans = {"7"}


async def test_nothing_is_removed_unless_it_is_confirmed(trial: Trial, orphan: Litter) -> None:
    result = await (await trial.begin("CollectGarbage")).result()

    assert (result.confirmed, result.found, result.collected) == (False, (PENDING, KEPT, orphan), ())
    assert set(trial.world.snapshots) == {"a", "b"}
    assert trial.world.plans == {"7"}


async def test_what_may_go_is_removed_and_what_must_stay_stays(trial: Trial, orphan: Litter) -> None:
    result = await (await trial.begin("CollectGarbage", {"confirm": True})).result()

    assert result.collected == (Collected(litter=PENDING), Collected(litter=orphan))
    assert set(trial.world.snapshots) == {"b"}
    assert trial.world.plans == set()
    assert [each.job_id for each in trial.world.rollbacks] == ["7"]


async def test_an_unreadable_snapshot_stops_it(trial: Trial) -> None:
    trial.world.errors["find_garbage"] = SnapshotCorrupt("manifest m is absent")

    failure = await failure_of(await trial.begin("CollectGarbage", {"confirm": True}))

    assert (failure.type, failure.message) == ("SnapshotCorrupt", "manifest m is absent")
    assert set(trial.world.snapshots) == {"a", "b"}


async def test_one_that_cannot_be_removed_keeps_no_other(trial: Trial) -> None:
    trial.world.errors["collect_snapshot"] = AccessDenied("the bucket refuses")

    result = await (await trial.begin("CollectGarbage", {"confirm": True})).result()

    assert [each.failure for each in result.collected] == ["the bucket refuses", None]
    assert trial.world.plans == set()


async def test_a_cancel_ends_it_between_two_pieces(trial: Trial) -> None:
    trial.world.held = {"collect_snapshot"}
    collection = await trial.begin("CollectGarbage", {"confirm": True})
    await trial.world.reached("collect_snapshot")

    await collection.cancel()

    await ends_cancelled(collection)
    assert trial.world.plans == {"7"}


async def test_bad_input_is_refused(trial: Trial) -> None:
    failure = await failure_of(await trial.begin("CollectGarbage", {"confirm": "yes"}))

    assert (failure.type, "confirm" in failure.message) == ("InvalidRequest", True)
