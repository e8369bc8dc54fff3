import pytest

from restore.channels import channel_map, pchannel_of, shard_of
from restore.errors import SnapshotCorrupt, TargetMismatch, UnsupportedFormat


def channels(collection: int, *pchannels: int) -> list[str]:
    return [f"by-dev-rootcoord-dml_{each}_{collection}v{shard}" for shard, each in enumerate(pchannels)]


def test_a_channel_tells_its_shard_and_its_physical_channel() -> None:
    assert shard_of("by-dev-rootcoord-dml_3_444v12") == 12
    assert pchannel_of("by-dev-rootcoord-dml_3_444v12") == "by-dev-rootcoord-dml_3"
    assert pchannel_of("a_1v2_3_444v0") == "a_1v2_3"


@pytest.mark.parametrize(
    "name", ["by-dev-rootcoord-dml_3", "", "_444v0", "dml_3_444v", "dml_3_444v0x", "dml_x_444V0"]
)
def test_a_channel_of_another_form_is_refused_by_name(name: str) -> None:
    for read in (shard_of, pchannel_of):
        with pytest.raises(UnsupportedFormat) as raised:
            read(name)
        assert repr(name) in str(raised.value)


def test_channels_are_mapped_by_shard_not_by_name() -> None:
    source, target = channels(111, 0, 1), channels(444, 10, 9)
    assert channel_map(source, target) == dict(zip(source, target, strict=True))
    assert channel_map(source, target[::-1]) == dict(zip(source, target, strict=True))
    assert channel_map(source[::-1], target) == dict(zip(source, target, strict=True))


def test_nothing_maps_to_nothing() -> None:
    assert channel_map([], []) == {}
    assert channel_map([], channels(444, 1, 2)) == {}


@pytest.mark.parametrize(
    "target",
    [
        channels(444, 1),
        channels(444, 1, 2, 3),
        [],
        ["dml_0_444v0", "dml_1_444v2"],
        ["dml_0_444v0", "dml_1_444v0"],
        ["dml_0_444v0", "dml_1_444v1", "dml_2_444v1"],
    ],
)
def test_other_shards_are_a_mismatch_that_names_both_sides(target: list[str]) -> None:
    source = channels(111, 0, 1)
    with pytest.raises(TargetMismatch) as raised:
        channel_map(source, target)
    for channel in (*source, *target):
        assert channel in str(raised.value)


def test_a_snapshot_with_one_shard_twice_is_corrupt() -> None:
    with pytest.raises(SnapshotCorrupt):
        channel_map(["dml_0_111v0", "dml_1_111v0"], channels(444, 1, 2))
