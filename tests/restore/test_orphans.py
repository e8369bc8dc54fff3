"""The rule by which a restore is judged, line by line."""

from typing import Any

import pytest

from restore.orphans import Runs, Trace, judge
from restore.reservation import Owner, State

RESTORE, ROLLBACK = "restore/default/orders", "restore/default/orders/rollback-7"


def owner(state: State = "active") -> Owner:
    return Owner(job_id="7", workflow_id=RESTORE, state=state, since="then", fingerprint="f")


def trace(**known: Any) -> Trace:
    return Trace(**{"job_id": "7", "stored": True, "planned": True, "target": "default/orders", **known})


def runs(*running: str, unreserved: tuple[str, ...] = (), unknown: tuple[str, ...] = ()) -> Runs:
    return Runs(
        running=frozenset(running), unknown=frozenset(unknown), unreserved=unreserved, where="namespace 'n'"
    )


def standing(of: Trace, now: Runs) -> str | None:
    verdict = judge(of, now)
    return verdict.standing if verdict else None


@pytest.mark.parametrize("finished", [{"certified": True}, {"job": "completed"}])
@pytest.mark.parametrize("now", [runs(), runs(RESTORE), runs(unreserved=("another",))])
def test_what_is_finished_has_left_nothing_whatever_runs(finished: dict[str, Any], now: Runs) -> None:
    assert judge(trace(**finished), now) is None


def test_of_what_was_rolled_back_only_the_job_is_left_and_nobody_minds() -> None:
    assert judge(trace(stored=False, planned=False, target=None, job="failed"), runs()) is None


@pytest.mark.parametrize("running", [(), (RESTORE,)])
def test_what_is_kept_is_kept(running: tuple[str, ...]) -> None:
    assert standing(trace(owner=owner("kept")), runs(*running)) == "kept"


@pytest.mark.parametrize("running", [RESTORE, ROLLBACK])
@pytest.mark.parametrize("state", ["active", "publishing", "rolling_back"])
def test_who_runs_or_is_rolled_back_is_left_alone(running: str, state: State) -> None:
    assert standing(trace(owner=owner(state)), runs(running)) == "running"
    assert standing(trace(job="failed"), runs(running)) == "running"


@pytest.mark.parametrize("state", ["active", "rolling_back"])
def test_a_reservation_whose_workflow_does_not_run_is_an_orphans(state: State) -> None:
    for now in (runs(), runs("restore/default/other", unreserved=("restore/default/other",))):
        assert standing(trace(owner=owner(state), job="executing"), now) == "orphan"


def test_it_says_whether_the_workflow_has_ended_or_was_never_heard_of() -> None:
    ended, unknown = (judge(trace(owner=owner()), each) for each in (runs(), runs(unknown=(RESTORE,))))
    assert ended is not None
    assert unknown is not None
    assert ended.reason == f"active since then, its workflow {RESTORE} has ended"
    assert unknown.reason == f"active since then, its workflow {RESTORE} is not known in namespace 'n'"


@pytest.mark.parametrize(
    "cut_off",
    [
        {"owner": owner("publishing"), "planned": False},
        {"owner": owner("active"), "planned": False, "stored": False},
        {"stored": False, "planned": False, "job": "executing"},
    ],
    ids=["publishing without a plan", "no plan", "job alone"],
)
def test_what_only_a_person_can_judge_is_stuck_and_says_what_to_do(cut_off: dict[str, Any]) -> None:
    verdict = judge(trace(**cut_off), runs())
    assert verdict is not None
    assert (verdict.standing, verdict.advice != "") == ("stuck", True)


@pytest.mark.parametrize("certified", [False, True])
def test_what_was_cut_off_while_publishing_is_unfinished(certified: bool) -> None:
    assert standing(trace(owner=owner("publishing"), certified=certified), runs()) == "unfinished"


@pytest.mark.parametrize("job", [None, "executing", "failed"])
def test_a_folder_without_a_reservation_is_an_orphans_unless_it_may_be_in_the_making(job: Any) -> None:
    assert standing(trace(job=job), runs()) == "orphan"
    expected = "orphan" if job == "failed" else "running"
    assert standing(trace(job=job), runs(unreserved=("restore/default/other",))) == expected


def test_a_rollback_has_the_id_that_the_restore_itself_would_give_it() -> None:
    assert trace(owner=owner()).rollback_id == trace().rollback_id == ROLLBACK
    assert trace(target=None).rollback_id == "rollback-7"
