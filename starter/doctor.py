"""`milvus-restore doctor`: what keeps restores from running, and what they have left behind."""

import asyncio
from typing import Annotated

import typer
from temporalio.client import Client

from restore.errors import InvalidRequest
from restore.settings import DEFAULT, Settings
from starter import options
from starter.checks import Check, check_profile, check_temporal
from starter.connection import Flags, connect, perform
from starter.diagnosis import Diagnosis, Leftovers, as_text
from starter.exit_codes import ExitCode, Stop
from starter.orphans import settle, survey
from stores.clients import Clients
from stores.ids import FIRST, LAST
from stores.job_ledger import JobLedger
from stores.reservations import now
from stores.strays import find_strays


def doctor(
    context: typer.Context,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Also look for what killed or foreign restores have left.")
    ] = False,
    profile: Annotated[
        str | None, typer.Option(help="Look at this profile; else at all, for orphans at the default one.")
    ] = None,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm",
            help="With --orphans: remove them, by a RollbackRestore each; finish what was publishing.",
        ),
    ] = False,
    task_queue: Annotated[
        str | None, typer.Option(help="Of the workers; else RESTORE_TASK_QUEUE or the settings file's.")
    ] = None,
    output: options.Output = "text",
) -> None:
    """Look at settings, stores, Temporal and workers, and say what to do.

    Restores that run or are kept are listed and never touched. Exit code 1 while there is something to do.
    """
    wanted = (orphans, confirm)
    perform(_doctor(options.flags(context), profile, task_queue, wanted, as_json=output == "json"))


async def _doctor(
    flags: Flags, profile: str | None, task_queue: str | None, wanted: tuple[bool, bool], *, as_json: bool
) -> ExitCode:
    orphans, confirm = wanted
    if confirm and not orphans:
        raise InvalidRequest("--confirm removes what --orphans lists; give both")
    settings = Settings.load(task_queue=task_queue)
    names = [settings.profile(profile).name] if profile else list(settings.profiles)
    clients = Clients(settings)
    try:
        client, checks = await _checks(flags, settings, clients, names)
        diagnosis = Diagnosis(checks=tuple(checks))
        if orphans and client and _can_be_asked(checks, profile or DEFAULT):
            left = await _leftovers(client, settings, clients, profile or DEFAULT, confirm=confirm)
            diagnosis = Diagnosis(checks=tuple(checks), leftovers=left)
    finally:
        clients.close()
    typer.echo(diagnosis.model_dump_json(indent=2) if as_json else as_text(diagnosis))
    if orphans and diagnosis.leftovers is None:
        typer.echo("what restores have left was not looked for: solve the problems above first", err=True)
    return ExitCode.COMPLETED if diagnosis.healthy else ExitCode.FAILED


async def _checks(
    flags: Flags, settings: Settings, clients: Clients, names: list[str]
) -> tuple[Client | None, list[Check]]:
    checks = [Check(what="settings", state="ok", found=f"profiles {', '.join(settings.profiles)}")]
    for name in names:
        checks += await asyncio.to_thread(check_profile, clients, name)
    try:
        client = await connect(flags)
    except Stop as stop:
        found, _, advice = str(stop).partition("; ")
        return None, [*checks, Check(what="Temporal", state="problem", found=found, advice=advice)]
    where = f"namespace '{client.namespace}' at {client.service_client.config.target_host}"
    checks.append(Check(what="Temporal", state="ok", found=where))
    return client, [*checks, *await check_temporal(client, settings.task_queue)]


def _can_be_asked(checks: list[Check], profile: str) -> bool:
    return not any(each.state == "problem" and f"of '{profile}'" in each.what for each in checks)


async def _leftovers(
    client: Client, settings: Settings, clients: Clients, profile: str, *, confirm: bool
) -> Leftovers:
    metadata, keys = clients.metadata(profile), clients.keys(profile)
    ledger = JobLedger(metadata, keys)
    left = Leftovers(
        profile=profile,
        remains=tuple(await survey(client, clients, profile)),
        strays=await asyncio.to_thread(find_strays, metadata, keys),
        expired=await asyncio.to_thread(ledger.expired, now(), _is_ours),
    )
    if not confirm:
        return left
    # A second look: what has come to life, or was removed by somebody else meanwhile, is left alone.
    still = {(each.job_id, each.standing) for each in await survey(client, clients, profile)}
    known = [each for each in left.orphans if (each.job_id, each.standing) in still]
    removed = await settle(client, clients, settings.task_queue, profile, known)
    await asyncio.to_thread(ledger.sweep, now(), _is_ours)
    return left.model_copy(update={"removed": tuple(removed), "expired": 0})


def _is_ours(job_id: int) -> bool:
    return FIRST <= job_id <= LAST
