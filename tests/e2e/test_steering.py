"""A running restore cancelled, paused, resumed and slowed down, with both command lines."""

from samples.snapshot import WrittenSample
from tests.e2e.commands import assert_readable, ended
from tests.e2e.image import assert_rolled_back
from tests.e2e.site import Site
from tests.e2e.slow_site import SlowSite
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually


def cancel_arrived(site: Site, target: str) -> bool:
    """True when the copying itself was asked to stop."""
    return "WORKFLOW_EXECUTION_CANCEL_REQUESTED" in site.commands.happened(f"restore/default/{target}/task-0")


def assert_steerable_while_paused(site: Site, target: str) -> None:
    """A paused restore tells that it is, and takes another concurrency."""
    status = site.commands.restore("status", target, "-o", "json").json
    assert status["status"] == "running"
    assert status["progress"]["paused"] is True
    assert status["progress"]["phase"] == "copying"
    slower = site.commands.restore("set-concurrency", target, "1", "-o", "json").json
    assert slower["concurrency"] == 1
    progress = site.commands.progress(f"restore/default/{target}")
    assert (progress["paused"], progress["concurrency"]) == (True, 1)


def test_temporals_own_cancel_rolls_everything_back(
    slow: SlowSite, large: WrittenSample, valve: Valve
) -> None:
    site, target = slow.site, slow.site.target(large.shape)
    workflow_id = site.commands.begin({"snapshot": large.uri, "target": target.name})
    slow.half_copied(valve, 50)

    site.commands.workflow("cancel", "-w", workflow_id)
    eventually(lambda: cancel_arrived(site, target.name), "the copying is asked to stop")
    valve.open()

    assert site.commands.outcome(workflow_id).status == "CANCELED"
    assert "cancel" in assert_rolled_back(target.before, site.deployment.image()).reason
    assert site.commands.progress(workflow_id)["phase"] == "canceled"


def test_our_cancel_waits_until_everything_is_rolled_back(
    slow: SlowSite, large: WrittenSample, valve: Valve
) -> None:
    site, target = slow.site, slow.site.target(large.shape)
    watching = site.commands.spawn("start", large.uri, target.name)
    slow.half_copied(valve, 50)

    cancelling = site.commands.spawn("cancel", target.name)
    eventually(lambda: cancel_arrived(site, target.name), "the copying is asked to stop")
    valve.open()
    cancelled = ended(cancelling)
    after = site.deployment.image()

    assert cancelled.code == 0, cancelled.err
    assert_rolled_back(target.before, after)
    watched = ended(watching)
    assert watched.code == 3
    for said in (cancelled.err, watched.err):
        assert_readable(said)
        assert f"restore/default/{target.name} was cancelled and rolled back" in said


def test_a_paused_restore_copies_nothing_and_goes_on_when_resumed(
    slow: SlowSite, large: WrittenSample, valve: Valve
) -> None:
    site, target = slow.site, slow.site.target(large.shape)
    started = site.commands.restore("start", large.uri, target.name, "--detach", "-o", "json")
    assert started.code == 0, started.err
    slow.half_copied(valve, 50)

    # A pause waits for no copy in flight: these would hang for ever.
    paused = site.commands.restore("pause", target.name, "-o", "json")
    asked = valve.asked
    valve.open()
    eventually(lambda: valve.done == asked, "the copies in flight are done")
    there = site.deployment.image()

    assert paused.code == 0, paused.err
    assert paused.json["paused"] is True
    assert_steerable_while_paused(site, target.name)
    assert valve.asked == asked
    assert there.changes(site.deployment.image()) == set()

    resumed = site.commands.restore("resume", target.name)
    assert resumed.code == 0, resumed.err
    assert_readable(resumed.out)
    told = site.commands.outcome(f"restore/default/{target.name}")
    assert told.status == "COMPLETED", told.message
    site.assert_proved(large, target)
