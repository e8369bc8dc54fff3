"""create_target and remove_target: the target is made where it is absent, and only then ever removed."""

from temporalio import activity

from activities.opening import open_requested
from activities.pulse import Pulse, run_blocking
from activities.target_maker import TargetMaker
from activities.target_remover import TargetRemover
from restore.errors import TargetNotFound
from restore.steps import Fence, PlanOrder, Removal
from stores.clients import Clients


class CreatingActivities:
    """Both may be repeated: what is ours is written down before it appears."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def create_target(self, order: PlanOrder) -> str:
        """Return the id of the target, made like the snapshot's collection through Milvus's own API.

        Raises TargetMismatch when Milvus makes it otherwise or refuses it, TargetBusy when somebody else
        takes its name meanwhile; then nothing of it is left.
        """
        return await run_blocking(self._clients.work_threads, lambda pulse: self._create(order, pulse))

    @activity.defn
    async def remove_target(self, fence: Fence) -> Removal:
        """Drop the target that this restore made; one that existed, or is somebody else's by now, stays."""
        return await run_blocking(self._clients.work_threads, lambda _: self._remove(fence))

    def _create(self, order: PlanOrder, pulse: Pulse) -> str:
        request = order.request
        milvus = self._clients.milvus(request.destination)
        if milvus is None:
            raise TargetNotFound(
                f"collection {request.target!r} is absent, and profile {request.destination!r} has no Milvus "
                "address to make it with; set RESTORE_MILVUS_ADDRESS, or create it with the snapshot's schema"
            )
        maker = TargetMaker(self._clients, milvus, order, pulse)
        return str(maker.make(open_requested(request, self._clients)))

    def _remove(self, fence: Fence) -> Removal:
        origins = self._clients.origins(fence.destination, fence.job_id)
        origin = origins.find()
        if origin is None:
            return "none"
        removal = TargetRemover(self._clients, fence.destination, fence.job_id).remove(origin)
        if removal == "left":
            activity.logger.warning(
                "collection %s of database %s, which restore %s made, is left: it holds segments, or another "
                "restore has it",
                origin.collection,
                origin.database,
                origin.job_id,
            )
        return removal
