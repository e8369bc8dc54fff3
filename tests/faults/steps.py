"""What a restore is doing, as seen from the requests that it makes of its stores."""

from typing import Final, Literal, get_args
from urllib.parse import unquote, urlsplit

from formats.job_records import is_completed
from formats.proto.common_pb2 import Flushed
from formats.proto.data_pb2 import SegmentInfo
from restore.reservation import Owner, State
from stores.proto import etcd_rpc_pb2 as rpc
from tests.stores.faulty_s3 import Request

Step = Literal[
    # object storage, in the order of a restore
    "list",
    "read",
    "store plan",
    "copy",
    "store proof",
    "certify",
    "remove objects",
    "remove plan",
    # etcd, in the order of a restore
    "look",
    "pin",
    "count ids",
    "reserve",
    "keep records",
    "stage",
    "begin to publish",
    "publish",
    "complete",
    "fence",
    "unstage",
    "release",
    "keep",
]
STEPS: Final[tuple[Step, ...]] = get_args(Step)

Server = Literal["temporal", "etcd", "s3"]

UNDOING: Final[tuple[Step, ...]] = ("fence", "unstage", "remove objects", "release", "remove plan")
"""What only a rollback does, in its order."""

_BY_STATE: Final[dict[State, Step]] = {
    "active": "reserve",
    "publishing": "begin to publish",
    "rolling_back": "fence",
    "kept": "keep",
}
_COPIES: Final = {
    "CopyObject",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
}


def server_of(step: Step) -> Server:
    """Which server is asked in a step."""
    return "s3" if STEPS.index(step) < STEPS.index("look") else "etcd"


def step_of_request(request: Request) -> Step:
    """What a request to object storage is for."""
    if request.operation in ("ListObjectsV2", "ListMultipartUploads"):
        return "list"
    if request.operation in ("GetObject", "HeadObject"):
        return "read"
    if request.operation == "DeleteObjects":
        return "remove plan" if b"/restores/" in request.body else "remove objects"
    return "copy" if request.operation in _COPIES else _stored(key_of(request))


def key_of(request: Request) -> str:
    """The key of the object that a request names in its path."""
    return unquote(urlsplit(request.path).path).lstrip("/").partition("/")[2]


def _stored(key: str) -> Step:
    if "/restores/" not in key:
        return "copy"  # streamed from another store
    if key.endswith("certificate.json"):
        return "certify"
    return "store proof" if "/proof/" in key else "store plan"


def step_of_call(method: str, request: bytes) -> Step:
    """What a call to etcd is for."""
    if not method.endswith("/Txn"):
        return "look"
    transaction = rpc.TxnRequest.FromString(request)
    puts = {each.request_put.key.decode(): each.request_put.value for each in transaction.success}
    deletes = [each.request_delete_range.key.decode() for each in transaction.success]
    for key in deletes:
        if "/milvus-restore/reservation/" in key:
            return "complete" if any(_completes(*put) for put in puts.items()) else "release"
    steps = {_put(key, value) for key, value in puts.items() if key}
    return min(steps, key=_WEIGHT.index, default="unstage")


_WEIGHT: Final[tuple[Step, ...]] = (
    "reserve",
    "begin to publish",
    "fence",
    "keep",
    "publish",
    "stage",
    "count ids",
    "keep records",
    "pin",
)
"""Of a transaction with several kinds of writes, the first of these names it."""


def _put(key: str, value: bytes) -> Step:
    if "/milvus-restore/reservation/" in key:
        return _BY_STATE[Owner.decode(value).state]
    if key.endswith("/milvus-restore/id-counter"):
        return "count ids"
    if "/datacoord-meta/copy-segment-" in key:
        return "keep records"
    if "/snapshot/" in key:
        return "pin"
    if "/datacoord-meta/s/" in key and SegmentInfo.FromString(value).state == Flushed:
        return "publish"
    return "stage"


def _completes(key: str, value: bytes) -> bool:
    return "/datacoord-meta/copy-segment-job/" in key and is_completed(value)
