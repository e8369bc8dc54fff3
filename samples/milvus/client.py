"""The pymilvus of the server's time, which cannot live in one environment with ours."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

from samples.milvus.distribution import Distribution
from starter.servers import LocalServerFailed

_PROGRAM: Final = Path(__file__).with_name("pymilvus_process.py")
_ENDS_WITHIN: Final = 20.0
"""Seconds after its stdin has ended."""

_DIES_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL", "--")


class MilvusRefused(LocalServerFailed):
    """What pymilvus raised, as its text."""


class Client:
    """Every function of pymilvus_process.py as a method, its arguments by name."""

    def __init__(self, calls: IO[str], answers: IO[str]) -> None:
        self._calls = calls
        self._answers = answers

    def __getattr__(self, call: str) -> Callable[..., Any]:
        if call.startswith("_"):
            raise AttributeError(call)
        return lambda **arguments: self._ask(call, arguments)

    def _ask(self, call: str, arguments: dict[str, Any]) -> Any:
        self._calls.write(json.dumps({"call": call, "arguments": arguments}) + "\n")
        self._calls.flush()
        line = self._answers.readline()
        if not line:
            raise MilvusRefused(f"{call}: pymilvus ended")
        answer = json.loads(line)
        if "failure" in answer:
            raise MilvusRefused(f"{call}: {answer['failure']}")
        return answer["answer"]


@contextmanager
def connected(address: str, log: Path, distribution: Distribution) -> Iterator[Client]:
    """A client of the proxy at this address; it goes on over restarts of the server."""
    with log.open("ab") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*_DIES_WITH_US, str(distribution.python), "-I", str(_PROGRAM), address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        calls, answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
        try:
            yield Client(calls, answers)
        finally:
            calls.close()
            process.wait(_ENDS_WITHIN)
