"""No object that a committed snapshot names escapes, of whatever kind it is."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from formats.errors import RestoreError
from samples.shape import SampleShape
from stores.named_objects import NamedObjects
from stores.ports import Location
from stores.snapshots import open_snapshot
from tests.stores.snapshot_ground import BUCKET, Ground

SHAPE = SampleShape(
    segments=3,
    l0_segments=1,
    partitions=2,
    megabytes=0.05,
    dim=2,
    storage_versions=(0, 2, 3),
    full_text=True,
    large_text=True,
)


@pytest.fixture(scope="module")
def ground() -> Ground:
    ground = Ground(SHAPE)
    ground.take()
    return ground


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def owners(
    ground: Ground, threads: ThreadPoolExecutor, doomed: dict[str, int], bucket: str = BUCKET
) -> set[int]:
    opened = open_snapshot(ground.objects, BUCKET, ground.files.metadata.key)
    return NamedObjects(bucket, doomed).owners(opened, ground.objects, threads)


def test_every_object_of_data_and_every_file_of_the_snapshot_is_named(
    ground: Ground, threads: ThreadPoolExecutor
) -> None:
    there = sorted({*ground.data, *ground.stored})
    doomed = {key: number for number, key in enumerate(there)}

    assert owners(ground, threads, doomed) == set(range(len(there)))


def test_a_folder_around_an_object_is_named_too(ground: Ground, threads: ThreadPoolExecutor) -> None:
    folders = sorted({key.rpartition("/")[0] + "/" for key in ground.data} | {f"{SHAPE.root}/insert_log/"})

    found = owners(ground, threads, {folder: number for number, folder in enumerate(folders)})

    assert found == set(range(len(folders)))


def test_what_only_begins_alike_is_not(ground: Ground, threads: ThreadPoolExecutor) -> None:
    # All below the folder of a StorageV3 segment is its own, whatever it is called.
    plain = [key for key in ground.data if "/_" not in key]
    alike = {f"{key}0": 1 for key in plain} | {f"{ground.files.folder[:-1]}0/": 2, "restores/7/": 3}

    assert owners(ground, threads, alike) == set()


def test_the_same_key_in_another_bucket_is_another_object(
    ground: Ground, threads: ThreadPoolExecutor
) -> None:
    assert owners(ground, threads, dict.fromkeys(ground.data, 1), bucket="elsewhere") == set()


def test_a_snapshot_that_cannot_be_read_whole_says_so(threads: ThreadPoolExecutor) -> None:
    whole = Ground(SHAPE)
    whole.take()
    for key in sorted(whole.stored):
        damaged = Ground(SHAPE)
        damaged.take()
        damaged.objects.put(Location(BUCKET, key), b"\x01")
        with pytest.raises(RestoreError):
            owners(damaged, threads, {"restores/7/": 1})
