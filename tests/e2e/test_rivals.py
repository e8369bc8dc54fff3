"""Two restores into one target, and one through a store that refuses again and again."""

import random
import threading
from collections.abc import Callable

from formats.proto.data_pb2 import CopySegmentJob
from samples.snapshot import WrittenSample
from tests.e2e.bad_input import assert_told
from tests.e2e.commands import Told
from tests.e2e.site import Site, Target
from tests.e2e.slow_site import SlowSite
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually
from tests.stores.faulty_s3 import Answer, Request, error

REFUSED = 0.30
LOST = 0.05


class Storm:
    """Of all requests some are refused, and of some that were executed the answer is lost."""

    def __init__(self) -> None:
        self._dice = random.Random(7)
        self._one = threading.Lock()
        self.refused = 0
        self.lost = 0

    def __call__(self, request: Request, server: Callable[[Request], Answer]) -> Answer | None:
        with self._one:
            fate = self._dice.random()
            self.refused += fate < REFUSED
            self.lost += REFUSED <= fate < REFUSED + LOST
        if fate < REFUSED:
            return error(503, "SlowDown")
        answer = server(request)
        return None if fate < REFUSED + LOST else answer


def status(site: Site, workflow_id: str) -> str:
    described: str = site.commands.describe(workflow_id)["workflowExecutionInfo"]["status"]
    return described.removeprefix("WORKFLOW_EXECUTION_STATUS_")


def plans(site: Site, target: Target) -> set[str]:
    """The jobs that left a folder beside the data."""
    new = site.deployment.image().objects.keys() - target.before.objects.keys()
    return {key.split("/")[2] for key in new if key.split("/")[1] == "restores"}


def test_of_two_restores_at_once_one_completes_and_the_other_names_it(
    slow: SlowSite, small: WrittenSample, valve: Valve
) -> None:
    site, target = slow.site, slow.site.target(small.shape)
    request = {"snapshot": small.uri, "target": target.name}

    rivals = [site.commands.begin(request) for _ in range(2)]
    eventually(lambda: any(status(site, each) == "FAILED" for each in rivals), "one of them gives way")
    valve.open()

    told = {each.status: each for each in map(site.commands.outcome, rivals)}
    assert told.keys() == {"COMPLETED", "FAILED"}
    winner, loser = told["COMPLETED"], told["FAILED"]
    assert winner.result
    assert loser.type == "TargetBusy"
    assert winner.workflow_id in loser.message
    assert winner.result["job_id"] in loser.message
    assert plans(site, target) == {winner.result["job_id"]}
    forget_failed_job(site, loser.message)
    site.assert_proved(small, target)


def forget_failed_job(site: Site, reason: str) -> None:
    """Take away the one record that a restore which gave way leaves: its job's, with the reason."""
    jobs = site.deployment.scan(f"{site.deployment.meta}/datacoord-meta/copy-segment-job/")
    failed = {key: job for key, value in jobs if (job := CopySegmentJob.FromString(value)).reason}
    assert [job.reason for job in failed.values()] == [reason]
    for key in failed:
        site.deployment.write(key, None)


def test_our_command_tells_who_owns_the_target(slow: SlowSite, small: WrittenSample, valve: Valve) -> None:
    site, target = slow.site, slow.site.target(small.shape)
    owner = site.commands.begin({"snapshot": small.uri, "target": target.name})
    slow.half_copied(valve, 10)

    first = site.commands.restore("start", small.uri, target.name)
    valve.open()

    assert_told(first, "TargetBusy", (owner,))
    told: Told = site.commands.outcome(owner)
    assert told.status == "COMPLETED", told.message
    site.assert_proved(small, target)


def test_a_store_that_refuses_every_third_request_is_restored_from_all_the_same(
    slow: SlowSite, small: WrittenSample
) -> None:
    site, target, storm = slow.site, slow.site.target(small.shape), Storm()

    with slow.failing(storm):
        told = site.commands.execute({"snapshot": small.uri, "target": target.name})

    assert told.status == "COMPLETED", told.message
    assert storm.refused > small.objects / 5
    assert storm.lost > 3
    site.assert_proved(small, target)
