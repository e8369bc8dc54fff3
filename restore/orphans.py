"""Which restores have left something behind that nobody will come back for.

The rule, from top to bottom, the first that holds:

- without a reservation, one that has a certificate or a completed job is finished and has left nothing;
- a kept restore (`on_failure: keep`) waits for a later run and is left alone;
- one whose workflow runs, or whose rollback does, is left alone;
- one whose plan is not where this profile keeps plans is stuck: only its plan tells what belongs to it;
- one that was cut off while publishing is unfinished: part of it may be visible, so only finishing is right;
- one with any other reservation is an orphan;
- without a reservation, while a restore runs that has none either, a stored plan may be the one it is making;
- whatever else has a folder beside the data is an orphan.

An orphan is removed by RollbackRestore, what is unfinished is finished by the same RestoreSnapshot, started
again. What is stuck needs a person.
"""

from typing import Literal

from formats.model import Model
from restore.reservation import Owner

JobState = Literal["executing", "completed", "failed"]
Standing = Literal["running", "kept", "stuck", "unfinished", "orphan"]


class Trace(Model):
    """What the stores have of one restore: folder, plan and certificate, reservation, job record."""

    job_id: str
    stored: bool = False
    planned: bool = False
    certified: bool = False
    collection_id: int | None = None
    target: str | None = None
    owner: Owner | None = None
    job: JobState | None = None

    @property
    def workflow_id(self) -> str | None:
        """The restore's workflow, as its reservation names it or the command line would have."""
        return self.owner.workflow_id if self.owner else f"restore/{self.target}" if self.target else None

    @property
    def rollback_id(self) -> str:
        """The workflow that rolls it back, the same as the restore itself would start."""
        above = f"{self.workflow_id}/" if self.workflow_id else ""
        return f"{above}rollback-{self.job_id}"


class Runs(Model):
    """What Temporal says: running workflows of ours, owners it has never heard of, where it was asked."""

    running: frozenset[str]
    unknown: frozenset[str]
    unreserved: tuple[str, ...]
    where: str


class Verdict(Model):
    """Where a restore stands, why, and what to do."""

    standing: Standing
    reason: str
    advice: str = ""


def judge(trace: Trace, runs: Runs) -> Verdict | None:
    """Return where a restore stands by the rule above; None for one that has left nothing."""
    if trace.owner is None and (trace.certified or trace.job == "completed"):
        return None
    if trace.owner and trace.owner.state == "kept":
        return Verdict(standing="kept", reason=f"kept since {trace.owner.since} for a later run")
    for workflow in (trace.rollback_id, trace.workflow_id):
        if workflow in runs.running:
            return Verdict(standing="running", reason=f"the workflow {workflow} runs")
    return _owned(trace, trace.owner, runs) if trace.owner else _unowned(trace, runs)


def _owned(trace: Trace, owner: Owner, runs: Runs) -> Verdict:
    known = owner.workflow_id not in runs.unknown
    end = f"its workflow {owner.workflow_id} {'has ended' if known else f'is not known in {runs.where}'}"
    since = f"{owner.state.replace('_', ' ')} since {owner.since}, {end}"
    if not trace.planned:
        return _without_plan(f"{since}; its plan is absent")
    if owner.state == "publishing":
        return Verdict(standing="unfinished", reason=since, advice=_FINISH)
    return Verdict(standing="orphan", reason=since, advice=_REMOVE)


def _unowned(trace: Trace, runs: Runs) -> Verdict | None:
    if trace.stored and trace.job != "failed" and runs.unreserved:
        reason = f"perhaps being planned by {', '.join(runs.unreserved)}, which has no reservation yet"
        return Verdict(standing="running", reason=reason)
    if trace.stored:
        return Verdict(standing="orphan", reason=_WHY[trace.job], advice=_REMOVE)
    if trace.job == "executing":
        return _without_plan("its job has not ended; neither its plan nor its reservation is there")
    return None


def _without_plan(reason: str) -> Verdict:
    return Verdict(
        standing="stuck",
        reason=reason,
        advice="look whether the profile names the bucket and root path that it was restored to; if its plan "
        "is lost, drop its collection and remove its keys from etcd",
    )


_REMOVE = "doctor --orphans --confirm rolls it back"
_FINISH = "doctor --orphans --confirm finishes it, and so does the same restore started again"
_WHY: dict[JobState | None, str] = {
    "failed": "its rollback did not end",
    "executing": "its reservation is gone",
    None: "it ended before it reserved its target",
}
