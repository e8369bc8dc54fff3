"""Milvus 2.3.5 as its wheel brings it: every file compressed by itself."""

import lzma
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

ENVIRONMENT: Final = ROOT / ".venv-milvus"
"""Made by `make test-milvus`; it has the server and the client of its time, whose needs are not ours."""

PYTHON: Final = ENVIRONMENT / "bin" / "python"

_PACKED: Final = ".lzma"


def data_folder() -> Path:
    """Where the wheel keeps its programs and the template of its configuration."""
    found = sorted(ENVIRONMENT.glob("lib/python3*/site-packages/milvus/data"))
    assert found, f"{ENVIRONMENT} has no Milvus; run: make test-milvus"
    return found[0]


def unpacked() -> Path:
    """The folder of the program `milvus` and its libraries; unpacked by the first who asks."""
    folder = ENVIRONMENT / "milvus"
    if not folder.exists():
        making = ENVIRONMENT / f"milvus-{os.getpid()}"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda each: _unpack(each, making), (data_folder() / "bin").iterdir()))
        making.rename(folder)
    return folder


def _unpack(source: Path, folder: Path) -> None:
    target = folder / source.name.removesuffix(_PACKED)
    with lzma.open(source) as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain, 1 << 20)
    target.chmod(0o755)


if __name__ == "__main__":
    sys.stdout.write(f"{unpacked()}\n")
