"""What happened to a target's records during a run, in etcd's own order."""

from collections.abc import Iterator, Mapping

from formats.job_records import is_completed
from formats.proto.common_pb2 import Flushed
from formats.proto.data_pb2 import SegmentInfo
from stores.etcd import Etcd3Client, Event, PutEvent
from tests.e2e.image import JOB

_END = "the-end-of-the-run"


def events(servers: Mapping[str, str], root: str, revision: int) -> list[Event]:
    """Every change below a root after a revision."""
    with Etcd3Client(servers["RESTORE_ETCD_ENDPOINTS"].split(",")) as etcd:
        etcd.put(f"{root}/{_END}", "")
        changes, cancel = etcd.watch_prefix(f"{root}/", revision + 1)
        found = list(_until_the_end(changes))
        cancel()
        etcd.delete(f"{root}/{_END}")
    return found


def wrong_publishing(happened: list[Event], collection: int, completed: bool) -> list[str]:
    """What contradicts this: each segment became visible before the job's end and never changed again."""
    visible: dict[str, int] = {}
    wrong, over = [], 0
    for event in happened:
        key = event.key.decode()
        if JOB in key and isinstance(event, PutEvent) and is_completed(event.value):
            wrong += [f"the job was completed twice, at {over} and {event.mod_revision}"] if over else []
            over = over or event.mod_revision
        if f"/{collection}/" not in key or "/datacoord-meta/" not in key:
            continue
        wrong += [f"{key} was written after the job's end"] if over else []
        if "/datacoord-meta/s/" in key:
            wrong += _wrong_step(key, event, visible)
    if completed != bool(over) or (visible and not completed):
        wrong.append(f"{len(visible)} segments became visible, job completed: {bool(over)}")
    return wrong


def _wrong_step(key: str, event: Event, visible: dict[str, int]) -> Iterator[str]:
    shown = isinstance(event, PutEvent) and SegmentInfo.FromString(event.value).state == Flushed
    if key in visible and not shown:
        yield f"{key} was hidden again or removed after it had been visible"
    if shown:
        visible[key] = visible.get(key, 0) + 1


def _until_the_end(changes: Iterator[Event]) -> Iterator[Event]:
    for event in changes:
        if event.key.decode().endswith(_END):
            return
        yield event
