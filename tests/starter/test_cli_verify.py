import gzip
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client

from formats.proto.common_pb2 import Dropped
from formats.proto.data_pb2 import Binlog, FieldBinlog, SegmentInfo
from formats.proto.etcd_pb2 import CollectionDropped, CollectionInfo, PartitionInfo
from formats.proto.index_pb2 import FieldIndex, SegmentIndex
from samples.shape import SampleShape
from starter.stack import Stack
from tests.e2e.deployment import deployed
from tests.e2e.worker_process import working
from tests.starter.command_line import CommandLine
from tests.starter.restored_site import RestoredSite
from workflows.plugin import RestorePlugin

if TYPE_CHECKING:
    pass

SHAPE = SampleShape(segments=2, l0_segments=1, partitions=2, megabytes=0.2, dim=4, storage_versions=(0, 3))

SEGMENTS, BUILDS = "datacoord-meta/s", "segment-index"
STATS, DELTAS = "datacoord-meta/statslog", "datacoord-meta/deltalog"


@pytest.fixture(scope="module")
async def site(
    stack: Stack, temporal_address: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RestoredSite]:
    """A restored collection that all tests of this module share; they leave it as they found it."""
    client = await Client.connect(temporal_address, plugins=[RestorePlugin()])
    with deployed(stack.settings()) as deployment:
        cli = CommandLine(temporal_address, f"q-{secrets.token_hex(6)}", client, dict(deployment.settings))
        written, collection = deployment.sample(SHAPE), deployment.target(SHAPE, "restored")
        log = tmp_path_factory.mktemp("worker") / "worker.log"
        with working(deployment.settings | {"RESTORE_TASK_QUEUE": cli.queue}, log):
            ended = await cli.run("start", written.uri, "restored", "-o", "json")
        assert ended.code == 0, ended
        certificate = json.loads(ended.out)["result"]["certificate"]
        yield RestoredSite(deployment, cli, written, collection, certificate)


def segment(site: RestoredSite, *, storage: int = 0, rows: bool = True) -> tuple[str, SegmentInfo]:
    """A restored segment's key and record."""
    infos = {key: SegmentInfo.FromString(value) for key, value in site.records(SEGMENTS).items()}
    return next(
        (key, info)
        for key, info in infos.items()
        if bool(info.num_of_rows) == rows and (not rows or info.storage_version == storage)
    )


def of(key: str, records: dict[str, bytes]) -> dict[str, bytes]:
    """The records of the segment with this key."""
    return {each: value for each, value in records.items() if f"/{key.rpartition('/')[2]}/" in each}


async def test_what_was_restored_is_as_it_was_certified(site: RestoredSite) -> None:
    ended = await site.verify("--read-data", "-o", "json")
    assert ended.code == 0, ended
    report = json.loads(ended.out)
    assert report["findings"] == []
    assert (report["objects"], report["bytes_read"]) == (site.written.objects, site.written.bytes)
    assert report["contents"] == {"source": site.written.objects}
    assert report["records"] == sum(
        len(site.records(each))
        for each in (SEGMENTS, BUILDS, STATS, DELTAS, "datacoord-meta/binlog", "datacoord-meta/bm25log")
    )


async def test_people_read_a_verdict_and_what_was_looked_at(site: RestoredSite) -> None:
    ended = await site.verify()
    lines = ended.out.splitlines()
    assert lines[0].startswith("default/restored is as it was certified at 20")
    assert f"  certificate  {site.certificate}" in lines
    assert f"  objects      {site.written.objects}" in lines


async def test_the_certificate_tells_versions_and_the_way_to_its_plan(site: RestoredSite) -> None:
    folder = site.certificate.removeprefix(f"s3://{site.deployment.bucket}/").removesuffix("certificate.json")
    told = json.loads(site.body(f"{folder}certificate.json"))
    assert set(told["versions"]) == {"milvus-restore", "python", "temporalio", "boto3"}
    assert told["plan_key"] == f"{folder}plan.json.gz"
    assert told["tasks"] == len(json.loads(gzip.decompress(site.body(told["plan_key"])))["tasks"])
    assert told["retried"] == 0


async def test_a_sample_is_chosen_again_by_its_seed(site: RestoredSite) -> None:
    ended = await site.verify("--sample", "10%", "-o", "json")
    report = json.loads(ended.out)
    assert report["objects"] == -(-site.written.objects // 10)
    seed = report["sample"]["seed"]
    text = (await site.verify("--sample", "10%", "--seed", str(seed))).out
    assert f"{report['objects']}, 10 % of all by chance, seed {seed}" in text
    keys = site.objects("_log/")
    with ExitStack() as gone:
        for key in keys:
            gone.enter_context(site.stored(key, None))
        first, again, other = [
            (await site.found("--sample", "10%", "--seed", str(each)))[1].keys()
            for each in (seed, seed, seed + 1)
        ]
    assert first == again != other
    assert 0 < len(first) < len(keys)


@pytest.mark.parametrize(
    "kind", ["insert_log", "stats_log", "delta_log", "index_files", "text_log", "_data/"]
)
async def test_a_damaged_object_is_named(site: RestoredSite, kind: str) -> None:
    key = site.objects(kind)[0]
    body = site.body(key)
    cases = {
        "it is absent": None,
        f"it has {len(body) + 1} bytes": body + b"\0",
        "its ETag is": body[:-1] + b"\0",
    }
    if body.endswith(b"\0"):
        cases["its ETag is"] = body[:-1] + b"\1"
    for reason, other in cases.items():
        with site.stored(key, other):
            code, found = await site.found()
        assert (code, set(found)) == (1, {key}), found
        assert found[key][0] == "damaged"
        assert found[key][1].startswith(reason)


async def test_without_its_source_an_object_is_read_against_its_etag(site: RestoredSite) -> None:
    source = next(key for key in site.written.digests if "/insert_log/" in key)
    with site.stored(source, None):
        report = json.loads((await site.verify("--read-data", "-o", "json")).out)
    assert report["contents"] == {"source": site.written.objects - 1, "etag": 1}
    assert report["findings"] == []


async def test_a_dropped_segment_and_its_objects_were_changed_since(site: RestoredSite) -> None:
    key, info = segment(site)
    objects = site.objects(f"/{info.ID}/")[:2]
    with ExitStack() as world:
        world.enter_context(site.message(SegmentInfo, key, lambda now: setattr(now, "state", Dropped)))
        for each in objects:
            world.enter_context(site.stored(each, None))
        code, found = await site.found("--read-data")
        text = (await site.verify()).out
    assert (code, set(found)) == (0, {key, *objects})
    assert {verdict for verdict, _ in found.values()} == {"changed since"}
    assert "is sound; Milvus has changed it since" in text.splitlines()[0]


async def test_a_segment_that_is_gone_is_damage_unless_something_tells_why(site: RestoredSite) -> None:
    key, info = segment(site)
    heir = SegmentInfo(
        ID=7, partitionID=info.partitionID, insert_channel=info.insert_channel, compactionFrom=[info.ID]
    )
    heir_key = f"{key.rpartition('/')[0]}/7"
    with site.recorded(key, None):
        code, found = await site.found()
        assert (code, found) == (1, {key: ("damaged", "it is gone")})
        with site.recorded(heir_key, heir.SerializeToString()):
            code, found = await site.found()
            assert (code, found) == (0, {key: ("changed since", "it was compacted into segment 7")})
        heir.compactionFrom[0] = 8  # one between them, which is gone as well
        with site.recorded(heir_key, heir.SerializeToString()):
            assert (await site.found())[0] == 0
        heir.insert_channel = "another"
        with site.recorded(heir_key, heir.SerializeToString()):
            assert (await site.found())[0] == 1


async def test_deletes_go_into_other_segments(site: RestoredSite) -> None:
    key, _ = segment(site, rows=False)
    with ExitStack() as gone:
        for each in (key, *of(key, site.records(DELTAS))):
            gone.enter_context(site.recorded(each, None))
        code, found = await site.found()
    assert (code, found) == (0, {key: ("changed since", "its deletes went into other segments")})


@pytest.mark.parametrize(
    ("field", "value", "verdict"),
    [
        ("num_of_rows", 1, "damaged"),
        ("insert_channel", "another", "damaged"),
        ("is_importing", True, "damaged"),
        ("commit_timestamp", 5, "damaged"),
        ("data_version", 2, "changed since"),
        ("last_expire_time", 5, "changed since"),
    ],
)
async def test_a_segments_record_may_change_where_milvus_changes_it(
    site: RestoredSite, field: str, value: object, verdict: str
) -> None:
    key, _ = segment(site)
    with site.message(SegmentInfo, key, lambda now: setattr(now, field, value)):
        code, found = await site.found()
    assert set(found) == {key}
    assert (code, found[key][0]) == (int(verdict == "damaged"), verdict)
    assert field in found[key][1]


async def test_logs_may_come_and_must_not_go(site: RestoredSite) -> None:
    key = next(iter(of(segment(site)[0], site.records(STATS))))
    one_more = Binlog(logID=99, log_size=5)
    with site.message(FieldBinlog, key, lambda now: now.binlogs.append(one_more)):
        assert await site.found() == (0, {key: ("changed since", "1 logs came")})
    with site.message(FieldBinlog, key, lambda now: now.binlogs.pop()):
        code, found = await site.found()
        assert (code, "is gone" in found[key][1]) == (1, True)
    with site.recorded(key, None):
        assert await site.found() == (1, {key: ("damaged", "it is gone")})


async def test_a_build_may_be_deleted_or_made_anew_and_its_files_with_it(site: RestoredSite) -> None:
    records = of(segment(site)[0], site.records(BUILDS))
    builds = {key: SegmentIndex.FromString(value) for key, value in records.items()}
    key, build = next((key, build) for key, build in builds.items() if site.objects(f"/{build.buildID}/"))
    file = site.objects(f"/{build.buildID}/")[0]
    anew = SegmentIndex(segmentID=build.segmentID, indexID=build.indexID, buildID=9).SerializeToString()
    with site.stored(file, None):
        assert (await site.found())[0] == 1
        with site.message(SegmentIndex, key, lambda now: setattr(now, "deleted", True)):
            code, found = await site.found()
        assert (code, set(found)) == (0, {key, file})
        with site.recorded(key, None):
            assert (await site.found())[0] == 1
            with site.recorded(f"{key.rpartition('/')[0]}/9", anew):
                code, found = await site.found()
            assert (code, set(found)) == (0, {key, file})
            field = f"{site.deployment.meta}/field-index/{site.collection}/{build.indexID}"
            with site.message(FieldIndex, field, lambda now: setattr(now, "deleted", True)):
                assert (await site.found())[0] == 0
    with site.message(SegmentIndex, key, lambda now: now.index_file_keys.append("more")):
        code, found = await site.found()
    assert (code, "index_file_keys" in found[key][1]) == (1, True)


async def test_a_text_index_that_was_made_anew_needs_its_old_files_no_more(site: RestoredSite) -> None:
    key, info = segment(site)
    field, stats = next(iter(info.textStatsLogs.items()))
    file = site.objects(f"text_log/{stats.buildID}/")[0]
    with site.stored(file, None):
        assert (await site.found())[0] == 1
        with site.message(SegmentInfo, key, lambda now: setattr(now.textStatsLogs[field], "buildID", 9)):
            code, found = await site.found()
    assert (code, set(found)) == (0, {key, file})


async def test_a_folder_whose_pointer_moved_on_may_lose_what_it_had(site: RestoredSite) -> None:
    key, info = segment(site, storage=3)
    pointer = json.loads(info.manifest_path)
    file = site.objects(f"{pointer['base_path']}/_metadata/")[0]
    for change, code in ((1, 0), (-1, 1)):
        later = json.dumps({**pointer, "ver": pointer["ver"] + change}, separators=(",", ":"))
        with (
            site.stored(file, None),
            site.message(
                SegmentInfo,
                key,
                lambda now, later=later: setattr(now, "manifest_path", later),  # type: ignore[misc]
            ),
        ):
            assert (await site.found())[0] == code


async def test_of_a_dropped_partition_or_collection_nothing_is_missed(site: RestoredSite) -> None:
    _, info = segment(site)
    file = site.objects(f"/{info.ID}/")[0]
    partition = f"{site.deployment.meta}/root-coord/partitions/{site.collection}/{info.partitionID}"
    collections = f"{site.deployment.meta}/root-coord/database/collection-info/1/{site.collection}"
    with site.stored(file, None):
        with site.message(PartitionInfo, partition, lambda now: setattr(now, "state", CollectionDropped)):
            code, found = await site.found()
        assert (code, found[file][0]) == (0, "changed since")
        with site.message(CollectionInfo, collections, lambda now: setattr(now, "state", CollectionDropped)):
            code, found = await site.found()
        assert code == 0
        assert "the collection was dropped" in {reason for _, reason in found.values()}


@pytest.mark.parametrize("name", ["plan.json.gz", "plan/000000.json.gz", "proof/000000.json.gz"])
async def test_evidence_that_is_gone_or_was_changed_is_named(site: RestoredSite, name: str) -> None:
    key = f"{site.certificate.removeprefix(f's3://{site.deployment.bucket}/').removesuffix('certificate.json')}{name}"
    changed = gzip.compress(gzip.decompress(site.body(key)).replace(b'"etag":"', b'"etag":"0', 1) + b" ")
    for body in (None, changed, b"no gzip"):
        with site.stored(key, body):
            code, found = await site.found()
        assert code == 1
        assert {verdict for verdict, _ in found.values()} == {"damaged"}
        told = " ".join([*found, *(reason for _, reason in found.values())])
        assert key in told or "the proofs have the Merkle root" in told


async def test_a_certificate_of_another_root_is_not_believed(site: RestoredSite) -> None:
    key = site.certificate.removeprefix(f"s3://{site.deployment.bucket}/")
    told = json.loads(site.body(key))
    with site.stored(key, json.dumps({**told, "root": "0" * 64}).encode()):
        code, found = await site.found()
    assert (code, set(found)) == (1, {site.certificate})


async def test_a_certificate_of_an_older_version_leads_to_its_plan_all_the_same(site: RestoredSite) -> None:
    key = site.certificate.removeprefix(f"s3://{site.deployment.bucket}/")
    told = json.loads(site.body(key))
    old = {name: value for name, value in told.items() if name not in ("plan_key", "plan_digest", "tasks")}
    with site.stored(key, json.dumps({**old, "of_a_newer_version": 1}).encode()):
        report = json.loads((await site.verify("-o", "json")).out)
    assert (report["objects"], report["findings"]) == (site.written.objects, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("s3://{bucket}/files/restores/1/certificate.json",), "there is no certificate at"),
        (("s3://b-nowhere/certificate.json",), "there is no certificate at"),
        (("http://somewhere/certificate.json",), "expected s3://bucket/key or a key"),
        (("{metadata}",), "is no certificate of a restore"),
        (("{certificate}", "--sample", "2"), "such as 2%, found '2'"),
        (("{certificate}", "--sample", "0%"), "such as 2%, found '0%'"),
        (("{certificate}", "--destination", "nowhere"), "no profile is named 'nowhere'"),
    ],
)
async def test_wrong_usage_is_told(site: RestoredSite, words: tuple[str, ...], said: str) -> None:
    names = {
        "bucket": site.deployment.bucket,
        "metadata": site.written.uri,
        "certificate": site.certificate,
    }
    ended = await site.cli.run("verify", *(word.format(**names) for word in words))
    assert (ended.code, said in ended.err, ended.out) == (2, True, ""), ended
