"""`milvus-restore demo`: a whole restore on this machine, and the proof that it is right."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, cast

import boto3
import typer
from rich.console import Console

from starter.demo_work import run, worker
from starter.local import FOLDER, readable
from starter.servers import Temporal
from starter.stack import Stack
from stores.etcd import Etcd3Client

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from samples.milvus.distribution import Distribution
    from samples.proof import Proof
    from samples.shape import SampleShape

_SHOWN = 20


def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the servers running, in --folder.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the servers live with --keep.")] = FOLDER,
    segments: Annotated[int, typer.Option(min=1, help="Segments of the sample.")] = 24,
    megabytes: Annotated[int, typer.Option(min=1, help="Size of the sample.")] = 200,
    milvus: Annotated[
        Path | None,
        typer.Option(
            help="Environment with requirements-milvus.lock: a real Milvus then searches both sides."
        ),
    ] = None,
) -> None:
    """Make a sample collection and its snapshot, restore it, and prove the result.

    Exits with 0 when every object and record is right, and every answer of Milvus.
    """
    with readable(), _servers(folder if keep else None, milvus) as stack:
        from samples.shape import SampleShape  # late, as below; without its extra the servers have said so

        proof = _restore_and_prove(stack, SampleShape(segments=segments, megabytes=megabytes))
        ok = proof.ok and (milvus is None or _search_side_by_side(stack, milvus))
        if keep:
            _tell(stack)
    raise typer.Exit(0 if ok else 1)


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
        with worker(settings):
            run(settings, "start", written.uri, target)
        console.print("[bold]3. The proof[/]: every object and record read again, beside the product's code")
        proof = prove(
            client, lambda prefix: list(_scan(etcd, prefix)), written, before, collection_id=collection
        )
    console.print(proof)
    for difference in proof.differences[:_SHOWN]:
        console.print(f"[red]{difference}[/]")
    return proof


def _distribution(milvus: Path) -> "Distribution":
    from samples.milvus.distribution import Distribution  # late, as below

    return Distribution(milvus)


def _search_side_by_side(stack: Stack, milvus: Path) -> bool:
    from starter.demo_milvus import SOURCE, TARGET, compare, tell  # late, as below

    console, settings = Console(), stack.settings()
    console.print("[bold]4. A real Milvus[/]: a snapshot, its restore, and the same searches in both")
    console.print(f"   milvus-restore snapshot create {SOURCE} demo --flush")
    console.print(f"   milvus-restore start {SOURCE}/demo {TARGET}")
    bucket = f"milvus-{secrets.token_hex(4)}"
    _s3_client(settings).create_bucket(Bucket=bucket)
    comparison = compare(settings, bucket, _distribution(milvus))
    tell(console, comparison)
    return comparison.equal


@contextmanager
def _servers(kept: Path | None, milvus: Path | None) -> Iterator[Stack]:
    """The local stack; gone afterwards with all its data, unless it is kept."""
    if milvus:
        _distribution(milvus).require()
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
