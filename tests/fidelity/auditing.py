"""A proved restore read back once more, by the reader that shares no code with anything here."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from samples.snapshot import WrittenSample
from tests.audit.auditor import Audit, State
from tests.e2e.deployment import listed
from tests.fidelity.ground import Ground, Restored

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

READERS = 8


def differences(ground: Ground, written: WrittenSample, restored: Restored) -> list[str]:
    """What is not as the snapshot asks for, each as a sentence."""
    home = ground.home
    now = home.image()
    audit = Audit(
        source=state(ground.source.s3, written.bucket, {}),
        before=State(frozenset(restored.before.objects), _gone, restored.before.records),
        after=state(home.s3, home.bucket, dict(now.records)),
        meta=home.meta,
        root=f"{ground.root}/",
    )
    return audit.differences(written.key, restored.collection)


def state(s3: "S3Client", bucket: str, records: dict[str, bytes]) -> State:
    """A bucket as it is now."""

    def get(key: str) -> bytes:
        return bodies[key]

    keys = frozenset(listed(s3, bucket))
    with ThreadPoolExecutor(READERS) as threads:
        bodies = dict(zip(keys, threads.map(lambda key: _body(s3, bucket, key), keys), strict=True))
    return State(keys, get, records)


def _body(s3: "S3Client", bucket: str, key: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _gone(key: str) -> bytes:
    raise AssertionError(f"{key} is asked for as it was before the restore")
