"""The only worker ends in the middle of copying; another one goes on where it was."""

from samples.snapshot import WrittenSample
from stores.clients import COPY_THREADS
from tests.e2e.slow_site import SlowSite
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually

TAKEN_OVER = 40
"""Seconds after which a dead worker's work goes on elsewhere."""


def assert_nothing_copied_twice(valve: Valve, written: WrittenSample) -> None:
    """The second worker looked at what was there; only what was in flight may have been asked for twice."""
    assert valve.asked <= written.objects + COPY_THREADS


def test_after_kill_9_another_worker_completes_the_restore(
    slow: SlowSite, large: WrittenSample, valve: Valve
) -> None:
    site, target = slow.site, slow.site.target(large.shape)
    workflow_id = site.commands.begin({"snapshot": large.uri, "target": target.name})
    slow.half_copied(valve, 100)

    site.worker.kill()
    known = len(slow.s3.requests)
    site.worker.start()
    eventually(lambda: len(slow.s3.requests) > known, "the work is taken over", TAKEN_OVER)
    valve.open()

    told = site.commands.outcome(workflow_id)
    assert told.status == "COMPLETED", told.message
    assert told.result
    assert told.result["objects"] == large.objects
    assert told.result["objects_skipped"] > 0
    assert_nothing_copied_twice(valve, large)
    site.assert_proved(large, target)


def test_after_sigterm_another_worker_completes_the_restore(
    slow: SlowSite, large: WrittenSample, valve: Valve
) -> None:
    site, target = slow.site, slow.site.target(large.shape)
    workflow_id = site.commands.begin({"snapshot": large.uri, "target": target.name})
    slow.half_copied(valve, 100)

    site.worker.ask_to_end()
    eventually(lambda: "Beginning worker shutdown" in site.worker.log.read_text(), "it has heard")
    asked = valve.asked
    valve.drip(site.worker.has_ended, "the worker has ended")
    assert site.worker.exit_code == 0
    assert valve.asked == asked < large.objects, "a copy was begun after SIGTERM"
    site.worker.start()
    valve.open()

    told = site.commands.outcome(workflow_id)
    assert told.status == "COMPLETED", told.message
    assert told.result
    assert told.result["objects_skipped"] > 0
    assert_nothing_copied_twice(valve, large)
    site.assert_proved(large, target)
