"""A boto3 client, tuned for many small requests, and the way in which every call goes through it."""

import base64
import hashlib
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from restore.errors import InvalidRequest, ObjectMismatch, ObjectMissing, StoreUnavailable
from stores.call_spans import spanned
from stores.ports import Content, Edit, Location, ObjectStat
from stores.retry import Retry
from stores.s3_errors import Call, classified, setting
from stores.standstill import STANDSTILLS
from stores.summed_body import Passage, SummedBody

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

T = TypeVar("T")

_CHUNK = 2**20  # bytes held while an object is hashed


@dataclass(frozen=True, slots=True)
class Access:
    """Where a store is and with which keys it is entered; without keys the AWS chain finds them.

    Timeouts are in seconds. A single copy request answers only when the server has copied, so that
    `read_timeout` bounds the size of what one request may copy.
    """

    profile: str
    endpoint: str | None
    region: str
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    connections: int = 64
    connect_timeout: float = 5.0
    read_timeout: float = 60.0

    def client(self) -> "S3Client":
        """Return a thread-safe client that never repeats a call; nothing is sent yet.

        Raises InvalidRequest when the endpoint is no URL.
        """
        try:
            client = _session().client(
                "s3",
                endpoint_url=self.endpoint,
                region_name=self.region,
                aws_access_key_id=self.access_key,
                aws_secret_access_key=self.secret_key,
                aws_session_token=self.session_token,
                config=self._config(),
            )
        except (BotoCoreError, ValueError) as error:
            named = f"{setting(self.profile, 'endpoint')} or {setting(self.profile, 'region')}"
            raise InvalidRequest(f"object store of profile {self.profile}: {error}; check {named}") from error
        client.meta.events.register("before-call.s3.DeleteObjects", _sign_body_with_md5)
        client.meta.events.register("before-parse.s3", _assure_whole)
        return client

    def _config(self) -> Config:
        return Config(
            # botocore builds its own anew for every call, at 13 % of the client's time.
            user_agent="milvus-restore",
            max_pool_connections=self.connections,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            tcp_keepalive=True,
            retries={"total_max_attempts": 1, "mode": "standard"},
            # Other servers than AWS's store the checksum trailer as if it were data, or refuse it.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={
                "addressing_style": "path" if self.endpoint else "auto",
                # A streamed body cannot be read twice; what arrived is compared afterwards.
                "payload_signing_enabled": False,
            },
        )


class Connection:
    """One client of a store; its calls raise errors of a restore, and are repeated while that may help."""

    def __init__(self, access: Access, retry: Retry) -> None:
        self.client = access.client()
        self.profile = access.profile
        self.endpoint = self.client.meta.endpoint_url.rstrip("/")
        self.retry = retry
        self._begun = threading.local()
        self.client.meta.events.register("before-send.s3", self._require_awake)

    def ask(
        self,
        operation: str,
        at: Location | str,
        send: Callable[["S3Client"], T],
        to: Location | None = None,
    ) -> T:
        """Return the answer of an idempotent call; `at` is what it is about, or a bucket's name.

        Raises the errors of `classified`, StoreUnavailable only when the budget is used up.
        """
        return self.retry.run(lambda: self.once(operation, at, send, to))

    def once(
        self,
        operation: str,
        at: Location | str,
        send: Callable[["S3Client"], T],
        to: Location | None = None,
    ) -> T:
        """Return the answer of a call that is sent a single time; raises the errors of `classified`."""
        call = Call(operation, at, self.profile, self.endpoint, to)
        return spanned("S3", operation, call.attributes, lambda: self._send(call, send))

    def _send(self, call: Call, send: Callable[["S3Client"], T]) -> T:
        self._begun.mark = STANDSTILLS.mark()
        try:
            return send(self.client)
        except (ClientError, BotoCoreError, ResponseParserError, HTTPError, OSError) as error:
            raise classified(error, call) from error

    def refusal(self, operation: str, at: Location, told: Mapping[str, Any]) -> Exception:
        """Return the error that an S3 error (`Code`, `Message`) inside an answer means for an object."""
        call = Call(operation, at, self.profile, self.endpoint)
        error = ClientError(
            {"Error": {"Code": told.get("Code", ""), "Message": told.get("Message", "")}}, operation
        )
        return classified(error, call)

    def head(self, at: Location) -> "HeadObjectOutputTypeDef | None":
        """Return the answer to a HEAD, None when the object or its bucket is absent."""
        try:
            return self.ask("HeadObject", at, lambda client: client.head_object(Bucket=at.bucket, Key=at.key))
        except ObjectMissing:
            return None

    def listed(self, at: Location, stat: ObjectStat) -> "HeadObjectOutputTypeDef":
        """Return the answer to a HEAD; ObjectMissing or ObjectMismatch when the object is not as listed."""
        head = self.head(at)
        if head is None:
            raise ObjectMissing(f"{at} does not exist any more (HeadObject at {self.endpoint})")
        assure_listed(at, head, stat, stat.size)
        return head

    def digest(self, at: Location) -> str:
        """Return the hex SHA-256 of an object's bytes, read as a stream; ObjectMissing when absent."""
        return self.ask("GetObject", at, lambda client: _sha256(client, at))

    def content(self, at: Location, edit: Edit | None = None) -> Content:
        """Return state and hashes of an object, after an edit, read once; ObjectMissing when absent."""
        return self.ask("GetObject", at, lambda client: _content(client, at, edit))

    def _require_awake(self, **_: object) -> None:
        """Let no request out that was begun before this process stood still: its time may be over."""
        if STANDSTILLS.since(self._begun.mark):
            raise StoreUnavailable("this process stood still before a request left it")

    def close(self) -> None:
        """Have the idle sockets closed."""
        self.client.close()


def unquoted(etag: str | None) -> str:
    """Return an ETag without the quotes that some servers leave out, empty for none."""
    return (etag or "").strip('"')


def assure_listed(at: Location, answer: Mapping[str, Any], stat: ObjectStat, length: int) -> None:
    """Return when a HEAD or GET answer is of the listed object and has this length; else ObjectMismatch."""
    etag, found = unquoted(answer.get("ETag")), answer["ContentLength"]
    if (etag, found) != (stat.etag, length):
        raise ObjectMismatch(
            f"{at} has changed: {found} bytes with ETag {etag} were answered, "
            f"{length} bytes with ETag {stat.etag} expected"
        )


def _sha256(client: "S3Client", at: Location) -> str:
    digest = hashlib.sha256()
    with closing(client.get_object(Bucket=at.bucket, Key=at.key)["Body"]) as body:
        for chunk in body.iter_chunks(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _content(client: "S3Client", at: Location, edit: Edit | None) -> Content:
    answer = client.get_object(Bucket=at.bucket, Key=at.key)
    with closing(answer["Body"]) as stream:
        body = SummedBody(stream, Passage.begin(edited=edit is not None))
        if edit:
            body.edit(edit)
        while body.read(_CHUNK):
            pass
    stat, sums = ObjectStat(at.key, body.size, unquoted(answer.get("ETag"))), body.sums.sent
    return Content(stat, sums.sha256.hexdigest(), sums.md5.hexdigest())


def _session() -> boto3.Session:
    """Return a session of its own whose answers carry timestamps as text: parsing takes 12 % of the time.

    The clients that fetch credentials keep to a plain session, since expiry times must be read.
    """
    session, plain = botocore.session.Session(), botocore.session.Session()
    session.register_component("data_loader", _loader())
    session.register_component("credential_provider", plain.get_component("credential_provider"))
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=lambda text: text)
    return boto3.Session(botocore_session=session)


def _assure_whole(operation_model: "OperationModel", response_dict: dict[str, Any], **_: object) -> None:
    """Have an answer that was cut short count as a server's error: an empty body would parse as no result."""
    body, announced = response_dict["body"], response_dict["headers"].get("content-length")
    if operation_model.http["method"] == "HEAD" or not isinstance(body, bytes) or announced is None:
        return
    if len(body) != int(announced):
        response_dict.update(status_code=500, body=b"")


@cache
def _loader() -> Any:
    """Return what reads botocore's description of S3, once for all: most of the making of a client."""
    return botocore.session.Session().get_component("data_loader")


def _sign_body_with_md5(params: dict[str, Any], **_: object) -> None:
    """Add the header that S3 once required of DeleteObjects and older servers still do."""
    digest = hashlib.md5(params["body"], usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()
