"""Where a snapshot's metadata file lies (snapshot-format.md, sections 1.1 and 1.6)."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from formats.errors import InvalidRequest

_METADATA = re.compile(
    r"(?:(?P<root>.+)/)?snapshots/(?P<collection>[1-9][0-9]{0,18})/metadata/(?P<snapshot>[1-9][0-9]{0,18})\.json",
    re.DOTALL,
)
_ODD_SEGMENT = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)")
_BUCKET_SCHEMES = ("s3", "gs", "gcs")
_ENDPOINT_SCHEMES = ("minio", "http", "https")
_OTHER_PROVIDERS = ("az", "azure")
_FORM = "[root/]snapshots/{collection id}/metadata/{snapshot id}.json"


@dataclass(frozen=True, slots=True)
class SnapshotLocation:
    """The place of a metadata file; `root` is the folder above `snapshots/`, '' for the bucket itself.

    `bucket` is None when a bare key was given, `endpoint` when the text named none, as `s3://` and `gs://`
    never do; else `http(s)://host[:port]`, or `host[:port]` after `minio://`, which does not tell about TLS.
    """

    key: str
    root: str
    collection_id: int
    snapshot_id: int
    bucket: str | None = None
    endpoint: str | None = None

    @classmethod
    def parse(cls, text: str, *, written: bool = False) -> Self:
        """Return the location that a URI or a bare key names; InvalidRequest with the reason when it is none.

        Accepted are `s3://`, `gs://` and `gcs://` with bucket/key, `minio://`, `http://` and `https://` with
        endpoint/bucket/key, and a key alone, which may begin with a slash. Where a bundle was once `written`
        may also be `az://` or `azure://`: nothing is read there any more. Percent signs are part of the key
        (section 1.6).
        """
        endpoint, bucket, key = _split(text, _OTHER_PROVIDERS if written else ())
        odd = odd_segment(key)
        if odd is not None:
            raise InvalidRequest(f"snapshot {text!r}: its key has {odd}")
        match = _METADATA.fullmatch(key)
        if match is None:
            raise InvalidRequest(f"snapshot {text!r}: expected a key of the form {_FORM}, found {key!r}")
        return cls(
            key=key,
            root=match["root"] or "",
            collection_id=int(match["collection"]),
            snapshot_id=int(match["snapshot"]),
            bucket=bucket,
            endpoint=endpoint,
        )


def ids_of_key(key: str) -> tuple[int, int] | None:
    """Return collection id and snapshot id of a metadata key, or None when it has another form."""
    match = _METADATA.fullmatch(key)
    return (int(match["collection"]), int(match["snapshot"])) if match else None


def odd_segment(path: str) -> str | None:
    """Return what makes a path no object key of Milvus's (an empty, '.' or '..' segment), or None."""
    match = _ODD_SEGMENT.search(path)
    return f"the segment {match[0].strip('/')!r}" if match else None


def _split(text: str, others: tuple[str, ...]) -> tuple[str | None, str | None, str]:
    for mark in "?#":
        if mark in text:
            raise InvalidRequest(f"snapshot {text!r}: a query or fragment is not allowed, found {mark!r}")
    if "://" not in text:
        return None, None, text.removeprefix("/")
    scheme, host, path = _parts(text)
    if scheme in _BUCKET_SCHEMES:
        return None, _bucket(host, text), path
    if scheme not in (*_ENDPOINT_SCHEMES, *others):
        raise InvalidRequest(
            f"snapshot {text!r}: expected a URI of scheme s3, gs, minio, http or https, found {scheme!r}"
        )
    bucket, _, key = path.partition("/")
    return (host if scheme == "minio" else f"{scheme}://{host}"), _bucket(bucket, text), key


def _parts(text: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise InvalidRequest(f"snapshot {text!r}: not a URI: {error}") from error
    if "@" in parts.netloc:
        # The text may hold a secret, so it is not repeated.
        raise InvalidRequest(
            f"snapshot URI of scheme {parts.scheme!r}: user and password are not allowed in it"
        )
    if not parts.netloc:
        raise InvalidRequest(f"snapshot {text!r}: expected a host or bucket after '://', found none")
    authority, _, path = text.partition("://")[2].partition("/")
    if authority != parts.netloc:
        raise InvalidRequest(f"snapshot {text!r}: not a URI: line breaks and tabs are not allowed")
    return parts.scheme, authority, path


def _bucket(name: str, text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise InvalidRequest(f"snapshot {text!r}: expected a bucket's name, found {name!r}")
    return name
