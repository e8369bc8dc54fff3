"""Finding a certificate by its URI or key."""

import re

from pydantic import ValidationError

from restore.certificate import Certificate
from restore.errors import InvalidRequest, ObjectMissing
from stores.ports import Location, ObjectStore

_URI = re.compile(r"s3://([^/]+)/(.+)", re.DOTALL)
_NAME = "certificate.json"


class SeenCertificate(Certificate, extra="ignore"):
    """A certificate as written by a version that may be newer than this one."""


def certificate_at(text: str, bucket: str) -> Location:
    """Return the place that `s3://bucket/key`, or a key in `bucket`, names; InvalidRequest otherwise."""
    match = _URI.fullmatch(text)
    if match:
        return Location(match[1], match[2])
    if "://" in text or not text.strip("/"):
        raise InvalidRequest(f"certificate: expected s3://bucket/key or a key, found {text!r}")
    return Location(bucket, text)


def read_certificate(objects: ObjectStore, at: Location) -> Certificate:
    """Return the certificate; InvalidRequest when there is none, or what is there is no certificate."""
    try:
        raw = objects.get(at)
    except ObjectMissing as error:
        raise InvalidRequest(
            f"there is no certificate at {at} (profile {objects.profile!r}, {objects.endpoint}); "
            "`milvus-restore status` tells where a restore's lies"
        ) from error
    try:
        return SeenCertificate.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "it"
        raise InvalidRequest(f"{at} is no certificate of a restore: {field}: {first['msg']}") from error


def plan_root(at: Location, job_id: str) -> str:
    """The root path under which a certificate, and the plan beside it, lie; InvalidRequest elsewhere."""
    end = f"restores/{job_id}/{_NAME}"
    root, match, rest = at.key.rpartition(end)
    if not match or rest or (root and not root.endswith("/")):
        raise InvalidRequest(
            f"the certificate {at} does not lie where restore {job_id} put it, in {end} below the root path; "
            "its plan and proofs are found beside it"
        )
    return root.rstrip("/")
