"""Segments beside the usual, each alone, in every storage version."""

import pytest

from samples.shape import Oddity, SampleShape, StorageVersion
from tests.fidelity.ground import Ground

ODDITIES: tuple[Oddity, ...] = ("no rows", "deletes only")


@pytest.mark.parametrize("version", [0, 2, 3])
async def test_a_collection_of_nothing_but_odd_segments_is_restored(
    ground: Ground, version: StorageVersion
) -> None:
    shape = SampleShape(
        segments=2,
        l0_segments=2,
        megabytes=0.1,
        dim=4,
        partitions=2,
        shards=1,
        storage_versions=(version,),
        oddities=dict(enumerate(ODDITIES)),
    )
    restored = await ground.restored(ground.sample(shape))
    assert restored.result.rows == 0
    assert restored.result.segments == 4


async def test_ids_may_be_as_high_as_they_go(ground: Ground) -> None:
    shape = SampleShape(
        segments=3,
        l0_segments=2,
        megabytes=0.3,
        dim=4,
        storage_versions=(0, 2, 3),
        large_text=True,
        collection_id=2**63 - 10**8,
    )
    await ground.restored(ground.sample(shape))


async def test_rows_of_the_next_millennium_are_refused_with_their_time(ground: Ground) -> None:
    """Their timestamps are above 2^63, which no clock of a cluster reaches."""
    written = ground.sample(SampleShape(segments=1, megabytes=0.1, dim=4, born_ms=2**46 - 10**8))
    assert written.manifests[0].start_position.timestamp > 2**63
    await ground.refused(written, "InvalidRequest", "4199-", "clock")
