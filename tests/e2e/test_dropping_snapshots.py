"""Snapshots held, let go and dropped, on real servers; a restore holds its source while it runs."""

import json
import threading
import time

from formats.proto.data_pb2 import SnapshotInfo, SnapshotStateDeleting
from samples.shape import BORN_MS, SampleShape, tso
from samples.snapshot import WrittenSample
from tests.e2e.commands import Told, assert_readable
from tests.e2e.image import Image
from tests.e2e.site import Site
from tests.e2e.slow_site import SlowSite
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually
from tests.stores.faulty_s3 import Answer, Request, Server

TAKEN_OVER = 60


def taken(site: Site, number: int) -> WrittenSample:
    """A collection with a snapshot `nightly` in the catalog."""
    shape = SampleShape(
        name=f"held_{number}",
        segments=3,
        l0_segments=1,
        partitions=2,
        megabytes=0.2,
        dim=4,
        collection_id=tso(BORN_MS + (1200 + number) * 60_000),
    )
    return site.deployment.sample(shape)


def record_key(site: Site, written: WrittenSample) -> str:
    shape = written.shape
    return f"{site.deployment.meta}/datacoord-meta/snapshot/{shape.collection_id}/{shape.snapshot_id}"


def record(site: Site, written: WrittenSample) -> SnapshotInfo:
    (found,) = site.deployment.scan(record_key(site, written))
    return SnapshotInfo.FromString(found[1])


def drop(site: Site, written: WrittenSample) -> Told:
    fields = json.dumps({"collection": written.shape.name, "name": written.shape.snapshot})
    queue = site.commands.queue
    return Told.read(
        site.commands.workflow("execute", "--type", "DropSnapshot", "--task-queue", queue, "--input", fields)
    )


def assert_only_dropped(site: Site, written: WrittenSample, before: Image) -> None:
    """Its own files and its record are gone, and all else is as it was."""
    shape, after = written.shape, site.deployment.image()
    folder = f"{shape.root}/snapshots/{shape.collection_id}/"
    own = {key for key in before.objects if key.startswith(folder)}
    assert len(own) == len(written.manifests) + 1
    assert before.changes(after) == own | {record_key(site, written)}
    assert own.isdisjoint(after.objects)
    assert record_key(site, written) not in after.records


def test_a_restore_holds_its_source_until_it_has_ended(slow: SlowSite, valve: Valve) -> None:
    site = slow.site
    written = taken(site, 1)
    name, unpinned = f"{written.shape.name}/{written.shape.snapshot}", record(site, written)
    target = site.target(written.shape)
    workflow_id = site.commands.begin({"snapshot": name, "target": target.name})
    slow.half_copied(valve, 5)

    assert len(record(site, written).pin_ids) == 1
    refused = site.commands.restore("snapshot", "drop", *name.split("/"))
    assert (refused.code, "SnapshotPinned" in refused.err) == (1, True)
    assert str(record(site, written).pin_ids[0]) in refused.err
    valve.open()

    told = site.commands.outcome(workflow_id)
    assert told.status == "COMPLETED", told.message
    assert record(site, written) == unpinned
    site.assert_proved(written, target)
    before = site.deployment.image()
    assert drop(site, written).result == {
        "dropped": True,
        "snapshot_id": str(written.shape.snapshot_id),
        "files": len(written.manifests) + 1,
    }
    assert_only_dropped(site, written, before)


def test_a_drop_whose_worker_was_killed_is_finished_by_the_next(slow: SlowSite) -> None:
    site = slow.site
    written = taken(site, 2)
    before, reached, go_on = site.deployment.image(), threading.Event(), threading.Event()

    def hold(request: Request, server: Server) -> Answer:
        if request.operation == "DeleteObjects" and not reached.is_set():
            reached.set()
            go_on.wait(TAKEN_OVER)
        return server(request)

    with slow.failing(hold):
        words = ("snapshot", "drop", written.shape.name, written.shape.snapshot, "-o", "json")
        waiting = site.commands.spawn(*words)
        eventually(reached.is_set, "files are being removed")
        site.worker.kill()
        assert record(site, written).state == SnapshotStateDeleting
        go_on.set()
        site.worker.start()
        out, err = waiting.communicate(timeout=TAKEN_OVER)

    assert waiting.returncode == 0, err
    assert json.loads(out)["result"]["dropped"] is True
    assert_only_dropped(site, written, before)
    assert drop(site, written).result == {"dropped": False, "snapshot_id": None, "files": 0}


def test_pins_from_the_command_line_bar_a_drop_until_they_are_taken_back(site: Site) -> None:
    written, stores = taken(site, 3), site.deployment.settings
    name, before = f"{written.shape.name}/{written.shape.snapshot}", site.deployment.image()

    pinned = site.commands.restore("snapshot", "pin", name, "--ttl", "12h", "-o", "json", more=stores)

    assert pinned.code == 0, pinned.err
    pin = pinned.json["pin_id"]
    info = record(site, written)
    assert [str(each) for each in info.pin_ids] == [pin]
    assert abs(info.pin_expire_at_ms[int(pin)] / 1000 - time.time() - 12 * 3600) < 120
    (told,) = site.commands.restore("snapshot", "describe", name, "-o", "json", more=stores).json["pins"]
    assert (told["pin_id"], told["expires_at"]) == (pin, pinned.json["expires_at"])
    refused = drop(site, written)
    assert (refused.status, refused.type, pin in refused.message) == ("FAILED", "SnapshotPinned", True)
    freed = site.commands.restore("snapshot", "unpin", name, pin, more=stores)
    assert_readable(freed.out)
    assert site.commands.restore("snapshot", "unpin", name, pin, more=stores).code == 0, "idempotent"
    assert before.changes(site.deployment.image()) == set()

    wrong = site.commands.restore("snapshot", "pin", name, "--ttl", "31d", more=stores)
    assert (wrong.code, "at most 30d" in wrong.err) == (2, True)
    absent = site.commands.restore("snapshot", "pin", f"{written.shape.name}/none", more=stores)
    assert (absent.code, "SnapshotNotFound" in absent.err) == (1, True)
    dropped = site.commands.restore("snapshot", "drop", *name.split("/"))
    assert dropped.code == 0, dropped.err
    assert_only_dropped(site, written, before)
