"""Fakes of the pause of garbage collection over a World, which counts pauses as newer clusters do."""

import inspect
from collections.abc import Callable
from typing import Any

from temporalio import activity

from restore.collection_pause import CollectionPause
from tests.workflows.world import World


class FakePauseActivities:
    """What the real ones ask of Milvus, done to the tickets of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def all(self) -> list[Callable[..., Any]]:
        """Every fake, for a worker."""
        methods = (method for _, method in inspect.getmembers(self, inspect.ismethod))
        return [method for method in methods if hasattr(method, "__temporal_activity_definition")]

    @activity.defn
    async def pause_collection(self, pause: CollectionPause) -> CollectionPause:
        await self._world.step("pause_collection")
        self._world.tickets += 1
        ticket = f"ticket-{self._world.tickets}"
        self._world.pauses.add(ticket)
        self._world.pauses.discard(pause.ticket or "")
        return pause.model_copy(update={"ticket": ticket})

    @activity.defn
    async def resume_collection(self, pause: CollectionPause) -> None:
        await self._world.step("resume_collection")
        self._world.pauses.discard(pause.ticket or "")
