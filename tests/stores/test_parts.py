from hypothesis import given
from hypothesis import strategies as st

from stores.parts import MIB, USUAL, PartRule

SIZES = st.integers(min_value=1, max_value=10_000 * 5 * 2**30)  # to S3's largest object


@given(SIZES)
def test_parts_cover_every_byte_once_and_in_order(total: int) -> None:
    parts = list(USUAL.ranges(total))
    assert [number for number, _, _ in parts] == list(range(1, len(parts) + 1))
    assert [first for _, first, _ in parts] == [0, *(last + 1 for _, _, last in parts[:-1])]
    assert parts[-1][2] == total - 1


@given(SIZES)
def test_parts_are_within_what_s3_takes(total: int) -> None:
    lengths = [last + 1 - first for _, first, last in USUAL.ranges(total)]
    assert len(lengths) <= 10_000
    assert len(set(lengths[:-1])) <= 1
    assert 0 < lengths[-1] <= lengths[0] <= 5 * 2**30


@given(st.integers(min_value=64 * MIB, max_value=10_000 * 64 * MIB))
def test_parts_have_one_to_two_sizes(total: int) -> None:
    _, first, last = next(USUAL.ranges(total))
    assert 64 * MIB <= last + 1 - first < 128 * MIB


def test_a_small_object_is_one_part() -> None:
    assert list(PartRule(size=10).ranges(7)) == [(1, 0, 6)]
