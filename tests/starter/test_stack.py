"""The local stack with its real servers; every test has a stack and a folder of its own."""

import base64
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from socket import AF_INET, SO_REUSEADDR, SOL_SOCKET, socket
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from starter import port
from starter.port import GRPC_OFFSET
from starter.process import Process
from starter.servers import BUCKET, LocalServerFailed, Temporal
from starter.stack import Stack
from starter.state import ServerState, load, save

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

NAMES = ("temporal", "etcd", "s3")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A stack that is not up yet, and is down after the test."""
    stack = Stack(tmp_path / "local", bound=True)
    yield stack
    stack.down()


def pids(stack: Stack) -> dict[str, int | None]:
    return {server.name: server.pid for server in stack.status()}


def healthy(stack: Stack) -> dict[str, bool]:
    return {server.name: server.healthy for server in stack.status()}


def processes_below(folder: Path) -> set[int]:
    """The processes whose working directory lies in a folder: the servers' does."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder) and (process / "cmdline").read_bytes():
                found.add(int(process.name))
    return found


def is_open(number: int) -> bool:
    """True when somebody accepts connections at a port of 127.0.0.1."""
    with socket() as caller:
        return caller.connect_ex(("127.0.0.1", number)) == 0


def listeners(pid: int) -> set[str]:
    """The local addresses, as the kernel writes them, on which a process listens."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            sockets.add(str(descriptor.readlink()))
    rows = [
        row.split() for table in ("tcp", "tcp6") for row in Path("/proc/net", table).read_text().splitlines()
    ]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


def kill(pid: int) -> None:
    """Kill a process and return when it is dead."""
    with closing(os.fdopen(os.pidfd_open(pid))) as handle:
        os.kill(pid, signal.SIGKILL)
        assert select.select([handle], [], [], 20)[0]


def occupy(number: int) -> socket:
    taken = socket(AF_INET)
    try:
        taken.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", number))
        taken.listen()
    except OSError:
        taken.close()
        raise
    return taken


def call(url: str, body: dict[str, Any] | None = None) -> Any:
    request = Request(url, None if body is None else json.dumps(body).encode())
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)


def s3(stack: Stack, secret: str | None = None) -> "S3Client":
    settings = stack.settings()
    return boto3.client(
        "s3",
        endpoint_url=settings["RESTORE_S3_ENDPOINT"],
        region_name=settings["RESTORE_S3_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secret or settings["AWS_SECRET_ACCESS_KEY"],
    )


class Marks:
    """One datum in each server, by its own plain API."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.name = stack, uuid4().hex

    def write(self) -> None:
        with closing(s3(self.stack)) as client:
            client.put_object(Bucket=BUCKET, Key=self.name, Body=b"kept", Metadata={"kept": "too"})
        call(self._etcd("put"), {"key": self._key, "value": self._key})
        call(self._workflow, {"workflowType": {"name": "Nobody"}, "taskQueue": {"name": "nobody"}})

    def read(self, server: str) -> object:
        return {"s3": self._read_s3, "etcd": self._read_etcd, "temporal": self._read_temporal}[server]()

    def _read_s3(self) -> object:
        with closing(s3(self.stack)) as client:
            answer = client.get_object(Bucket=BUCKET, Key=self.name)
            return answer["Body"].read(), answer["Metadata"]

    def _read_etcd(self) -> object:
        return [pair["value"] for pair in call(self._etcd("range"), {"key": self._key}).get("kvs", [])]

    def _read_temporal(self) -> object:
        return call(self._workflow)["workflowExecutionInfo"]["execution"]["runId"]

    @property
    def _key(self) -> str:
        return base64.b64encode(self.name.encode()).decode()

    def _etcd(self, method: str) -> str:
        return f"http://{self.stack.server('etcd').address}/v3/kv/{method}"

    @property
    def _workflow(self) -> str:
        http = self.stack.server("temporal").ports["http"]
        return f"http://127.0.0.1:{http}/api/v1/namespaces/default/workflows/{self.name}"


def test_up_gives_the_settings_of_the_contract_and_servers_that_work(own: Stack) -> None:
    own.up()

    assert healthy(own) == dict.fromkeys(NAMES, True)
    assert set(own.settings()) == {
        "TEMPORAL_ADDRESS",
        "TEMPORAL_UI_ADDRESS",
        "RESTORE_ETCD_ENDPOINTS",
        "RESTORE_S3_ENDPOINT",
        "RESTORE_S3_REGION",
        "RESTORE_S3_BUCKET",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    }
    with closing(s3(own)) as client:
        client.head_bucket(Bucket="a-bucket")
    marks = Marks(own)
    marks.write()
    assert all(marks.read(name) for name in NAMES)


def test_temporal_has_the_search_attributes_of_the_contract_and_a_web_ui(own: Stack) -> None:
    own.up(etcd=False, s3=False)

    temporal = own.server("temporal")
    assert isinstance(temporal, Temporal)
    api = f"http://127.0.0.1:{temporal.ports['http']}/api/v1/namespaces/default"
    known = call(f"{api}/search-attributes")["customAttributes"]
    assert {name: kind.removeprefix("INDEXED_VALUE_TYPE_") for name, kind in known.items()}.items() >= {
        ("RestoreTarget", "KEYWORD"),
        ("RestoreSnapshotName", "KEYWORD"),
        ("RestorePhase", "KEYWORD"),
        ("RestorePercent", "INT"),
    }
    with urlopen(temporal.web_ui, timeout=20) as page:
        assert "text/html" in page.headers["Content-Type"]


def test_s3_refuses_a_wrong_secret_an_absent_bucket_and_the_deletion_of_a_full_one(own: Stack) -> None:
    own.up(temporal=False, etcd=False)

    with closing(s3(own, secret="0" * 40)) as stranger, pytest.raises(ClientError) as refused:
        stranger.list_objects_v2(Bucket=BUCKET)
    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    with closing(s3(own)) as client:
        with pytest.raises(ClientError) as absent:
            client.put_object(Bucket="no-such-bucket", Key="a", Body=b"")
        assert absent.value.response["Error"]["Code"] == "NoSuchBucket"
        client.put_object(Bucket=BUCKET, Key="a", Body=b"")
        with pytest.raises(ClientError) as full:
            client.delete_bucket(Bucket=BUCKET)
        assert full.value.response["Error"]["Code"] == "BucketNotEmpty"


def test_every_listener_is_on_loopback(own: Stack) -> None:
    own.up()

    for name, pid in pids(own).items():
        addresses = listeners(pid or 0)
        assert len(addresses) >= len(own.server(name).ports)
        assert {address.rpartition(":")[0] for address in addresses} == {"0100007F"}


def test_up_again_changes_nothing(own: Stack) -> None:
    own.up()
    before = pids(own), own.settings()

    Stack(own.folder).up()

    assert (pids(own), own.settings()) == before


@pytest.mark.parametrize("victim", NAMES)
def test_up_after_a_kill_starts_only_the_dead_server_with_its_ports_and_data(own: Stack, victim: str) -> None:
    own.up()
    marks = Marks(own)
    marks.write()
    before, settings, datum = pids(own), own.settings(), marks.read(victim)

    kill(before[victim] or 0)
    assert healthy(own) == {name: name != victim for name in NAMES}
    own.up()

    after = pids(own)
    assert {name for name in NAMES if after[name] != before[name]} == {victim}
    assert own.settings() == settings
    assert marks.read(victim) == datum


def test_data_survive_down_and_up_even_when_the_ports_have_gone_to_somebody_else(own: Stack) -> None:
    own.up()
    marks = Marks(own)
    marks.write()
    data = {name: marks.read(name) for name in NAMES}
    old = {number for name in NAMES for number in own.server(name).ports.values()}
    own.down()

    strangers = [occupy(number) for number in old]
    try:
        own.up()
        new = {number for name in NAMES for number in own.server(name).ports.values()}
        assert not new & old
        assert {name: marks.read(name) for name in NAMES} == data
    finally:
        for stranger in strangers:
            stranger.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_port_taken_between_choice_and_use_is_exchanged(
    own: Stack, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose, chosen = port.pick, list[dict[str, int]]()

    def unlucky(names: tuple[str, ...]) -> dict[str, int]:
        chosen.append(choose(names))
        if len(chosen) == 1:
            strangers.append(occupy(chosen[0][names[0]]))
        return chosen[-1]

    strangers: list[socket] = []
    monkeypatch.setattr(port, "pick", unlucky)
    try:
        own.up(**{other: other == name for other in NAMES})
        assert own.server(name).ports == chosen[1]
        assert healthy(own) == {name: True}
    finally:
        strangers[0].close()


def test_down_leaves_no_process_no_port_and_no_socket_and_may_be_repeated(own: Stack) -> None:
    strangers = set(Path("/tmp").glob("seaweedfs-*.sock"))
    own.up()
    numbers = {number for name in NAMES for number in own.server(name).ports.values()}
    assert processes_below(own.folder) == set(pids(own).values())
    kill(pids(own)["s3"] or 0)  # it cannot tidy up after itself any more

    own.down()
    own.down()

    assert healthy(own) == dict.fromkeys(NAMES, False)
    assert processes_below(own.folder) == set()
    assert {number for number in numbers for at in (number, number + GRPC_OFFSET) if is_open(at)} == set()
    sockets = {path.name for path in set(Path("/tmp").glob("seaweedfs-*.sock")) - strangers}
    assert not {name for name in sockets if any(str(number + GRPC_OFFSET) in name for number in numbers)}


def test_down_where_nothing_was_ever_up_does_nothing(own: Stack) -> None:
    own.down()

    assert not own.folder.exists()
    assert own.status() == []


def test_a_stranger_that_got_a_recorded_pid_is_left_alone(own: Stack) -> None:
    own.up(temporal=False, s3=False)
    state_file = own.folder / "stack.json"
    state = load(state_file)
    server = state.servers["etcd"]
    assert server.process is not None
    kill(server.process.pid)
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as stranger:
        reused = server.process.model_copy(update={"pid": stranger.pid})
        save(state_file, state.having("etcd", ServerState(ports=server.ports, process=reused)))

        assert pids(own) == {"etcd": None}
        own.down()

        assert stranger.poll() is None
        stranger.kill()


def test_a_process_of_an_earlier_boot_is_left_alone(own: Stack) -> None:
    own.up(temporal=False, s3=False)
    state_file = own.folder / "stack.json"
    state = load(state_file)
    server = state.servers["etcd"]
    assert server.process is not None
    earlier = server.process.model_copy(update={"boot": "an earlier one"})
    save(state_file, state.having("etcd", ServerState(ports=server.ports, process=earlier)))

    own.down()

    assert server.process.alive
    save(state_file, state)


def test_a_server_that_cannot_start_shows_its_last_words_and_takes_only_this_calls_servers_down(
    own: Stack,
) -> None:
    own.up(etcd=False, s3=False)
    survivor = pids(own)
    (own.folder / "etcd").mkdir()
    (own.folder / "etcd" / "etcd.data").write_text("not a directory")

    with pytest.raises(LocalServerFailed, match=r"etcd ended while it was starting[\s\S]+not a directory"):
        own.up()

    assert pids(own) == {"temporal": survivor["temporal"], "etcd": None, "s3": None}
    assert processes_below(own.folder) == {survivor["temporal"]}


def test_a_server_that_is_not_healthy_in_time_is_named_and_ended(own: Stack) -> None:
    own.deadline = 0.0

    with pytest.raises(
        LocalServerFailed, match=r"temporal did not become healthy at 127\.0\.0\.1:\d+ within 0 s"
    ):
        own.up()

    assert processes_below(own.folder) == set()


def test_a_missing_program_is_named_with_the_command_that_brings_it(
    own: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))

    with pytest.raises(LocalServerFailed, match=r"temporal is not there; install .*milvus-restore\[local\]"):
        own.up()


def test_two_at_once_start_each_server_once(own: Stack) -> None:
    code = "import pathlib, sys; from starter.stack import Stack; Stack(pathlib.Path(sys.argv[1])).up()"
    both = [subprocess.Popen([sys.executable, "-c", code, str(own.folder)]) for _ in range(2)]

    assert [process.wait(100) for process in both] == [0, 0]

    assert healthy(own) == dict.fromkeys(NAMES, True)
    assert processes_below(own.folder) == set(pids(own).values())


def test_bound_servers_end_with_the_process_that_started_them(own: Stack) -> None:
    code = (
        "import os, pathlib, sys; from starter.stack import Stack; "
        "Stack(pathlib.Path(sys.argv[1]), bound=True).up(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(own.folder)], check=False)

    for server in load(own.folder / "stack.json").servers.values():
        assert server.process is not None
        await_end(server.process)
    assert processes_below(own.folder) == set()


def await_end(process: Process) -> None:
    with suppress(ProcessLookupError), closing(os.fdopen(os.pidfd_open(process.pid))) as handle:
        if process.alive:
            assert select.select([handle], [], [], 20)[0]


def test_a_damaged_state_file_is_named(own: Stack) -> None:
    own.folder.mkdir()
    (own.folder / "stack.json").write_text('{"servers": 1}')

    with pytest.raises(LocalServerFailed, match=r"stack\.json is not a local stack's state"):
        own.status()
    (own.folder / "stack.json").unlink()
