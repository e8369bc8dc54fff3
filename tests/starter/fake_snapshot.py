"""A CreateSnapshot that keeps the contract and writes nothing; the snapshot's name says how it goes."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from restore.snapshot_request import SnapshotRequest, SnapshotResult

TAKEN = SnapshotResult(
    snapshot_id="4611686018427387905",
    collection_id="4611686018427387904",
    segments=24,
    rows=1_200_000,
    objects=5_310,
    bytes=3 * 2**30,
    metadata="s3://a-bucket/files/snapshots/4611686018427387904/metadata/4611686018427387905.json",
    recorded="milvus",
)


@workflow.defn(name="CreateSnapshot")
class FakeSnapshot:
    """`fail_TYPE` fails, `hold` waits for a cancel; `ours` is one that Milvus does not know."""

    @workflow.run
    async def run(self, request: SnapshotRequest) -> SnapshotResult:
        how, _, rest = request.name.partition("_")
        if how == "fail":
            raise ApplicationError(f"{request.full_name} in words", type=rest, non_retryable=True)
        if how == "hold":
            await asyncio.Event().wait()
        return TAKEN.model_copy(update={"recorded": "milvus-restore"}) if how == "ours" else TAKEN
