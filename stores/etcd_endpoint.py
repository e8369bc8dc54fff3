"""Where etcd listens, and how to prove who one is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc

_OPTIONS = (
    # A restarted server is found again within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # How long one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    # A dead machine is noticed by a watch that hears nothing.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A page of large values is larger than gRPC's 4 MiB.
    ("grpc.max_receive_message_length", -1),
)
_URL = re.compile(
    r"((?P<scheme>https?)://)?(?P<address>([^\s:/@\[\]]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5}))/?"
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A member's client address, `host:port`, with or without TLS."""

    address: str
    tls: bool

    @classmethod
    def parse(cls, text: str, *, tls: bool) -> "Endpoint":
        """Return the endpoint of `host:port` or `http(s)://host:port`; ValueError for anything else.

        A scheme decides on TLS; without one `tls` does.
        """
        found = _URL.fullmatch(text.strip())
        if not found or not 0 < int(found["port"]) < 2**16:
            shown = text.rpartition("@")[2]  # what stands before an @ may be a secret
            raise ValueError(f"the etcd endpoint '{shown}' is not host:port or http(s)://host:port")
        return cls(found["address"], found["scheme"] == "https" if found["scheme"] else tls)

    def channel(self, tls: grpc.ChannelCredentials | None) -> grpc.Channel:
        """Return a channel that connects at its first call."""
        if self.tls:
            credentials = tls or grpc.ssl_channel_credentials()
            return grpc.secure_channel(self.address, credentials, options=_OPTIONS)
        return grpc.insecure_channel(self.address, options=_OPTIONS)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: a user with its password, a client certificate, both or neither; and whom to trust."""

    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | str | None = None
    cert: Path | str | None = None
    key: Path | str | None = None

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise ValueError("an etcd client certificate and its key belong together: give both or neither")

    @property
    def tls(self) -> bool:
        """True when it says anything about TLS."""
        return self.ca is not None or self.cert is not None

    def endpoints(self, texts: Sequence[str]) -> tuple[Endpoint, ...]:
        """Return the endpoints in their order; ValueError when one is malformed or there is none."""
        if not texts:
            raise ValueError("no etcd endpoint is given: at least one host:port is needed")
        return tuple(Endpoint.parse(text, tls=self.tls) for text in texts)

    def credentials(self) -> grpc.ChannelCredentials | None:
        """Return the TLS credentials read from the files, or None; OSError when one cannot be read."""
        if not self.tls:
            return None
        ca, key, cert = (path and Path(path).read_bytes() for path in (self.ca, self.key, self.cert))
        return grpc.ssl_channel_credentials(ca or None, key or None, cert or None)
