"""Where a snapshot's metadata lies: URIs and keys that are meant, and those that are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.errors import InvalidRequest
from formats.location import SnapshotLocation, ids_of_key

KEY = "files/snapshots/100/metadata/4611.json"


@pytest.mark.parametrize(
    ("text", "bucket", "endpoint"),
    [
        (KEY, None, None),
        (f"s3://a-bucket/{KEY}", "a-bucket", None),
        (f"minio://minio.local:9000/a-bucket/{KEY}", "a-bucket", "minio.local:9000"),
        (f"http://127.0.0.1:9000/a-bucket/{KEY}", "a-bucket", "http://127.0.0.1:9000"),
        (f"https://s3.eu-west-1.amazonaws.com/b.c/{KEY}", "b.c", "https://s3.eu-west-1.amazonaws.com"),
        (f"https://[::1]:9000/a-bucket/{KEY}", "a-bucket", "https://[::1]:9000"),
        (f"S3://a-bucket/{KEY}", "a-bucket", None),
        (f"gs://a-bucket/{KEY}", "a-bucket", None),
        (f"gcs://a-bucket/{KEY}", "a-bucket", None),
        (f"/{KEY}", None, None),
    ],
)
def test_uris_and_keys_lead_to_the_same_key(text: str, bucket: str | None, endpoint: str | None) -> None:
    assert SnapshotLocation.parse(text) == SnapshotLocation(
        key=KEY, root="files", collection_id=100, snapshot_id=4611, bucket=bucket, endpoint=endpoint
    )


@pytest.mark.parametrize(
    ("key", "root"),
    [
        ("snapshots/1/metadata/2.json", ""),
        ("a/b/snapshots/1/metadata/2.json", "a/b"),
        ("snapshots/3/metadata/snapshots/1/metadata/2.json", "snapshots/3/metadata"),
        ("t/exports/5f-0%20x/snapshots/1/metadata/2.json", "t/exports/5f-0%20x"),
    ],
)
def test_the_root_is_all_above_the_last_snapshots_folder(key: str, root: str) -> None:
    for text in (key, f"s3://bucket/{key}"):
        found = SnapshotLocation.parse(text)
        assert (found.root, found.collection_id, found.snapshot_id) == (root, 1, 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the segment ''"),
        ("nightly", "expected a key of the form"),
        ("default/coll/nightly", "expected a key of the form"),
        ("files/snapshots/100/metadata/0.json", "expected a key of the form"),
        ("files/snapshots/-1/metadata/4611.json", "expected a key of the form"),
        ("files/snapshots/100/metadata/4611.json.bak", "expected a key of the form"),
        ("files/snapshots/100/metadata/4611.json\n", "expected a key of the form"),
        ("files/mysnapshots/100/metadata/4611.json", "expected a key of the form"),
        ("files/snapshots/100/metadata/٤.json", "expected a key of the form"),
        ("files/snapshots/100/manifests/4611.json", "expected a key of the form"),
        (f"//{KEY}", "the segment ''"),
        (f"files//{KEY}", "the segment ''"),
        (f"s3://bucket//{KEY}", "the segment ''"),
        (f"s3://bucket/../{KEY}", r"the segment '\.\.'"),
        (f"s3://bucket/./{KEY}", r"the segment '\.'"),
        (f"s3://bucket/{KEY}?versionId=1", r"query or fragment is not allowed, found '\?'"),
        (f"s3://bucket/{KEY}#x", "query or fragment is not allowed, found '#'"),
        ("s3://bucket/nightly", "expected a key of the form"),
        (f"s3://buc\nket/{KEY}", "not a URI"),
        (f"s3:///{KEY}", "expected a host or bucket"),
        ("s3://bucket", "the segment ''"),
        (f"s3://bucket:9000/{KEY}", "expected a bucket's name, found 'bucket:9000'"),
        (f"http://host:99999/bucket/{KEY}", "not a URI"),
        (f"http://[::1/bucket/{KEY}", "not a URI"),
        ("minio://host:9000", "expected a bucket's name, found ''"),
        (f"ftp://bucket/{KEY}", "expected a URI of scheme s3, gs, minio, http or https, found 'ftp'"),
        (f"azure://account.blob.core.windows.net/bucket/{KEY}", "found 'azure'"),
        (f"file:///data/{KEY}", "expected a host or bucket"),
    ],
)
def test_other_texts_are_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        SnapshotLocation.parse(text)


def test_a_password_in_a_uri_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidRequest, match="user and password are not allowed") as caught:
        SnapshotLocation.parse(f"http://me:hunter2@host/bucket/{KEY}")
    assert "hunter2" not in str(caught.value)


def test_ids_are_known_only_of_metadata_keys() -> None:
    assert ids_of_key(KEY) == (100, 4611)
    assert ids_of_key("copy.json") is None


@given(st.text() | st.from_regex(r"(s3|minio|http)://[^/]*/.*"))
def test_any_text_is_a_location_or_refused(text: str) -> None:
    try:
        found = SnapshotLocation.parse(text)
    except InvalidRequest:
        return
    assert found.key.endswith(f"snapshots/{found.collection_id}/metadata/{found.snapshot_id}.json")
