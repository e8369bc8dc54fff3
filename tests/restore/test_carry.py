from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from restore.carry import Carry, RestoreInput
from restore.plan import PlanRef
from restore.request import RestoreRequest
from restore.tally import Counts

LARGEST = 2**63 - 1
REF = PlanRef(
    job_id=str(2**41),
    collection_id=str(LARGEST),
    snapshot_name="nightly",
    profile="default",
    bucket="a-bucket",
    key=f"files/restores/{2**41}/plan.json.gz",
    digest="0" * 64,
    tasks=50_000,
    segments=100_000,
    rows=LARGEST,
    objects=10_000_000,
    bytes=LARGEST,
)


def carry(**changes: Any) -> Carry:
    entry: dict[str, Any] = {
        "plan": REF,
        "epoch": LARGEST,
        "search_attributes": True,
        "cursor": 25_000,
        "again": (24_990, 24_991),
        "done": Counts(tasks=25_000, segments=50_000, objects=5_000_000, skipped=7, bytes=LARGEST),
        "concurrency": 16,
        "paused": True,
        "started": datetime(2026, 1, 1, tzinfo=UTC),
        "copying": datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
    }
    return Carry(**{**entry, **changes})


def test_a_carry_goes_from_run_to_run_unchanged() -> None:
    given = RestoreInput(snapshot="s3://b/k", target="t", partitions=("a", "b"), carry=carry())
    assert RestoreInput.model_validate_json(given.model_dump_json()) == given


def test_a_restore_that_has_not_begun_to_copy_carries_no_time_of_it() -> None:
    given = carry(copying=None)
    assert Carry.model_validate_json(given.model_dump_json()).copying is None


def test_a_carry_of_a_huge_restore_is_small() -> None:
    assert len(carry().model_dump_json()) < 1_000


def test_the_carry_of_a_pause_of_256_children_stays_small() -> None:
    assert len(carry(again=tuple(range(24_000, 24_256))).model_dump_json()) < 4_000


def test_public_is_what_was_asked_for() -> None:
    request = RestoreRequest(snapshot="s3://b/k", target="t", database="d", verify="full", concurrency=3)
    given = RestoreInput(**request.model_dump(), carry=carry())
    assert given.public == request
    assert type(given.public) is RestoreRequest


def test_a_plain_request_is_an_input_without_a_carry() -> None:
    given = RestoreInput.model_validate_json('{"snapshot": "s3://b/k", "target": "t"}')
    assert given.carry is None
    assert given.public == RestoreRequest(snapshot="s3://b/k", target="t")


@pytest.mark.parametrize(
    "changes",
    [
        {"typo": 1},
        {"concurrency": 0},
        {"concurrency": 257},
        {"concurrency": "4"},
        {"verify": "md5"},
        {"target": ""},
    ],
    ids=str,
)
def test_an_input_is_as_strict_as_a_request(changes: dict[str, Any]) -> None:
    asked = {"snapshot": "s3://b/k", "target": "t", **changes}
    for model in (RestoreRequest, RestoreInput):
        with pytest.raises(ValidationError):
            model.model_validate(asked)
