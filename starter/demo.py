"""`milvus-restore demo`: a whole restore on this machine, and the proof that it is right."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, cast

import boto3
import typer
from rich.console import Console

from starter.local import FOLDER, readable
from starter.servers import Temporal
from starter.stack import Stack
from stores.etcd import Etcd3Client

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from samples.proof import Proof
    from samples.shape import SampleShape

_WORKER_STOPS = 20
"""Seconds that the worker has to stop after SIGTERM: its own grace, and some."""

_SHOWN = 20


def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the servers running, in --folder.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the servers live with --keep.")] = FOLDER,
    segments: Annotated[int, typer.Option(min=1, help="Segments of the sample.")] = 24,
    megabytes: Annotated[int, typer.Option(min=1, help="Size of the sample.")] = 200,
) -> None:
    """Make a sample collection and its snapshot, restore it, and prove the result.

    Exits with 0 when every object and record is right.
    """
    with readable(), _servers(folder if keep else None) as stack:
        from samples.shape import SampleShape  # late, as below; without its extra the servers have said so

        proof = _restore_and_prove(stack, SampleShape(segments=segments, megabytes=megabytes))
        if keep:
            _tell(stack)
    raise typer.Exit(0 if proof.ok else 1)


def _restore_and_prove(stack: Stack, shape: "SampleShape") -> "Proof":
    # Late, since they need numpy and pyarrow, which the rest of the command line does without.
    from samples.catalog import META, write_source, write_target
    from samples.proof import prove
    from samples.snapshot import write_sample

    console = Console()
    settings = stack.settings()
    client = _s3_client(settings)
    with Etcd3Client([settings["RESTORE_ETCD_ENDPOINTS"]]) as etcd:
        console.print(f"[bold]1. A sample[/]: {shape.segments} segments, about {shape.megabytes} MB")
        written = write_sample(client, settings["RESTORE_S3_BUCKET"], shape)
        write_source(_putter(etcd), written)
        target = _free_name(etcd)
        collection = write_target(_putter(etcd), shape, collection=target)
        before = dict(_scan(etcd, f"{META}/"))
        console.print(f"   {written.objects:,} objects, {written.bytes:,} bytes")
        console.print(f"[bold]2. The restore[/]: milvus-restore start {written.uri} {target}")
        _restore(settings, written.uri, target)
        console.print("[bold]3. The proof[/]: every object and record read again, beside the product's code")
        proof = prove(
            client, lambda prefix: list(_scan(etcd, prefix)), written, before, collection_id=collection
        )
    console.print(proof)
    for difference in proof.differences[:_SHOWN]:
        console.print(f"[red]{difference}[/]")
    return proof


def _restore(settings: dict[str, str], uri: str, target: str) -> None:
    with _worker(settings):
        command = [sys.executable, "-m", "starter", "start", uri, target]
        done = subprocess.run(command, env=os.environ | settings, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise typer.Exit(done.returncode)


@contextmanager
def _servers(kept: Path | None) -> Iterator[Stack]:
    """The local stack; gone afterwards with all its data, unless it is kept."""
    if kept:
        stack = Stack(kept)
        stack.up()
        yield stack
        return
    with TemporaryDirectory(prefix="milvus-restore-demo-") as folder:
        stack = Stack(Path(folder), bound=True)
        try:
            stack.up()
            yield stack
        finally:
            stack.down()


@contextmanager
def _worker(settings: dict[str, str]) -> Iterator[None]:
    """A worker of its own process, stopped afterwards; its log is shown when the restore fails."""
    with TemporaryDirectory(prefix="milvus-restore-worker-") as folder:
        log = Path(folder) / "worker.log"
        with log.open("w") as output:
            worker = subprocess.Popen(
                [sys.executable, "-m", "worker"], env=os.environ | settings, stdout=output, stderr=output
            )
        try:
            yield
        except typer.Exit:
            sys.stderr.write(log.read_text())
            raise
        finally:
            worker.terminate()
            worker.wait(_WORKER_STOPS)


def _free_name(etcd: Etcd3Client) -> str:
    """A target that no earlier demo in the same folder has filled."""
    from samples.catalog import META  # late, as above

    taken = len({key.split("/")[-3] for key, _ in _scan(etcd, f"{META}/datacoord-meta/s/")})
    return f"orders_restored_{taken}" if taken > 1 else "orders_restored"


def _putter(etcd: Etcd3Client) -> Callable[[str, bytes], None]:
    def put(key: str, value: bytes) -> None:
        etcd.put(key, value)

    return put


def _scan(etcd: Etcd3Client, prefix: str) -> Iterator[tuple[str, bytes]]:
    return ((found.key.decode(), value) for value, found in etcd.get_prefix(prefix))


def _tell(stack: Stack) -> None:
    console = Console()
    console.print(f"The servers run on; web UI: {cast(Temporal, stack.server('temporal')).web_ui}")
    console.print(
        f"Settings: milvus-restore local up; end: milvus-restore local down --folder {stack.folder}"
    )


def _s3_client(settings: dict[str, str]) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=settings["RESTORE_S3_ENDPOINT"],
        region_name=settings["RESTORE_S3_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )
