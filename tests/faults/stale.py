"""Listings as a store that is consistent only in the end gives them: true, but of a moment ago."""

import threading
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from botocore.exceptions import BotoCoreError, ClientError

from tests.stores.faulty_s3 import Answer, Request

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectTypeDef

YOUNGEST: Final = 0.4
OLDEST: Final = 1.0
"""How old an answer may be, in seconds."""

INTERVAL: Final = 0.15
"""Between two looks at the bucket, in seconds."""


@dataclass(frozen=True)
class Moment:
    """What was in a bucket at a time of the monotonic clock."""

    at: float
    entries: "tuple[ObjectTypeDef, ...]"


class StaleListings:
    """Looks at some buckets all the time, past the proxy, and answers listings with an earlier look."""

    def __init__(self, client: "S3Client", buckets: Collection[str]) -> None:
        self._client = client
        self._moments: dict[str, deque[Moment]] = {bucket: deque(maxlen=16) for bucket in buckets}
        self._stop = threading.Event()
        self.answered = 0

    def run(self) -> None:
        """Look until `stop`."""
        while not self._stop.wait(INTERVAL):
            for bucket, moments in self._moments.items():
                with suppress(BotoCoreError, ClientError):  # the server may be away
                    moments.append(self._look(bucket))

    def _look(self, bucket: str) -> Moment:
        begun = time.monotonic()
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return Moment(begun, tuple(e for page in pages for e in page.get("Contents", [])))

    def stop(self) -> None:
        self._stop.set()

    def answer(self, request: Request) -> Answer | None:
        """Return the listing of a moment ago, None where there is none or the request is for one page."""
        where = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        moment = self._moment(where.path.strip("/"))
        if request.operation != "ListObjectsV2" or moment is None or "max-keys" in asked:
            return None
        self.answered += 1
        prefix, after = asked.get("prefix", ""), asked.get("start-after", "")
        found = [e for e in moment.entries if e["Key"].startswith(prefix) and e["Key"] > after]
        return Answer(200, {"Content-Type": "application/xml"}, _listing(prefix, found).encode())

    def _moment(self, bucket: str) -> Moment | None:
        now = time.monotonic()
        fit = [each for each in [*self._moments.get(bucket, ())] if YOUNGEST < now - each.at < OLDEST]
        return fit[0] if fit else None


def _listing(prefix: str, entries: "list[ObjectTypeDef]") -> str:
    contents = "".join(
        f"<Contents><Key>{escape(each['Key'])}</Key><LastModified>{each['LastModified'].isoformat()}"
        f"</LastModified><ETag>{escape(each['ETag'])}</ETag><Size>{each['Size']}</Size></Contents>"
        for each in entries
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>'
        f"<Prefix>{escape(prefix)}</Prefix><KeyCount>{len(entries)}</KeyCount><MaxKeys>100000</MaxKeys>"
        f"<IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
    )


@contextmanager
def stale_listings(client: "S3Client", buckets: Collection[str]) -> Iterator[StaleListings]:
    """Running looks at the buckets, ended afterwards."""
    listings = StaleListings(client, buckets)
    thread = threading.Thread(target=listings.run)
    thread.start()
    try:
        yield listings
    finally:
        listings.stop()
        thread.join()
