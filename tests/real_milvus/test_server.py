"""The server of these tests leaves nothing behind."""

from pathlib import Path
from typing import TYPE_CHECKING

from samples.milvus.server import running, server_id_file
from starter import port
from starter.stack import Stack
from tests.real_milvus.cluster import DISTRIBUTION
from tests.real_milvus.conftest import place_in

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def test_a_server_that_has_ended_leaves_no_process_no_port_and_no_file(
    stack: Stack, s3_client: "S3Client", tmp_path: Path
) -> None:
    place = place_in(stack, stack, s3_client, etcd_root="short", root="files")

    with running(tmp_path, place, DISTRIBUTION) as server:
        pid = server.pid
        assert Path(f"/proc/{pid}").exists()

    assert not Path(f"/proc/{pid}").exists()
    assert not server_id_file(pid).exists()
    assert port.is_free(int(server.address.rpartition(":")[2]))
