"""Milvus's management endpoint, for its garbage collection alone; Milvus 2.3.5 has no such calls yet."""

import json

from urllib3 import PoolManager, Retry
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from restore.errors import AccessDenied, StoreUnavailable

_TIMEOUT = Timeout(connect=5, read=30)
_PATH = "/management/datacoord/garbage_collection"


class Management:
    """Pauses and resumes; each call is AccessDenied when refused, StoreUnavailable without an answer."""

    def __init__(self, profile: str, endpoint: str) -> None:
        self.where = f"the management endpoint {endpoint} of profile {profile!r}"
        self._endpoint = endpoint.rstrip("/")
        self._pool = PoolManager(timeout=_TIMEOUT, retries=Retry(0, redirect=0))

    def pause(self, seconds: int) -> str | None:
        """Have nothing collected for this long; return the pause's ticket where the cluster gives one."""
        told = self._call("pause", {"pause_seconds": str(seconds)})
        inner = told.get("data")
        ticket = told.get("ticket") or (inner.get("ticket") if isinstance(inner, dict) else None)
        return str(ticket) if ticket else None

    def resume(self, ticket: str | None) -> None:
        """Have the pause of this ticket ended; without one, every pause of a cluster that gives none."""
        self._call("resume", {"ticket": ticket} if ticket else {})

    def close(self) -> None:
        """Drop the connections."""
        self._pool.clear()

    def _call(self, what: str, fields: dict[str, str]) -> dict[str, object]:
        try:
            answer = self._pool.request("GET", f"{self._endpoint}{_PATH}/{what}", fields=fields)
        except HTTPError as error:
            raise StoreUnavailable(f"{self.where} does not answer to {what}: {error}") from error
        if answer.status == 200:
            return _object(answer.data)
        told = f"{self.where} answers {answer.status} to {what}: {_reason(answer.data)}"
        if answer.status in (429, 500, 502, 503, 504):
            raise StoreUnavailable(told)
        raise AccessDenied(
            f"{told}; set RESTORE_MILVUS_MANAGEMENT to the port that serves metrics (9091), or, where this "
            "Milvus has no such call, leave it out"
        )


def _object(body: bytes) -> dict[str, object]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _reason(body: bytes) -> str:
    """What the answer says, in short; it goes into logs and histories."""
    message = _object(body).get("msg") or body.decode(errors="replace")
    return " ".join(str(message).split())[:200]
