"""Whether a server of the local stack can be used."""

from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

from starter.process import Process
from starter.servers import Server

_TIMEOUT = 2.0  # seconds
_direct = build_opener(ProxyHandler({}))  # a proxy of the environment does not know our loopback


def answers(server: Server, process: Process) -> bool:
    """True when every port is the process's own and every health URL answers 2xx.

    The first half matters when somebody else took a port just before the server could.
    """
    return all(map(process.listens_on, server.ports.values())) and all(map(_is_well, server.health()))


def _is_well(url: str) -> bool:
    try:
        with _direct.open(url, timeout=_TIMEOUT) as answer:
            return bool(200 <= answer.status < 300)
    except (OSError, HTTPException):
        return False
