"""What is wrong with an input is said at once, in words: nothing waits, nothing is begun."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from restore.carry import Carry
from restore.errors import InvalidRequest
from restore.plan import PlanRef
from restore.steps import RollbackRequest
from restore.tally import Counts
from tests.workflows.trial import Trial, failure_of

# These workflows end in their first task, where it makes no difference whether a worker keeps workflows.
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.parametrize("cache", [1000], ids=["cached"])]

SOUND = {"snapshot": "orders/nightly", "target": "orders"}


async def refusal(trial: Trial, *values: Any, workflow: str = "RestoreSnapshot") -> ApplicationError:
    async with asyncio.timeout(10):
        failure = await failure_of(await trial.begin(workflow, *values))
    assert failure.type == "InvalidRequest"
    assert trial.world.remains == []
    assert trial.world.job == 2**40, "nothing was opened"
    return failure


@pytest.mark.parametrize("values", [(), (None,)], ids=["none", "null"])
async def test_a_missing_input_names_both_required_fields(trial: Trial, values: tuple[object, ...]) -> None:
    failure = await refusal(trial, *values)

    assert failure.message == "fields snapshot and target: Field required; the input is one JSON object"


async def test_two_inputs_are_refused(trial: Trial) -> None:
    failure = await refusal(trial, SOUND, {"concurrency": 4})

    assert failure.message == "one JSON object is expected as input, 2 values were given"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": "orders"}, "field targets: Extra inputs are not permitted, found 'orders'"),
        (
            {"snapshot": 7},
            "field snapshot: Input should be a valid string, found 7",
        ),
        ({"snapshot": ""}, "field snapshot: String should have at least 1 character, found ''"),
        ({"target": None}, "field target: Input should be a valid string, found None"),
        (
            {"concurrency": "8"},
            "field concurrency: Input should be a valid integer, found '8'",
        ),
        (
            {"concurrency": 0},
            "field concurrency: Input should be greater than or equal to 1, found 0",
        ),
        (
            {"concurrency": 257},
            "field concurrency: Input should be less than or equal to 256, found 257",
        ),
        ({"verify": "md5"}, "field verify: Input should be 'size', 'etag' or 'full', found 'md5'"),
        ({"on_failure": True}, "field on_failure: Input should be 'rollback' or 'keep', found True"),
        (
            {"rewrite_descriptors": "yes"},
            "field rewrite_descriptors: Input should be a valid boolean, found 'yes'",
        ),
        ({"partitions": "p1"}, "field partitions: Input should be a valid array, found 'p1'"),
        ({"partitions": ["p", 1]}, "field partitions.1: Input should be a valid string, found 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_a_wrong_field_is_named_with_what_was_found(
    trial: Trial, change: dict[str, Any], message: str
) -> None:
    assert (await refusal(trial, SOUND | change)).message == message


async def test_a_missing_field_is_named(trial: Trial) -> None:
    assert (await refusal(trial, {"snapshot": "s"})).message == "field target: Field required"


async def test_all_wrong_fields_are_named_at_once(trial: Trial) -> None:
    failure = await refusal(trial, {"target": "", "verify": "no", "more": 1})

    for field in ("snapshot", "target", "verify", "more"):
        assert f"field {field}: " in failure.message


@pytest.mark.parametrize("value", ["orders/nightly", 7, [SOUND]], ids=["text", "number", "list"])
async def test_an_input_that_is_no_object_is_refused(trial: Trial, value: object) -> None:
    assert "field (whole input): " in (await refusal(trial, value)).message


async def test_a_carry_from_outside_is_no_way_past_planning_and_reserving(trial: Trial) -> None:
    carry = Carry(
        plan=PlanRef(
            job_id="7",
            collection_id="449",
            snapshot_name="nightly",
            profile="default",
            bucket="b",
            key="k",
            digest="0",
            tasks=1,
            segments=1,
            rows=1,
            objects=1,
            bytes=1,
        ),
        epoch=0,
        search_attributes=False,
        cursor=1,
        again=(),
        done=Counts(),
        concurrency=1,
        paused=False,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        copying=None,
    )

    failure = await refusal(trial, SOUND | {"carry": carry.model_dump(mode="json")})

    assert failure.message.startswith("field carry: ")
    assert trial.world.completion is None
    assert trial.world.rollbacks == []


async def test_a_damaged_carry_is_refused_like_any_wrong_field(trial: Trial) -> None:
    assert "field carry.plan: Field required" in (await refusal(trial, SOUND | {"carry": {}})).message


async def test_a_task_started_by_hand_says_what_it_misses(trial: Trial) -> None:
    failure = await refusal(trial, {"index": 1}, workflow="CopySegment")

    assert "field plan: Field required" in failure.message


async def test_null_for_a_rollback_names_the_field(trial: Trial) -> None:
    for values in ((), (None,)):
        failure = await refusal(trial, *values, workflow="RollbackRestore")
        assert failure.message == "field job_id: Field required; the input is one JSON object"


async def test_a_rollback_says_what_is_wrong_with_its_input(trial: Trial) -> None:
    failure = await refusal(trial, {"job": "1"}, workflow="RollbackRestore")

    assert "field job_id: Field required" in failure.message
    assert "field job: Extra inputs are not permitted" in failure.message


async def test_a_rollback_of_what_no_job_can_be_called_is_refused_with_the_reason(trial: Trial) -> None:
    trial.world.errors = {"fence_restore": InvalidRequest("job_id must be a number, found 'x'")}

    failure = await refusal(trial, RollbackRequest(job_id="x"), workflow="RollbackRestore")

    assert failure.message == "job_id must be a number, found 'x'"
