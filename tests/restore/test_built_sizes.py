import re
from typing import Any

import pytest

from formats.segment import SegmentManifest, TextIndex
from restore.built_sizes import doubtful_builds, other_sizes
from restore.errors import ObjectMismatch
from restore.plan import SegmentPlan
from restore.seal import SealedObject
from restore.source_objects import FoundObject
from tests.formats.segment_samples import TARGET, V3, index, manifest

SIZES = {"HNSW_0": 300, "SLICE_META": 200, "f_0": 12, "shredding_data/0": 22}
"""By the names that keys end with; they add up to what the manifest records."""


def found(of: SegmentManifest, **changes: int) -> SegmentPlan:
    sizes = SIZES | changes
    segment = SegmentPlan(source=of, target=TARGET)
    known = {
        key: next((size for name, size in sizes.items() if key.endswith(f"/{name}")), 1) for key in keys(of)
    }
    return segment.model_copy(
        update={"found": tuple(FoundObject(key=key, size=size, etag="e") for key, size in known.items())}
    )


def keys(of: SegmentManifest) -> list[str]:
    return [key for _, key, _ in SegmentPlan(source=of, target=TARGET).named_objects()]


def among_good_ones(segment: SegmentPlan) -> list[SegmentPlan]:
    return [found(manifest()), segment]


def test_builds_that_add_up_are_as_recorded() -> None:
    assert doubtful_builds([found(manifest())], "origin") == ()
    assert doubtful_builds([found(manifest(), HNSW_0=200, SLICE_META=300)], "origin") == ()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "HNSW_0",
            "index 'vec', build 1001 of segment 333, HNSW_0, SLICE_META below s3://origin/files/index_files",
        ),
        (
            "f_0",
            "text index of field 101 of segment 333, s3://origin/files/text_log/1002/3/111/222/333/101/f_0",
        ),
        ("shredding_data/0", "JSON index of field 104 of segment 333, s3://origin/files/json_stats/2/1002"),
    ],
)
@pytest.mark.parametrize("more", [-1, 1], ids=["truncated", "grown"])
def test_a_build_that_does_not_add_up_is_named_with_its_files(name: str, told: str, more: int) -> None:
    damaged = found(manifest(), **{name: SIZES[name] + more})
    with pytest.raises(ObjectMismatch, match=re.escape(told)) as refused:
        doubtful_builds(among_good_ones(damaged), "origin")
    assert "snapshot seal" in str(refused.value)


def test_where_the_builds_of_a_kind_do_not_add_up_their_records_prove_nothing() -> None:
    segments = [found(manifest(), HNSW_0=1), found(manifest(), HNSW_0=2)]

    doubts = doubtful_builds(segments, "origin")

    assert [set(each.files.values()) for each in doubts] == [{1, 200}, {2, 200}]
    assert other_sizes(2, doubts[0].told) == (
        f"the recorded sizes of 2 indexes are not those of their files, which were restored as they are: "
        f"{doubts[0].told}"
    )
    assert other_sizes(0, "") is None


def test_builds_vouch_only_for_their_kind() -> None:
    (doubt,) = doubtful_builds([found(manifest(), f_0=99)], "origin")
    assert "text index of field 101" in doubt.told


@pytest.mark.parametrize(
    "changes",
    [
        {"index_files": (index(current_index_version=0),)},
        {"index_files": (index(serialized_size=0),)},
        {"index_files": (index(index_file_paths=()),)},
        V3 | {"index_files": ()},
    ],
    ids=["before engine versions", "nothing recorded", "no files", "StorageV3's own text and JSON indexes"],
)
def test_where_the_recorded_size_tells_nothing_it_is_not_asked(changes: dict[str, Any]) -> None:
    asked = among_good_ones(found(manifest(**changes), HNSW_0=1, f_0=12))
    assert doubtful_builds(asked, "origin") == ()


def test_a_text_index_without_a_size_passes() -> None:
    text = TextIndex(
        field_id=101,
        version=3,
        files=("files/text_log/1002/3/111/222/333/101/f_0",),
        log_size=0,
        memory_size=0,
        build_id=1002,
    )
    assert doubtful_builds(among_good_ones(found(manifest(text_index_files=(text,)), f_0=99)), "origin") == ()


def test_what_a_seal_knows_better_passes() -> None:
    sealed = (SealedObject(key="k", size=1, etag="e", sha256="h"),)
    asked = found(manifest(), HNSW_0=1).model_copy(update={"sealed": sealed})
    assert doubtful_builds(among_good_ones(asked), "origin") == ()


def test_of_many_files_some_are_named() -> None:
    files = tuple(f"files/index_files/1001/1/222/333/f_{number}" for number in range(30))
    with pytest.raises(
        ObjectMismatch, match="f_19 and 10 more below s3://origin/files/index_files/1001/1/222/333,"
    ):
        doubtful_builds(
            among_good_ones(found(manifest(index_files=(index(index_file_paths=files),)))), "origin"
        )
