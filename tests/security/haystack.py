"""Everything that a restore leaves anywhere, to be searched for what must not be in it."""

import base64
import gzip
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from temporalio.client import Client

from tests.e2e.deployment import Deployment

Haystack = dict[str, bytes]
"""Bytes by where they are."""

GZIP: Final = b"\x1f\x8b"


async def of_temporal(client: Client, queue: str) -> Haystack:
    """Histories (with results and failures), attributes, memos and last states of a queue's workflows."""
    found: Haystack = {}
    async for each in client.list_workflows(f"TaskQueue = '{queue}'"):
        handle = client.get_workflow_handle(each.id, run_id=each.run_id)
        described = await handle.describe()
        history = await handle.fetch_history()
        events = b"".join(event.SerializeToString() for event in history.events)
        found[f"history of {each.id} {each.run_id}"] = events
        found[f"state of {each.id} {each.run_id}"] = described.raw_description.SerializeToString()
    return found


def of_stores(deployment: Deployment) -> Haystack:
    """Every object of the bucket, unpacked, and every record below the root."""
    pages = deployment.s3.get_paginator("list_objects_v2").paginate(Bucket=deployment.bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    objects = {f"object {key}": _unpacked(_body(deployment, key)) for key in keys}
    records = deployment.scan(f"{deployment.etcd_root}/")
    return objects | {f"record {key}": value for key, value in records}


def forms(secret: str) -> Iterator[bytes]:
    """The secret as it is, and in the codes in which it might pass unseen."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield quote(secret, safe="").encode()
    # In a longer text, the bytes before it shift what Base64 makes of it; its ends then differ.
    for shift in range(3):
        yield base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4]


def holders(haystack: Haystack, needle: str) -> list[str]:
    """Where a text stands, in any form."""
    shapes = set(forms(needle))
    return sorted(where for where, content in haystack.items() if any(shape in content for shape in shapes))


def _body(deployment: Deployment, key: str) -> bytes:
    return deployment.s3.get_object(Bucket=deployment.bucket, Key=key)["Body"].read()


def _unpacked(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(GZIP) else body
