"""Whether the world is as it was before a restore, or as it must be after it: there is nothing between."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from formats.proto.data_pb2 import CopySegmentJob, CopySegmentJobFailed
from tests.e2e.image import ID_COUNTER, JOB, Image
from tests.faults.chronicle import events, wrong_publishing
from tests.faults.ground import Ground

RESERVATION = "/milvus-restore/reservation/"

_KEPT = re.compile(r"/restores/(\d+)/(plan\.json\.gz|(plan|proof)/\d{6}\.json\.gz|certificate\.json)$")
"""What stays beside the data of a restore that ended well."""


@dataclass
class Verdict:
    """`wrong` says what contradicts both worlds; `orphans` are objects and uploads that nobody owns."""

    wrong: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


def judge(ground: Ground, servers: Mapping[str, str], *, completed: bool) -> Verdict:
    """Compare the world with what the restore's end promises."""
    before, after = ground.target.before, ground.deployment.image()
    verdict = Verdict(orphans=[f"upload of {key}" for key in after.uploads])
    happened = events(servers, ground.deployment.etcd_root, ground.revision)
    verdict.wrong += wrong_publishing(happened, ground.target.collection, completed)
    verdict.wrong += [f"{key} is left" for key in after.records if RESERVATION in key]
    if completed:
        _judge_after(ground, before, after, verdict)
    else:
        _judge_before(before, after, verdict)
    if ground.source is not ground.deployment and ground.untouched.changes(ground.source.image()):
        verdict.wrong.append("the source was changed")
    return verdict


def _judge_before(before: Image, after: Image, verdict: Verdict) -> None:
    verdict.orphans += sorted(after.objects.keys() - before.objects.keys())
    changed = before.objects.items() - after.objects.items()
    verdict.wrong += [f"object {key} was changed or removed" for key, _ in changed]
    records = {key for key, _ in before.records.items() ^ after.records.items()}
    records = {key for key in records if not key.endswith(ID_COUNTER) and RESERVATION not in key}
    jobs = {key for key in records if JOB in key}
    verdict.wrong += [f"record {key} is not as it was" for key in sorted(records - jobs)]
    verdict.wrong += [fault for key in jobs for fault in _not_failed(key, after)]
    verdict.wrong += [f"{len(jobs)} jobs were left: {jobs}"] if len(jobs) > 1 else []


def _not_failed(key: str, after: Image) -> Iterator[str]:
    job = CopySegmentJob.FromString(after.records.get(key, b""))
    if job.state != CopySegmentJobFailed or not job.reason:
        yield f"the job {key} is in state {job.state}, reason {job.reason!r}"


def _forget_rolled_back(ground: Ground, before: Image, after: Image) -> None:
    """Remove the record of a restore that could not be kept, which another one has come after."""
    jobs = [key for key in after.records.keys() - before.records.keys() if JOB in key]
    for key in jobs if ground.scenario.on_failure == "keep" and len(jobs) == 2 else ():
        if not list(_not_failed(key, after)):
            ground.deployment.write(key, None)


def _judge_after(ground: Ground, before: Image, after: Image, verdict: Verdict) -> None:
    _forget_rolled_back(ground, before, after)
    proof = ground.deployment.prove(ground.written, before, ground.target.collection)
    verdict.wrong += [str(each) for each in proof.differences]
    jobs = {key.rpartition("/")[2] for key in after.records.keys() - before.records.keys() if JOB in key}
    new = after.objects.keys() - before.objects.keys()
    kept = {key for key in new if (found := _KEPT.search(key)) and found[1] in jobs}
    if len(new - kept) != ground.written.objects:
        verdict.orphans.append(
            f"{len(new - kept) - ground.written.objects} objects more than the snapshot has"
        )
    verdict.orphans += sorted(key for key in new - kept if "/restores/" in key)
