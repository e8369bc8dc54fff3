"""`milvus-restore gc`: what snapshots and restores have left, told or removed, once or by a schedule."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

import typer
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from restore.errors import InvalidRequest
from restore.garbage import PENDING_MINUTES, GarbageRequest, GarbageResult
from restore.settings import Settings
from starter import options
from starter.connection import Flags, connect, perform
from starter.errands import Ended, Rows, awaited, report, send
from starter.exit_codes import ExitCode

WORKFLOW: Final = "CollectGarbage"
_SHORTEST_HOURS: Final = 1


class SeenGarbage(GarbageResult, extra="ignore"):
    """A result as answered by a worker that may be newer than this command line."""


def gc(
    context: typer.Context,
    confirm: Annotated[bool, typer.Option("--confirm", help="Remove what is found.")] = False,
    profile: Annotated[str, typer.Option(help="Profile of the cluster.")] = "default",
    pending_minutes: Annotated[
        int, typer.Option(min=1, help="Age from which a snapshot that was never committed is garbage.")
    ] = PENDING_MINUTES,
    every_hours: Annotated[
        int | None,
        typer.Option(min=_SHORTEST_HOURS, help="Not now, but every so many hours, by a Temporal Schedule."),
    ] = None,
    task_queue: Annotated[
        str | None, typer.Option(help="Of the workers; else RESTORE_TASK_QUEUE or the settings file's.")
    ] = None,
    output: options.Output = "text",
) -> None:
    """List what snapshots and restores have left behind, and with --confirm remove it.

    Snapshots never committed or half dropped, expired pins, plans and staged data of restores that nobody
    comes back for. Nothing that a committed snapshot names is removed, and nothing at all while one cannot be
    read.
    """
    request = GarbageRequest(profile=profile, confirm=confirm, pending_minutes=pending_minutes)
    perform(_gc(options.flags(context), request, every_hours, task_queue, as_json=output == "json"))


async def _gc(
    flags: Flags, request: GarbageRequest, every_hours: int | None, task_queue: str | None, *, as_json: bool
) -> ExitCode:
    settings = Settings.load(task_queue=task_queue)
    settings.profile(request.profile)
    client, workflow_id = await connect(flags), f"gc/{request.profile}"
    if every_hours is not None:
        if as_json:
            raise InvalidRequest("--every-hours only sets up a schedule, so there is nothing for -o json")
        await schedule(client, workflow_id, request, settings.task_queue, timedelta(hours=every_hours))
        typer.echo(f"the schedule {workflow_id} runs every {every_hours} h")
        return ExitCode.COMPLETED
    # A run that only looks must not be taken for one that removes.
    handle = await send(
        client,
        WORKFLOW,
        request,
        workflow_id=workflow_id if request.confirm else f"{workflow_id}/dry-run",
        queue=settings.task_queue,
        result=SeenGarbage,
        summary=f"Garbage of {request.profile}",
    )
    ended = await awaited(handle, Ended[SeenGarbage])
    code = report(ended, _rows, as_json=as_json)
    failed = ended.result and any(each.failure for each in ended.result.collected)
    return ExitCode.FAILED if failed else code


async def schedule(client: Client, name: str, request: GarbageRequest, queue: str, every: timedelta) -> None:
    """Have a Temporal Schedule of this name that collects this garbage, in place of any earlier one."""
    action = ScheduleActionStartWorkflow(WORKFLOW, request, id=name, task_queue=queue)
    wanted = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )

    def renewed(found: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(schedule=replace(wanted, state=found.description.schedule.state))

    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(renewed)


def _rows(result: SeenGarbage) -> Rows:
    rows = [("read", f"{result.snapshots} committed snapshots")]
    fates = {(each.litter.what, each.litter.kind): each.failure for each in result.collected}
    for each in result.found:
        fate = "would be removed; --confirm removes it"
        if each.kept:
            fate = f"stays: {each.kept}"
        elif result.confirmed:
            failure = fates.get((each.what, each.kind))
            fate = f"NOT removed: {failure}" if failure else "removed"
        rows.append((each.kind, f"{each.what}: {each.why}; {fate}"))
    if not result.found:
        rows.append(("found", "nothing"))
    if result.more:
        rows.append(("more", "there is more than one run takes; run it again"))
    return rows
