"""Free TCP ports of 127.0.0.1."""

import random
import socket
from collections.abc import Iterable

# SeaweedFS derives the gRPC port of a component from its HTTP port; both have to be free.
GRPC_OFFSET = 10_000

# With the offset still below 32768, where Linux begins to give ports to outgoing connections.
_RANGE = range(10_240, 32_768 - GRPC_OFFSET)


def is_free(port: int) -> bool:
    """True when a server could listen on the port and on the one GRPC_OFFSET above it."""
    return _bindable(port) and _bindable(port + GRPC_OFFSET)


def pick(names: Iterable[str]) -> dict[str, int]:
    """Return a free port for every name, all different; chosen at random so that two callers rarely meet."""
    candidates = (port for port in random.sample(_RANGE, len(_RANGE)) if is_free(port))
    return dict(zip(names, candidates, strict=False))


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a connection in TIME_WAIT does not own the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
