"""The only worker ends in the middle of a snapshot; another one goes on with the same snapshot."""

import json
import threading
from collections.abc import Callable

from formats.metadata import read_metadata
from formats.proto.data_pb2 import SnapshotInfo, SnapshotStateCommitted, SnapshotStatePending
from samples.shape import BORN_MS, SampleShape, tso
from tests.e2e.slow_site import SlowSite
from tests.e2e.waiting import eventually
from tests.stores.faulty_s3 import Answer, Request

SHAPE = SampleShape(
    name="cut_off", segments=6, partitions=2, megabytes=0.2, dim=4, collection_id=tso(BORN_MS + 10**8)
)
WRITTEN = 3
TAKEN_OVER = 40
"""Seconds after which a dead worker's work goes on elsewhere."""


class Hold:
    """Lets a few manifests through, then none until it is opened."""

    def __init__(self) -> None:
        self.asked = 0
        self.opened = threading.Event()

    def __call__(self, request: Request, server: Callable[[Request], Answer]) -> Answer:
        if request.operation == "PutObject" and ".avro" in request.path:
            self.asked += 1
            if self.asked > WRITTEN:
                self.opened.wait(60)
        return server(request)


def test_after_kill_9_another_worker_completes_the_snapshot(slow: SlowSite) -> None:
    site, deployment = slow.site, slow.site.deployment
    deployment.sample(SHAPE)
    before = deployment.image()
    prefix = f"{deployment.meta}/datacoord-meta/snapshot/{SHAPE.collection_id}/"

    def infos() -> list[SnapshotInfo]:
        found = (SnapshotInfo.FromString(value) for _, value in deployment.scan(prefix))
        return [each for each in found if each.id != SHAPE.snapshot_id]

    hold = Hold()
    with slow.failing(hold):
        words = ("--type", "CreateSnapshot", "--task-queue", site.commands.queue, "-w", "taken-over")
        request = json.dumps({"collection": SHAPE.name, "name": "weekly"})
        site.commands.workflow("start", *words, "--input", request)
        eventually(lambda: hold.asked > WRITTEN, "some manifests are written and others wait")
        (pending,) = infos()
        assert pending.state == SnapshotStatePending

        site.worker.kill()
        known = len(slow.s3.requests)
        site.worker.start()
        hold.opened.set()
        eventually(lambda: len(slow.s3.requests) > known, "the work is taken over", TAKEN_OVER)
        told = site.commands.outcome("taken-over")

    assert told.status == "COMPLETED", told.message
    (committed,) = infos()
    assert (committed.state, committed.id) == (SnapshotStateCommitted, pending.id)
    body = deployment.s3.get_object(Bucket=deployment.bucket, Key=committed.s3_location)["Body"].read()
    metadata = read_metadata(body, key=committed.s3_location)
    assert len(metadata.segment_ids) == SHAPE.segments
    added = {key for key in deployment.image().objects if key not in before.objects}
    assert added == {*metadata.manifest_list, committed.s3_location}
