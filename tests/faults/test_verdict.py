"""The bench sees what it is there to see."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from formats.job_records import completed_job
from formats.proto.common_pb2 import Flushed, Importing
from formats.proto.data_pb2 import CopySegmentJob, SegmentInfo
from stores.etcd import DeleteEvent, Event, PutEvent
from stores.reservations import now
from tests.e2e.image import JOB
from tests.faults.chronicle import wrong_publishing
from tests.faults.ground import Ground, prepared
from tests.faults.hand import Hand
from tests.faults.scenario import Scenario
from tests.faults.test_every_step import TINY
from tests.faults.verdict import Verdict, judge

COLLECTION = 5
SEGMENT = f"by-dev/meta/datacoord-meta/s/{COLLECTION}/6/7".encode()
ENDED = f"by-dev/meta/{JOB}8".encode()


@pytest.fixture
def ground(servers: dict[str, str], tmp_path: Path, hand: Hand) -> Iterator[Ground]:
    """A world in which nobody works."""
    with prepared(servers, tmp_path, Scenario(0, TINY, drawn=False), hand) as ground:
        yield ground


def changed(ground: Ground, servers: dict[str, str]) -> Verdict:
    return judge(ground, servers, completed=False)


async def test_a_world_that_nobody_touched_is_as_before_and_not_as_after(
    ground: Ground, servers: dict[str, str]
) -> None:
    assert changed(ground, servers) == Verdict()
    assert judge(ground, servers, completed=True).wrong


async def test_whatever_is_left_or_missing_is_seen(ground: Ground, servers: dict[str, str]) -> None:
    at, root = ground.deployment, ground.deployment.etcd_root
    at.s3.put_object(Bucket=at.bucket, Key="files/late", Body=b"")
    at.s3.create_multipart_upload(Bucket=at.bucket, Key="files/half")
    assert changed(ground, servers).orphans == ["upload of files/half", "files/late"]

    at.put({f"{root}/milvus-restore/reservation/{ground.target.collection}": SegmentInfo()})
    at.put({f"{at.meta}/datacoord-meta/s/{ground.target.collection}/1/2": SegmentInfo()})
    assert len(changed(ground, servers).wrong) == 2

    at.put({f"{at.meta}/{JOB}9": CopySegmentJob(job_id=9)})
    at.s3.delete_object(Bucket=at.bucket, Key=ground.written.key)
    wrong = " ".join(changed(ground, servers).wrong)
    assert "is in state" in wrong
    assert f"{ground.written.key} was changed or removed" in wrong


def put(revision: int, key: bytes, value: bytes) -> PutEvent:
    return PutEvent(key, revision, value, 1, revision)


HIDDEN, SHOWN = (SegmentInfo(ID=7, state=state).SerializeToString() for state in (Importing, Flushed))
DONE = completed_job(CopySegmentJob(job_id=8).SerializeToString(), now())
WELL: list[Event] = [put(1, SEGMENT, HIDDEN), put(2, SEGMENT, SHOWN), put(3, ENDED, DONE)]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (put(4, SEGMENT, HIDDEN), "was hidden again"),
        (DeleteEvent(SEGMENT, 4), "was hidden again or removed"),
        (put(4, SEGMENT, SHOWN), "was written after the job's end"),
        (put(4, ENDED, DONE), "completed twice"),
    ],
)
def test_what_happens_after_publishing_is_seen(more: Event, says: str) -> None:
    assert wrong_publishing(WELL, COLLECTION, completed=True) == []
    assert says in " ".join(wrong_publishing([*WELL, more], COLLECTION, completed=True))


def test_half_a_publishing_is_seen() -> None:
    assert wrong_publishing(WELL[:2], COLLECTION, completed=False)
    assert wrong_publishing(WELL[:1], COLLECTION, completed=True)
    assert wrong_publishing(WELL[:1], COLLECTION, completed=False) == []
