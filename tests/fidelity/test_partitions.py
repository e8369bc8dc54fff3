"""Some partitions of a snapshot: only these, but the deletes that concern all of them."""

from dataclasses import replace

import pytest

from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from tests.fidelity.ground import Ground

SHAPE = SampleShape(
    segments=4,
    l0_segments=4,
    megabytes=0.3,
    dim=4,
    partitions=3,
    shards=1,
    storage_versions=(0, 3, 3),
    large_text=True,
)


@pytest.fixture
def written(ground: Ground) -> WrittenSample:
    return ground.sample(SHAPE)


def of(written: WrittenSample, *partitions: str) -> WrittenSample:
    """What of the sample belongs into these partitions."""
    wanted = {-1, *(written.shape.partition_ids[name] for name in partitions)}
    manifests = tuple(each for each in written.manifests if each.partition_id in wanted)
    objects = sum(len(written.keys[each.segment_id]) for each in manifests)
    return replace(written, manifests=manifests, objects=objects)


@pytest.mark.parametrize("chosen", [["_default"], ["part_1", "part_2"]], ids=["one", "two"])
async def test_only_these_are_restored(ground: Ground, written: WrittenSample, chosen: list[str]) -> None:
    expected = of(written, *chosen)
    levels = [(each.segment_level, each.partition_id == -1) for each in expected.manifests]
    assert levels.count((1, True)) == 2
    assert 0 < len(levels) < SHAPE.all_segments
    restored = await ground.restored(written, of=expected, partitions=chosen)
    assert restored.result.segments == len(expected.manifests)


async def test_all_by_name_are_all(ground: Ground, written: WrittenSample) -> None:
    restored = await ground.restored(written, partitions=[*SHAPE.partition_ids])
    assert restored.result.segments == SHAPE.all_segments


async def test_an_unknown_one_is_refused_and_the_known_ones_are_listed(
    ground: Ground, written: WrittenSample
) -> None:
    chosen = ["part_1", "part_9"]
    says = ("'part_9'", "_default, part_1, part_2")
    await ground.refused(written, "InvalidRequest", *says, partitions=chosen)


async def test_none_at_all_is_no_choice(ground: Ground, written: WrittenSample) -> None:
    await ground.refused(written, "InvalidRequest", "partitions", partitions=[])


async def test_an_empty_partition_brings_the_deletes_of_all(ground: Ground) -> None:
    lonely = ground.sample(SHAPE.model_copy(update={"segments": 1, "l0_segments": 1}))
    restored = await ground.restored(lonely, of=of(lonely, "part_2"), partitions=["part_2"])
    assert (restored.result.segments, restored.result.rows) == (1, 0)
