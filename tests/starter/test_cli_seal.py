import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from restore.seal import seal_key
from samples.shape import SampleShape
from samples.snapshot import WrittenSample, write_sample
from starter.stack import Stack
from stores.s3_connection import Access
from tests.starter.command_line import CommandLine
from tests.stores.faulty_s3 import Answer, FaultyS3, Request, Server, error, faulty

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SHAPE = SampleShape(segments=1, partitions=1, megabytes=0.05, dim=4)


@pytest.fixture
def written(s3_client: "S3Client", bucket: str) -> WrittenSample:
    return write_sample(s3_client, bucket, SHAPE)


@pytest.fixture
def seal(cli: CommandLine, stack: Stack, written: WrittenSample) -> CommandLine:
    """The command line with the sample's bucket as its default profile."""
    cli.more |= {**stack.settings(), "RESTORE_S3_BUCKET": written.bucket}
    return cli


@pytest.fixture
def proxy(stack: Stack) -> Iterator[FaultyS3]:
    settings = stack.settings()
    keys = settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"]
    with faulty(Access("default", settings["RESTORE_S3_ENDPOINT"], "us-east-1", *keys)) as running:
        yield running


def keys(s3_client: "S3Client", bucket: str) -> set[str]:
    return {each["Key"] for each in s3_client.list_objects_v2(Bucket=bucket).get("Contents", [])}


async def test_a_snapshot_is_sealed_once_checked_and_found_damaged(
    seal: CommandLine, written: WrittenSample, s3_client: "S3Client"
) -> None:
    never = await seal.run("snapshot", "seal", written.uri, "--check")
    assert (never.code, "has no seal" in never.err) == (2, True)

    sealed = await seal.run("snapshot", "seal", written.uri, "-o", "json")
    assert sealed.code == 0, sealed
    report = json.loads(sealed.out)
    assert (report["objects"], report["segments"]) == (len(written.digests), 1)
    assert report["seal"] == f"s3://{written.bucket}/{seal_key(written.key)}"
    assert keys(s3_client, written.bucket) == {*written.digests, seal_key(written.key)}

    again = await seal.run("snapshot", "seal", written.key)
    assert (again.code, "compare it with --check" in again.err) == (2, True)

    fine = await seal.run("snapshot", "seal", written.key, "--check")
    assert fine.code == 0
    assert fine.out.splitlines()[0] == "snapshot nightly is as it was sealed"

    key = next(key for key in written.digests if "/stats_log/" in key)
    s3_client.delete_object(Bucket=written.bucket, Key=key)
    damaged = await seal.run("snapshot", "seal", written.key, "--check")
    assert damaged.code == 1
    assert "is not as it was sealed" in damaged.out
    assert [line.split()[:2] for line in damaged.out.splitlines() if "missing" in line] == [["missing", key]]

    refused = await seal.run("snapshot", "seal", written.key, "--replace")
    assert refused.code == 1
    assert f"ObjectMissing: stats object s3://{written.bucket}/{key}" in refused.err


async def test_a_snapshot_known_to_be_good_is_sealed_anew(seal: CommandLine, written: WrittenSample) -> None:
    first = await seal.run("snapshot", "seal", written.uri)
    assert first.code == 0, first
    assert first.out.splitlines()[0] == "snapshot nightly is sealed"
    assert (await seal.run("snapshot", "seal", written.uri, "--replace")).code == 0
    both = await seal.run("snapshot", "seal", written.uri, "--replace", "--check")
    assert (both.code, "cannot go with --replace" in both.err) == (2, True)


async def test_a_bucket_that_refuses_writes_is_named_and_keeps_as_it_is(
    seal: CommandLine, written: WrittenSample, proxy: FaultyS3, s3_client: "S3Client"
) -> None:
    def read_only(request: Request, server: Server) -> Answer | None:
        return server(request) if request.method in ("GET", "HEAD") else error(403, "AccessDenied")

    proxy.fault = read_only
    seal.more |= {"RESTORE_S3_ENDPOINT": proxy.access.endpoint or ""}
    refused = await seal.run("snapshot", "seal", written.uri)
    assert refused.code == 1
    assert f"profile 'default' may not write to bucket '{written.bucket}'" in refused.err
    assert keys(s3_client, written.bucket) == set(written.digests)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing.txt",), 2, "InvalidRequest: field snapshot: expected a URI"),
        (("files/snapshots/1/metadata/2.json",), 1, "SnapshotNotFound: there is no snapshot metadata at"),
        (("{uri}", "--source", "nowhere"), 2, "no profile is named 'nowhere'"),
    ],
    ids=["form", "absent", "profile"],
)
async def test_what_is_no_snapshot_is_refused(
    seal: CommandLine, written: WrittenSample, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = await seal.run("snapshot", "seal", *(word.format(uri=written.uri) for word in words))
    assert (ended.code, said in ended.err) == (code, True), ended
