"""Each way of steering a large copy is answered within 5 s, whoever asks, while copies hang in flight."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from temporalio.client import Client

from samples.snapshot import WrittenSample
from tests.e2e.image import assert_rolled_back
from tests.e2e.site import Site
from tests.e2e.slow_site import SlowSite
from tests.e2e.test_steering import cancel_arrived
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually

SECONDS = 5.0
UPDATES: list[tuple[str, dict[str, int] | None]] = [
    ("pause", None),
    ("resume", None),
    ("set_concurrency", {"value": 3}),
]
Ask = Callable[[Site, str, str, dict[str, int] | None], dict[str, Any]]


def by_our_command(site: Site, restore: str, name: str, value: dict[str, int] | None) -> dict[str, Any]:
    words = [str(each) for each in (value or {}).values()]
    if name == "cancel":
        words = ["--detach"]
    answer: dict[str, Any] = site.commands.restore(name.replace("_", "-"), restore, *words, "-o", "json").json
    return answer


def by_temporals_command(site: Site, restore: str, name: str, value: dict[str, int] | None) -> dict[str, Any]:
    if name == "cancel":
        site.commands.workflow("cancel", "-w", restore)
        return {}
    words = ("--input", json.dumps(value)) if value else ()
    answer = site.commands.workflow("update", "execute", "-w", restore, "--name", name, *words).json
    told: dict[str, Any] = answer["result"]
    return told


def by_sdk(site: Site, restore: str, name: str, value: dict[str, int] | None) -> dict[str, Any]:
    """As the web UI asks as well: one JSON object, or none."""

    async def ask() -> dict[str, Any]:
        handle = (await Client.connect(site.commands.address)).get_workflow_handle(restore)
        if name == "cancel":
            await handle.cancel()
            return {}
        told: dict[str, Any] = await handle.execute_update(name, args=[value] if value else [])
        return told

    return asyncio.run(ask())


def times(site: Site, workflow_id: str, event: str) -> list[datetime]:
    """When the server wrote each event of this kind."""
    history = site.commands.workflow("show", "-w", workflow_id).json["events"]
    return [
        datetime.fromisoformat(each["eventTime"])
        for each in history
        if each["eventType"] == f"EVENT_TYPE_WORKFLOW_EXECUTION_{event}"
    ]


def seconds(asked: list[datetime], answered: list[datetime]) -> list[float]:
    return [(end - begin).total_seconds() for begin, end in zip(asked, answered, strict=True)]


@pytest.mark.parametrize("ask", [by_our_command, by_temporals_command, by_sdk])
def test_every_order_is_answered_and_obeyed(
    slow: SlowSite, large: WrittenSample, valve: Valve, ask: Ask
) -> None:
    site, target = slow.site, slow.site.target(large.shape)
    restore = site.commands.begin({"snapshot": large.uri, "target": target.name})
    slow.half_copied(valve, 50)

    told = {name: ask(site, restore, name, value) for name, value in UPDATES}
    ask(site, restore, "cancel", None)
    task = f"restore/default/{target.name}/task-0"
    eventually(lambda: cancel_arrived(site, target.name), "the copying is asked to stop")
    ordered, heard = times(site, restore, "CANCEL_REQUESTED"), times(site, task, "CANCEL_REQUESTED")
    accepted = times(site, restore, "UPDATE_ACCEPTED")
    took = seconds(accepted, times(site, restore, "UPDATE_COMPLETED"))
    valve.open()

    assert [told["pause"]["paused"], told["resume"]["paused"]] == [True, False]
    assert told["set_concurrency"]["concurrency"] == 3
    assert len(took) == len(UPDATES)
    assert max(took) < SECONDS
    assert (heard[-1] - ordered[0]).total_seconds() < SECONDS
    assert site.commands.outcome(restore).status == "CANCELED"
    assert_rolled_back(target.before, site.deployment.image())
