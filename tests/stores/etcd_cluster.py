"""An etcd of three members, whose leader is moved or killed."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.stores.etcd_server import EtcdServer, eventually, running


class EtcdCluster:
    """Three members on 127.0.0.1; two of them are a quorum."""

    def __init__(self, folder: Path) -> None:
        self.members: list[EtcdServer] = []
        for name in ("a", "b", "c"):
            (folder / name).mkdir()
            self.members.append(EtcdServer(folder / name, name=name))
        everyone = ",".join(each.member for each in self.members)
        for each in self.members:
            each.join(everyone)

    @property
    def endpoints(self) -> list[str]:
        return [each.address for each in self.members]

    def leader(self) -> EtcdServer:
        """The member that all agree on, once they do."""
        found: list[EtcdServer] = []

        def agreed() -> bool:
            told = {each.address: _status(each) for each in self.members}
            leaders = {status["leader"] for status in told.values()}
            found[:] = [each for each in self.members if told[each.address]["header"]["member_id"] in leaders]
            return len(leaders) == 1 and len(found) == 1

        eventually(agreed, "all members follow one leader")
        return found[0]

    def move_leader(self) -> None:
        """Have another member lead, as an operator does before maintenance."""
        leader = self.leader()
        heir = self.members[(self.members.index(leader) + 1) % len(self.members)]
        leader.ctl("move-leader", f"{_status(heir)['header']['member_id']:x}")

    def lose_leader(self) -> None:
        """End the leader with SIGKILL, and have it back as one of three when another one leads."""
        leader = self.leader()
        leader.kill()
        others = [each for each in self.members if each is not leader]
        gone = {_status(others[0])["leader"]}
        eventually(lambda: _status(others[0])["leader"] not in {*gone, 0}, "another member leads")
        leader.start()
        self.leader()


def _status(member: EtcdServer) -> dict[str, Any]:
    (answer,) = json.loads(member.ctl("endpoint", "status", "-w", "json"))
    status: dict[str, Any] = answer["Status"]
    return {"leader": 0, **status}


@contextmanager
def cluster(folder: Path) -> Iterator[EtcdCluster]:
    """A started cluster with a leader, gone afterwards."""
    etcd = EtcdCluster(folder)
    with ExitStack() as stack:
        for each in etcd.members:
            stack.enter_context(running(each))
        etcd.leader()
        yield etcd
