"""Milvus 2.3.5 as its wheel brings it: every file compressed by itself."""

import lzma
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starter.servers import LocalServerFailed

_PACKED: Final = ".lzma"


@dataclass(frozen=True)
class Distribution:
    """A virtual environment with the server and the client of its time, whose needs are not ours."""

    environment: Path

    @property
    def python(self) -> Path:
        """The interpreter that has pymilvus."""
        return self.environment.absolute() / "bin" / "python"

    @property
    def wheel(self) -> Path:
        """Where the wheel keeps its programs and the template of its configuration.

        Raises LocalServerFailed when there is none.
        """
        found = sorted(self.environment.absolute().glob("lib/python3*/site-packages/milvus/data"))
        if not found:
            raise LocalServerFailed(
                f"{self.environment} has no Milvus: install requirements-milvus.lock into it"
            )
        return found[0]

    def require(self) -> None:
        """Return when server and client are installed; else LocalServerFailed, which says what to do."""
        _ = self.wheel
        if not self.python.exists():
            raise LocalServerFailed(f"{self.python} is not there; make the environment anew")

    def unpacked(self) -> Path:
        """Return the folder of the program `milvus` and its libraries; unpacked by the first who asks."""
        folder = self.environment.absolute() / "milvus"
        if not folder.exists():
            making = folder.with_name(f"milvus-{os.getpid()}")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            with ThreadPoolExecutor() as threads:
                list(threads.map(lambda each: _unpack(each, making), (self.wheel / "bin").iterdir()))
            making.rename(folder)
        return folder


def _unpack(source: Path, folder: Path) -> None:
    target = folder / source.name.removesuffix(_PACKED)
    with lzma.open(source) as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain, 1 << 20)
    target.chmod(0o755)
