"""What a worker logs of a restore, as a log collector reads it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from formats.proto.data_pb2 import CopySegmentTask
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from stores.ids import FIRST
from tests.e2e.site import Site, opened

FIELDS = {"taskID", "jobID", "collectionID", "state"}
OF_A_TASK = (
    "copy_objects",
    "verify_objects",
    "update_binlogs",
    "sync_vector_scalar_indexes",
    "sync_text_indexes",
    "sync_json_indexes",
    "complete_task",
)


@pytest.fixture(scope="module")
def logging_site(servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose worker logs JSON."""
    with opened(servers, tmp_path_factory.mktemp("logging"), {"RESTORE_LOG_FORMAT": "json"}) as running:
        yield running


def lines(log: Path, known: int) -> list[dict[str, Any]]:
    """What was logged after the first `known` bytes; every line is an object."""
    return [json.loads(line) for line in log.read_bytes()[known:].splitlines()]


def tasks(site: Site, job: str) -> set[str]:
    prefix = f"{site.deployment.meta}/datacoord-meta/copy-segment-task/"
    records = (CopySegmentTask.FromString(value) for _, value in site.deployment.scan(prefix))
    return {str(each.task_id) for each in records if str(each.job_id) == job}


def test_every_line_of_a_restore_says_what_it_belongs_to(logging_site: Site, large: WrittenSample) -> None:
    site, known = logging_site, logging_site.worker.log.stat().st_size
    target = site.target(large.shape)
    result = site.commands.execute({"snapshot": large.uri, "target": target.name}).result
    assert result
    found = lines(site.worker.log, known)
    assert all(each.keys() >= FIELDS for each in found)
    assert all(each["state"] != "-" for each in found), "every line belongs to the restore"
    opening = [each for each in found if each["message"].startswith("open_restore")]
    assert {each["jobID"] for each in found if each not in opening} == {result["job_id"]}
    unplanned = ("open_restore", "plan_restore", "phase planning")
    of_the_source = ("pin_source", "unpin_source")
    planned = [each for each in found if not each["message"].startswith((*unplanned, *of_the_source))]
    assert {each["collectionID"] for each in planned} == {result["collection_id"]}


def test_the_lines_of_a_task_name_it_as_its_record_does(logging_site: Site, large: WrittenSample) -> None:
    site, known = logging_site, logging_site.worker.log.stat().st_size
    target = site.target(large.shape)
    result = site.commands.execute({"snapshot": large.uri, "target": target.name}).result
    assert result
    recorded = tasks(site, result["job_id"])
    assert len(recorded) > 1
    found = [each for each in lines(site.worker.log, known) if each["message"].startswith(OF_A_TASK)]
    for step in OF_A_TASK:
        of_step = {each["taskID"] for each in found if each["message"].startswith(step)}
        assert of_step == recorded, step


def test_the_lines_of_a_failed_step_have_its_reason_and_its_task(logging_site: Site) -> None:
    """A log that begins with another byte than its kind, which only its rewriting meets, while copying."""
    site, known = logging_site, logging_site.worker.log.stat().st_size
    shape = SampleShape(name="torn", segments=1, megabytes=0.1, dim=4, partitions=1, shards=1)
    written = site.deployment.sample(shape)
    key, s3 = written.manifests[0].binlog_files[0].binlogs[0].log_path, site.deployment.s3
    body = s3.get_object(Bucket=written.bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=written.bucket, Key=key, Body=b"\0" + body[1:])
    request = {"snapshot": written.uri, "target": site.target(shape).name, "rewrite_descriptors": True}
    told = site.commands.execute(request)
    assert told.type == "SnapshotCorrupt"
    failed = [each for each in lines(site.worker.log, known) if key in json.dumps(each)]
    copying = [each for each in failed if each["state"] == "copying"]
    assert copying
    assert all(each["taskID"].isdecimal() and int(each["taskID"]) >= FIRST for each in copying)
