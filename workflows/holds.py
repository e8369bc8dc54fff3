"""What a restore holds while it runs: its source by a pin, its target's objects by a pause."""

from restore.carry import Carry
from restore.request import RestoreRequest
from restore.steps import Opening
from workflows.collection_hold import CollectionHold
from workflows.source_hold import SourceHold


class Holds:
    """Both at once; what of them a run hands to the next one is `source.pin` and `collection.pause`."""

    def __init__(self, carry: Carry | None) -> None:
        self.source = SourceHold(carry.pin if carry else None)
        self.collection = CollectionHold(carry.pause if carry else None)

    async def take(self, request: RestoreRequest, opening: Opening) -> None:
        """Have the source pinned, and the target's garbage collection paused where that is configured."""
        await self.source.take(request, opening.job_id)
        if opening.pausable:
            await self.collection.take(request.destination)

    def renew(self, *, at_once: bool) -> None:
        """Have both renewed now and then."""
        self.source.renew(at_once=at_once)
        self.collection.renew(at_once=at_once)

    async def release(self, *, published: bool = False) -> None:
        """Hold nothing any more; what was `published` is kept until the coordinator can know of it."""
        await self.source.release()
        await self.collection.release(published=published)
