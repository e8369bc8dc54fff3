"""Which segments a snapshot contains."""

import pytest

from formats.errors import CatalogCorrupt
from formats.inclusion import Boundary, Lineage, effective_time
from formats.proto.common_pb2 import SegmentState
from formats.proto.data_pb2 import SegmentInfo
from formats.proto.msg_pb2 import MsgPosition

BOUNDARY = Boundary(seek={"dml_0_1v0": 100, "dml_1_1v1": 50}, partitions={2})


def segment(start: int = 10, channel: str = "dml_0_1v0", **changes: object) -> SegmentInfo:
    whole = SegmentInfo(
        ID=3,
        partitionID=2,
        insert_channel=channel,
        state="Flushed",
        start_position=MsgPosition(timestamp=start),
    )
    whole.MergeFrom(SegmentInfo(**changes))  # type: ignore[arg-type]  # fields of the message by name
    return whole


@pytest.mark.parametrize(
    ("state", "enclosed"),
    [
        ("Growing", True),
        ("Sealed", True),
        ("Flushing", True),
        ("Flushed", True),
        ("Dropped", False),
        ("Importing", False),
    ],
)
def test_living_segments_are_in_growing_ones_too(state: str, enclosed: bool) -> None:
    assert BOUNDARY.encloses(segment(state=SegmentState.Value(state))) is enclosed


def test_a_segment_that_is_being_imported_is_not_in() -> None:
    assert not BOUNDARY.encloses(segment(is_importing=True))


@pytest.mark.parametrize(
    ("start", "channel", "enclosed"),
    [
        (99, "dml_0_1v0", True),
        (100, "dml_0_1v0", False),
        (49, "dml_1_1v1", True),
        (50, "dml_1_1v1", False),
    ],
)
def test_a_segment_began_before_the_boundary_of_its_own_channel(
    start: int, channel: str, enclosed: bool
) -> None:
    assert BOUNDARY.encloses(segment(start, channel)) is enclosed


def test_what_was_imported_counts_from_its_commit() -> None:
    assert effective_time(segment(10, commit_timestamp=200)) == 200
    assert not BOUNDARY.encloses(segment(10, commit_timestamp=200))
    assert BOUNDARY.encloses(segment(200, commit_timestamp=20))


def test_a_segment_without_a_position_is_as_old_as_can_be() -> None:
    assert BOUNDARY.encloses(SegmentInfo(partitionID=2, insert_channel="dml_0_1v0", state="Flushed"))


def test_segments_of_a_dropped_partition_are_not_in_those_of_all_partitions_are() -> None:
    assert not BOUNDARY.encloses(segment(partitionID=9))
    whole = segment()
    whole.partitionID = -1
    assert BOUNDARY.encloses(whole)


def test_a_channel_that_the_collection_lacks_is_damage() -> None:
    with pytest.raises(CatalogCorrupt, match="dml_7"):
        BOUNDARY.encloses(segment(channel="dml_7_1v0"))


def test_lineage_is_followed_to_its_ends_and_stops_at_circles() -> None:
    lineage = Lineage([(1, []), (2, []), (3, [1, 2]), (4, [3]), (5, [4]), (6, [7]), (7, [6])])
    assert lineage.descendants(1) == [3, 4, 5]
    assert set(lineage.ancestors(5)) == {1, 2, 3, 4}
    assert lineage.descendants(5) == []
    assert lineage.ancestors(6) == [7]
