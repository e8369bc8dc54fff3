import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore.errors import InvalidRequest
from restore.reproof import Sample

shares = st.floats(min_value=0.01, max_value=100)


@given(shares, st.integers(0, 500), st.integers(0, 2**32))
def test_a_sample_is_so_large_and_the_same_for_the_same_seed(percent: float, total: int, seed: int) -> None:
    chosen = Sample(percent=percent, seed=seed).chosen(total)
    assert len(chosen) - 1 < total * percent / 100 <= len(chosen)
    assert chosen <= set(range(total))
    assert chosen == Sample(percent=percent, seed=seed).chosen(total)


def test_other_seeds_choose_otherwise_and_all_of_it_is_chosen_at_times() -> None:
    samples = [Sample(percent=10, seed=seed).chosen(50) for seed in range(100)]
    assert len(set(samples)) > 90
    assert frozenset().union(*samples) == frozenset(range(50))


@pytest.mark.parametrize(("text", "percent"), [("2%", 2), (" 0.5% ", 0.5), ("100%", 100)])
def test_a_share_is_read_as_percent(text: str, percent: float) -> None:
    assert Sample.parse(text, 1) == Sample(percent=percent, seed=1)


@pytest.mark.parametrize(
    "text", ["", "%", "2", "0%", "-1%", "101%", "2%%", "2% of it", "nan%", "inf%", "two%"]
)
def test_anything_else_is_no_share(text: str) -> None:
    with pytest.raises(InvalidRequest, match="such as 2%"):
        Sample.parse(text, 1)
