"""A server that soon finds a history long, so that restores go on in new runs early."""

import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from restore.steps import CopyReport
from tests.workflows.trial import Restore
from workflows import search_attributes
from workflows.plugin import RestorePlugin

LONG = 60
"""Events after which the server suggests a new run; it is 4,096 by default."""


@asynccontextmanager
async def impatient_server(identity: str | None = None) -> AsyncIterator[Client]:
    """A client, known by its identity, of such a server with the contract's search attributes."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sysconfig.get_path("scripts"), "temporal")),
        dev_server_startup_timeout=timedelta(seconds=60),
        dev_server_log_level="error",
        dev_server_extra_args=["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={LONG}"],
        search_attributes=[
            search_attributes.TARGET,
            search_attributes.SNAPSHOT_NAME,
            search_attributes.PHASE,
            search_attributes.PERCENT,
        ],
        plugins=[RestorePlugin()],
        identity=identity,
    ) as environment:
        yield environment.client


async def lengthen(restore: Restore) -> None:
    """Make the history of a restore's newest run long, with harmless events."""
    for _ in range(LONG):
        await restore.signal("report_copied", CopyReport(index=0, objects=0, bytes=0))
