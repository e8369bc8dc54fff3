"""A restore that was terminated, which gives it no time to clean up, and is rolled back by hand."""

import json

from samples.snapshot import WrittenSample
from tests.e2e.image import JOB, assert_rolled_back
from tests.e2e.site import Site, Target
from tests.e2e.slow_site import SlowSite
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually


def job_of(site: Site, target: Target) -> str:
    new = site.deployment.image().records.keys() - target.before.records.keys()
    return next(key.rpartition("/")[2] for key in new if JOB in key)


def roll_back(site: Site, job_id: str) -> str:
    """Start a rollback by hand, and return its workflow id."""
    undo = json.dumps({"job_id": job_id})
    words = ("--type", "RollbackRestore", "--task-queue", site.commands.queue, "-w", f"undo-{job_id}")
    return str(site.commands.workflow("start", *words, "--input", undo).json["workflowId"])


def waits_or_has_removed_objects(site: Site, rollback: str) -> bool:
    happened = site.commands.happened(rollback)
    return "TIMER_STARTED" in happened or happened.count("ACTIVITY_TASK_COMPLETED") > 2


def test_copies_that_end_after_the_terminate_are_removed_too(
    slow: SlowSite, large: WrittenSample, valve: Valve
) -> None:
    site, target = slow.site, slow.site.target(large.shape)
    workflow_id = site.commands.begin({"snapshot": large.uri, "target": target.name})
    slow.half_copied(valve, 50)

    site.commands.workflow("terminate", "-w", workflow_id)
    rollback = roll_back(site, job_of(site, target))
    eventually(lambda: waits_or_has_removed_objects(site, rollback), "records are removed")
    asked = valve.asked
    valve.open()

    told = site.commands.outcome(rollback)
    assert told.status == "COMPLETED", told.message
    assert valve.done >= asked, "copies that were in flight have ended since"
    assert_rolled_back(target.before, site.deployment.image())


def test_what_runs_is_not_rolled_back_by_hand(slow: SlowSite, large: WrittenSample, valve: Valve) -> None:
    site, target = slow.site, slow.site.target(large.shape)
    workflow_id = site.commands.begin({"snapshot": large.uri, "target": target.name})
    slow.half_copied(valve, 50)

    refused = site.commands.outcome(roll_back(site, job_of(site, target)))
    valve.open()

    assert (refused.status, refused.type) == ("FAILED", "InvalidRequest")
    assert f"the workflow {workflow_id} of this restore runs" in refused.message
    told = site.commands.outcome(workflow_id)
    assert told.status == "COMPLETED", told.message
    site.assert_proved(large, target)
