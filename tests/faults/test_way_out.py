"""Refusals that only an operator can end, and how a restore goes on when they have ended."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from restore.progress import Progress
from tests.e2e.image import JOB, assert_rolled_back
from tests.faults.fault import Fault
from tests.faults.ground import Ground, prepared
from tests.faults.hand import Hand
from tests.faults.run import restore
from tests.faults.scenario import Scenario
from tests.faults.steps import Step
from tests.faults.test_every_step import TINY
from tests.faults.verdict import judge


async def message(temporal: Client, ground: Ground) -> str:
    handle: Any = temporal.get_workflow_handle(f"restore/default/{ground.target.name}")
    progress: Progress = await handle.query("progress", result_type=Progress)
    return progress.message


@pytest.mark.parametrize("step", ["publish", "complete"])
async def test_publishing_waits_until_it_may_and_then_ends(
    servers: dict[str, str], temporal: Client, tmp_path: Path, hand: Hand, step: Step
) -> None:
    scenario = Scenario(0, TINY, faults=(Fault("denied", step),), drawn=False)
    with prepared(servers, tmp_path, scenario, hand) as ground:
        restoring = asyncio.ensure_future(restore(ground, hand, temporal))
        async with asyncio.timeout(60):
            while not ground.gate.struck or "a store refuses" not in await message(temporal, ground):
                await asyncio.wait([restoring], timeout=0.1)

        ground.gate.close()  # the right is given back

        assert await restoring == "completed"
        await asyncio.to_thread(hand.crew.dismiss)
        verdict = judge(ground, servers, completed=True)
        assert (verdict.wrong, verdict.orphans) == ([], [])


@pytest.mark.parametrize("step", ["fence", "remove objects", "release"])
async def test_a_rollback_that_may_not_says_so_and_can_be_started_again_by_hand(
    servers: dict[str, str], temporal: Client, tmp_path: Path, hand: Hand, step: Step
) -> None:
    faults = (Fault("denied", step), Fault("cancel", "stage", 2, late=True))
    with prepared(servers, tmp_path, Scenario(0, TINY, faults=faults, drawn=False), hand) as ground:
        ending = await restore(ground, hand, temporal)
        assert ending.startswith("failed: RollbackIncomplete")
        assert "AccessDenied" in ending or "permission denied" in ending
        ground.gate.close()

        job = next(key.rpartition("/")[2] for key in ground.deployment.image().records if JOB in key)
        undo = {"job_id": job, "reason": "by hand"}
        await temporal.execute_workflow(
            "RollbackRestore", undo, id=f"undo-{ground.target.name}", task_queue=ground.queue
        )

        await asyncio.to_thread(hand.crew.dismiss)
        assert_rolled_back(ground.target.before, ground.deployment.image())
