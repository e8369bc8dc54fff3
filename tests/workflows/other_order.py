"""A RestoreSnapshot that decides differently: it sleeps where the real one opens the snapshot."""

from temporalio import workflow

from restore.carry import RestoreInput


@workflow.defn(name="RestoreSnapshot")
class OtherRestore:
    @workflow.run
    async def run(self, request: RestoreInput | None = None) -> None:
        await workflow.sleep(1)
