"""One of everything that a snapshot can hold, in every format version, arrives as it was."""

import pytest

from samples.shape import FormatVersion, SampleShape
from tests.fidelity.ground import Ground

EVERYTHING = SampleShape(
    segments=8,
    megabytes=0.8,
    dim=8,
    partitions=2,
    l0_segments=4,
    storage_versions=(0, 2, 3, 3, 2),
    oddities={
        1: "empty object",
        2: "older schema",
        3: "successor's deletes",
        4: "no rows",
        5: "older schema",
        6: "deletes only",
        7: "newer manifest",
    },
    full_text=True,
    large_text=True,
)
VERSIONS: tuple[FormatVersion, ...] = (1, 2, 3, 4)


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_of_everything_is_restored(ground: Ground, version: FormatVersion) -> None:
    written = ground.sample(EVERYTHING.model_copy(update={"format_version": version}))
    restored = await ground.restored(written)
    assert restored.result.segments == EVERYTHING.all_segments
    assert restored.result.objects == written.objects
    assert restored.result.bytes == written.bytes
    assert restored.result.rows == sum(manifest.num_of_rows for manifest in written.manifests)


async def test_a_snapshot_from_before_format_versions_is_restored(ground: Ground) -> None:
    shape = EVERYTHING.model_copy(update={"segments": 2, "l0_segments": 0, "format_version": 0})
    await ground.restored(ground.sample(shape))
