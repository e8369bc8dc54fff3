"""The end of the demo, where a real Milvus can be had."""

import re
from pathlib import Path

from tests.e2e.commands import assert_readable
from tests.e2e.test_demo import FOLDERS, demo, related
from tests.real_milvus.cluster import DISTRIBUTION

_SHOWN = 5


def test_the_demo_ends_with_equal_searches_in_a_real_milvus_and_leaves_nothing(tmp_path: Path) -> None:
    done = demo(tmp_path, "--milvus", str(DISTRIBUTION.environment))

    assert done.returncode == 0, done.stderr
    assert_readable(done.stdout)
    assert "articles_restored completed" in done.stdout
    assert done.stdout.count("│ equal │") == _SHOWN
    assert "differs" not in done.stdout
    assert "200 of 200 neighbours are equal" in done.stdout
    times = re.search(r"restored after ([\d.]+) s, queryable after ([\d.]+)", done.stdout)
    assert times
    assert 0 < float(times[1]) < float(times[2])
    assert related(tmp_path) == []
    assert len(list(tmp_path.rglob("*"))) == FOLDERS
