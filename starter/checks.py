"""Whether everything is there that a restore needs: settings, stores, Temporal, workers."""

from collections.abc import Callable
from typing import Literal

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from formats.model import Model
from restore.errors import AccessDenied, RestoreError
from restore.profiles import EtcdSettings
from restore.settings import DEFAULT
from starter.restores import has_worker, no_worker
from stores.catalog import collection_names
from stores.clients import Clients
from stores.ports import Location
from workflows.search_attributes import REGISTERED

State = Literal["ok", "note", "problem"]


class Check(Model):
    """What was looked at, what was found, and what to do about it; a note keeps no restore from running."""

    what: str
    state: State
    found: str
    advice: str = ""


def check_profile(clients: Clients, name: str) -> list[Check]:
    """Return what is found of a profile's object store, etcd and Milvus, asked side by side."""
    asked = [_objects, _metadata, _milvus]
    answers = [clients.list_threads.submit(each, clients, name) for each in asked]
    return [check for answer in answers for check in answer.result()]


def _objects(clients: Clients, name: str) -> list[Check]:
    what, s3 = f"object store of '{name}'", clients.profile(name).s3
    try:
        objects = clients.objects(name)
        objects.check(s3.bucket)
    except RestoreError as error:
        return [_problem(what, error, f"the settings of profile '{name}' must lead to Milvus's own bucket")]
    checks = [Check(what=what, state="ok", found=f"s3://{s3.bucket}/{s3.root_path} at {objects.endpoint}")]
    try:
        objects.check_writable(Location(s3.bucket, f"{clients.archive(name).top}doctor"))
    except AccessDenied:
        found = f"s3://{s3.bucket} may be read and not be written to"
        advice = "enough for a source; to restore there, allow what docs/security.md lists"
        checks.append(Check(what=what, state="note", found=found, advice=advice))
    return checks


def _metadata(clients: Clients, name: str) -> list[Check]:
    what, etcd = f"etcd of '{name}'", clients.profile(name).etcd
    if name != DEFAULT and etcd == EtcdSettings():
        return [
            Check(what=what, state="note", found="not set", advice="enough for a source named by its URI")
        ]
    try:
        clients.metadata(name).check()
        collections = len(collection_names(clients.metadata(name), clients.keys(name), "default"))
    except RestoreError as error:
        return [_problem(what, error, f"profile '{name}' must lead to Milvus's own etcd")]
    place = f"{etcd.root_path}/{etcd.meta_sub_path} at {', '.join(etcd.endpoints)}"
    if not collections:
        advice = "if Milvus has some, set its own root path and meta sub path"
        return [Check(what=what, state="note", found=f"no collection below {place}", advice=advice)]
    return [Check(what=what, state="ok", found=f"{collections:,} collections below {place}")]


def _milvus(clients: Clients, name: str) -> list[Check]:
    what, address = f"Milvus of '{name}'", clients.profile(name).milvus.address
    if address is None:
        return []
    servers = {"proxy": clients.milvus(name), "coordinator": clients.root_coord(name)}
    return [_answers(f"{what}, {part}", server.check) for part, server in servers.items() if server]


def _answers(what: str, ask: Callable[[], object]) -> Check:
    try:
        ask()
    except RestoreError as error:
        advice = "without a Milvus address, restores go into targets that exist, with ids of our own"
        return _problem(what, error, advice)
    return Check(what=what, state="ok", found="answers")


async def check_temporal(client: Client, task_queue: str) -> list[Check]:
    """Return what is found of search attributes and of workers on the task queue."""
    return [await _search_attributes(client), *[await _workers(client, task_queue, each) for each in _QUEUES]]


async def _search_attributes(client: Client) -> Check:
    what = "search attributes"
    try:
        request = ListSearchAttributesRequest(namespace=client.namespace)
        known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    except RPCError as error:
        advice = "restores run without them; workers set them where the server lets them"
        return Check(what=what, state="note", found=f"not shown: {error.message}", advice=advice)
    missing = [name for name in REGISTERED if name not in known]
    if missing:
        advice = "start a worker that may register them; restores run without them too"
        return Check(what=what, state="note", found=f"missing: {', '.join(missing)}", advice=advice)
    return Check(what=what, state="ok", found=", ".join(REGISTERED))


async def _workers(client: Client, task_queue: str, kind: "TaskQueueType.ValueType") -> Check:
    what = f"workers for {_QUEUES[kind]}"
    if await has_worker(client, task_queue, kind):
        return Check(what=what, state="ok", found=f"task queue '{task_queue}' is polled")
    found, _, advice = no_worker(task_queue).partition("; ")
    return Check(what=what, state="problem", found=found, advice=advice)


_QUEUES = {
    TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW: "workflows",
    TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY: "activities",
}


def _problem(what: str, error: RestoreError, advice: str) -> Check:
    return Check(what=what, state="problem", found=f"{type(error).__name__}: {error}", advice=advice)
