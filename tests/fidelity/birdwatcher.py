"""Birdwatcher, Milvus's own reader of its records, asked in one process each; its answers taken apart."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

COMPLAINT = re.compile(r"fail|error|unmarshal|invalid|not found|cannot|panic|warn|\bnil\b", re.IGNORECASE)
"""What no line of an answer says when every record could be read."""

MINUTE = 60


class Complaint(AssertionError):
    """Birdwatcher could not read something."""


@dataclass(frozen=True)
class Log:
    """A log as Birdwatcher shows it; `path` is the one that it makes of ids, below the root path."""

    path: str
    log_id: int
    entries: int


@dataclass
class SegmentDetail:
    """A segment's block of a detailed listing."""

    channels: set[str] = field(default_factory=set)
    logs: list[Log] = field(default_factory=list)
    groups: dict[int, list[int]] = field(default_factory=dict)
    texts: dict[int, list[str]] = field(default_factory=dict)
    jsons: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Build:
    """An index of a segment."""

    index_id: int
    build_id: int
    state: str
    kind: str
    field_id: int
    size: int
    engine: int
    files: tuple[str, ...]


class Birdwatcher:
    """Reads the records below `{root}/meta` of an etcd; its own files go to `folder`."""

    def __init__(self, etcd: str, root: str, folder: Path) -> None:
        self._etcd, self._root, self._folder = etcd, root, folder

    def ask(self, command: str) -> str:
        """The answer to a command; Complaint when it has something to complain of."""
        spec = find_spec("pybirdwatcher")
        assert spec is not None
        assert spec.origin is not None
        asked = subprocess.run(
            [
                Path(spec.origin).parent / "bin" / "birdwatcher",
                "-olc",
                f"connect --etcd {self._etcd} --rootPath {self._root}, {command}",
            ],
            cwd=self._folder,
            # It looks for an etcd of its own before it is told of one, and waits 5 s for it in vain.
            env={"HOME": str(self._folder), "ETCD_ENDPOINTS": self._etcd},
            capture_output=True,
            text=True,
            timeout=MINUTE,
            check=True,
        )
        first, _, answer = asked.stdout.partition("\n")
        complaints = [line for line in asked.stdout.splitlines() if COMPLAINT.search(line)]
        if complaints or asked.stderr or first != f"Using meta path: {self._root}/meta/":
            raise Complaint(f"{command}: {complaints or asked.stderr or first}")
        return answer

    def segments(self, collection: int) -> dict[int, dict[str, Any]]:
        """Every segment of a collection by id, whatever its state."""
        listed = json.loads(self.ask(f"show segment --collection {collection} --format json"))
        return {each["ID"]: each for each in listed}

    def details(self, collection: int) -> dict[int, SegmentDetail]:
        """What each segment has: logs, and statistics of text and JSON."""
        answer = self.ask(f"show segment --collection {collection} --format table --detail")
        _, *blocks = re.split(r"^Segment ID: ", answer, flags=re.MULTILINE)
        return {int(block.split("\n", 1)[0]): _detail(block) for block in blocks}

    def builds(self, collection: int) -> dict[int, list[Build]]:
        """The index builds of each segment."""
        answer = self.ask(f"show segment-index --collection {collection}")
        _, *blocks = re.split(r"^SegmentID: ", answer, flags=re.MULTILINE)
        return {int(block.split("\t", 1)[0]): list(_builds(block)) for block in blocks}

    def indexes(self, collection: int) -> dict[int, str]:
        """The names of a collection's indexes by id."""
        answer = self.ask(f"show index --collection {collection}")
        return {
            int(number): name for number, name in re.findall(r"Index ID: (\d+)\tIndex Name: (\S+)\t", answer)
        }

    def partitions(self, collection: int) -> dict[str, int]:
        """The ids of a collection's partitions by name."""
        answer = self.ask(f"show partition --collection {collection}")
        return {name: int(number) for number, name in re.findall(r"ition ID: (\d+)\tName: (\S+)\t", answer)}

    def channels(self, collection: int) -> dict[str, str]:
        """The vchannels of a collection by shard."""
        answer = self.ask(f"show checkpoint --collection {collection}")
        found = re.findall(r"^vchannel (\S+) seek to", answer, flags=re.MULTILINE)
        return {name.rpartition("v")[2]: name for name in found}

    def keys(self, prefix: str, depth: int) -> set[str]:
        """The keys that lie so many levels below a prefix of the records."""
        whole = f"{self._root}/meta/{prefix}"
        answer = self.ask(f"show etcd-kv-tree --prefix {whole} --level {depth + 1} --topK 10000")
        level = answer.partition(f"Level {depth + 1}:\n")[2]
        return {
            key.removeprefix(f"{whole}/") for key in re.findall(r"Prefix: (\S+), Key Count: 1$", level, re.M)
        }


def _detail(block: str) -> SegmentDetail:
    detail = SegmentDetail(channels=set(re.findall(r"channel name:? (\S+)", block)))
    for path, number, entries in re.findall(
        r"^Path: ROOT_PATH/(\S+)\nLogID: (\d+) .*Entry Num: (\d+)", block, re.M
    ):
        detail.logs.append(Log(path, int(number), int(entries)))
    for entries, number, path in re.findall(
        r"^Entries: (\d+) From.*\nLogID: (\d+), Path: ROOT_PATH/(\S+) ", block, re.M
    ):
        detail.logs.append(Log(path, int(number), int(entries)))
    for group, members in re.findall(r"^Field (\d+):\n\[stv2\]Child Fields: \[([\d ]*)\]", block, re.M):
        detail.groups[int(group)] = [int(each) for each in members.split()]
    for number, files in re.findall(r"^Field (\d+)\tLogSize: .*\n((?:\t .*\n)*)", block, re.M):
        detail.texts[int(number)] = files.split()
    for stats in re.findall(r"^  Stats info: (.*)$", block, re.M):
        each = _json_stats(stats)
        detail.jsons[each["fieldID"]] = each
    return detail


def _json_stats(text: str) -> dict[str, Any]:
    """A message in protobuf's text form, of numbers and of the files."""
    numbers = {name: int(value) for name, value in re.findall(r"(\w+):(\d+)", text)}
    return {**numbers, "files": re.findall(r'files:"([^"]*)"', text)}


def _builds(block: str) -> Iterator[Build]:
    pattern = (
        r"IndexID: (\d+)\tIndex build ID: (\d+), states (\w+)\s+Index Type:(\w*) on Field ID: (\d+)"
        r"\tSerialized Size: (\d+)\n\tCurrent Index Version: (\d+)\n\t Index Files: \[(.*)\]"
    )
    for index, build, state, kind, number, size, engine, files in re.findall(pattern, block):
        yield Build(
            index_id=int(index),
            build_id=int(build),
            state=state,
            kind=kind,
            field_id=int(number),
            size=int(size),
            engine=int(engine),
            files=tuple(files.split()),
        )
