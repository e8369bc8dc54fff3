"""A restored collection is one like any other: rows, deletes, flush, load, compaction, a new index."""

from pathlib import Path

from tests.fidelity.birdwatcher import Birdwatcher
from tests.real_milvus.cluster import Cluster
from tests.real_milvus.kinds import ORDERS, Index, Kind
from tests.real_milvus.server_log import ServerLog
from tests.real_milvus.story import Source, Target
from tests.real_milvus.use import Use, index_anew

Targets = dict[Kind, Target]


def test_milvus_own_reader_counts_the_same_rows_in_logs_and_deletes(
    restored_abroad: Targets, standby: Cluster, source: Source, tmp_path: Path
) -> None:
    place, target = standby.place, restored_abroad[ORDERS]
    command = f"scan-binlog --collection {target.records.collection.id} --action count --minioAddr {place.s3}"

    said = Birdwatcher(place.etcd, place.etcd_root, tmp_path).ask(command.replace("http://", ""))

    assert str(source.golden[ORDERS]["rows in all"]) in said.split()


def test_every_step_leaves_the_right_number_of_rows(used: Use) -> None:
    assert len(used.rows) == 10
    assert [step for step in used.rows if step[1] != step[2]] == []


def test_compaction_made_fewer_segments_of_restored_and_new_ones(used: Use) -> None:
    assert 0 < used.segments_after < used.segments_before


def test_rows_that_were_not_touched_are_still_those_of_the_source(used: Use, source: Source) -> None:
    golden = {row["id"]: row for row in source.golden[ORDERS]["whole rows"]}
    kept = used.rows_by_key.keys() & golden.keys()

    assert len(golden) - len(kept) == 70
    assert [key for key in kept if used.rows_by_key[key] != golden[key]] == []
    assert used.rows_by_key.keys() - kept == set(range(40_007, 40_300))


def test_searches_find_what_is_there_and_nothing_that_was_deleted(used: Use) -> None:
    found = {key for hits in used.nearest for key, _ in hits}

    assert found
    assert found <= used.rows_by_key.keys()


def test_an_index_that_milvus_builds_from_rewritten_logs_can_be_loaded(
    restored_abroad: Targets, standby: Cluster, source: Source
) -> None:
    """Milvus 2.3 puts it where the logs' descriptors say, and looks for it where its record says."""
    target, mark = restored_abroad[ORDERS], standby.server.logged
    parameters = {"index_type": "IVF_FLAT", "metric_type": "L2", "params": {"nlist": 8}}

    index_anew(standby, target.name, Index("near", "embedding", parameters))

    log = ServerLog(standby.server.said(mark))
    assert log.builds(target.records.collection.id) == 4
    assert len(log.loaded_indexes(target.records.collection.id)) == 12
    assert standby.client.count(name=target.name) == source.golden[ORDERS]["rows in all"]
