"""`milvus-restore tasks`: the tasks of a restore's job as Milvus's etcd records them."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from formats.job_records import JOB_STATES, TASK_STATES
from formats.model import Model
from formats.proto.data_pb2 import CopySegmentJob, CopySegmentTask
from restore.errors import InvalidRequest
from starter import options
from starter.connection import perform
from starter.exit_codes import ExitCode
from starter.stores_work import in_thread, opened_clients
from starter.tables import aligned
from stores.job_ledger import JobLedger


class State(StrEnum):
    """What `--state` takes; the names are those of TASK_STATES."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


_NANOSECONDS = 10**9


class TaskRow(Model):
    """One task. Ids are text; `worker` is the process that took it up last, of `attempts`; times are UTC."""

    task_id: str
    state: str
    segments: int
    worker: int | None
    attempts: int
    created: datetime | None
    ended: datetime | None
    reason: str


class TaskReport(Model):
    """A job and those of its tasks that were asked for."""

    job_id: str
    collection_id: str
    state: str
    reason: str
    segments: int
    segments_done: int
    tasks: tuple[TaskRow, ...]


def tasks(
    job: Annotated[int, typer.Argument(metavar="JOB", help="The job's id, as the restore's result has it.")],
    state: Annotated[
        list[State] | None, typer.Option(help="Only tasks in this state; may be given several times.")
    ] = None,
    destination: Annotated[str, typer.Option(help="Profile that is restored to.")] = "default",
    output: options.Output = "text",
) -> None:
    """List the tasks of a restore's job, by state if wanted: who has them, since when, why they failed.

    The records are Milvus's own kind, in the destination's etcd; they go with a rollback, else some hours
    after the end. Works without Temporal and without a worker.
    """
    perform(_tasks(job, frozenset(state or ()), destination, as_json=output == "json"))


async def _tasks(job: int, states: frozenset[State], profile: str, *, as_json: bool) -> ExitCode:
    with opened_clients() as clients:
        ledger = JobLedger(clients.metadata(profile), clients.keys(profile))
        report = await in_thread(lambda _: _report(ledger, job, states))
    typer.echo(report.model_dump_json(indent=2) if as_json else _as_text(report))
    return ExitCode.COMPLETED


def _report(ledger: JobLedger, number: int, states: frozenset[State]) -> TaskReport:
    job = ledger.job(number)
    if job is None:
        raise InvalidRequest(
            f"etcd has no record of job {number}; it is kept for some hours after the job's end, and "
            "`milvus-restore status` tells of older restores"
        )
    rows = sorted(map(_row, ledger.tasks(number)), key=lambda row: int(row.task_id))
    return _of_job(job, tuple(row for row in rows if not states or row.state in states))


def _of_job(job: CopySegmentJob, rows: tuple[TaskRow, ...]) -> TaskReport:
    return TaskReport(
        job_id=str(job.job_id),
        collection_id=str(job.collection_id),
        state=JOB_STATES.get(job.state, str(job.state)),
        reason=job.reason,
        segments=job.total_segments,
        segments_done=job.copied_segments,
        tasks=rows,
    )


def _row(task: CopySegmentTask) -> TaskRow:
    return TaskRow(
        task_id=str(task.task_id),
        state=TASK_STATES.get(task.state, str(task.state)),
        segments=len(task.id_mappings),
        worker=task.node_id or None,
        attempts=task.task_version,
        created=_moment(task.created_ts),
        ended=_moment(task.complete_ts),
        reason=task.reason,
    )


def _moment(nanoseconds: int) -> datetime | None:
    return datetime.fromtimestamp(nanoseconds / _NANOSECONDS, UTC) if nanoseconds else None


def _as_text(report: TaskReport) -> str:
    done = f"{report.segments_done:,} of {report.segments:,} segments"
    title = f"job {report.job_id} into collection {report.collection_id} is {report.state}: {done}"
    head = ("task", "state", "segments", "worker", "attempts", "created (UTC)", "ended (UTC)", "reason")
    lines = [title, *([f"  {report.reason}"] if report.reason else [])]
    rows = [tuple(map(_cell, row.model_dump().values())) for row in report.tasks]
    return "\n".join([*lines, *([aligned([head, *rows])] if rows else ["  no such task"])])


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "-" if value in (None, "") else str(value)
