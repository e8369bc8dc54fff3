"""Where the web UI shows a workflow.

TEMPORAL_UI_ADDRESS says it; else the local stack's own state, when the server is that stack's; else a guess:
Temporal Cloud's UI, or for a server on this machine the port where `temporal server start-dev` puts it.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import cast
from urllib.parse import quote

from temporalio.client import Client

from starter.servers import LocalServerFailed, Temporal
from starter.stack import Stack

_LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}
_UI_ABOVE = 1000
"""`temporal server start-dev` serves its UI this many ports above its own."""
_STACK_FOLDER = Path(".local")
"""Where `milvus-restore local up` keeps its state unless told otherwise."""


def workflow_url(client: Client, workflow_id: str) -> str | None:
    """Return the page of a workflow's latest run, or None where nothing tells where the UI is."""
    ui = ui_address(client.service_client.config.target_host)
    return f"{ui}/namespaces/{client.namespace}/workflows/{quote(workflow_id, safe='')}" if ui else None


def ui_address(server: str) -> str | None:
    """Return the UI's address for a server's `host:port`, without a slash at its end."""
    if named := os.environ.get("TEMPORAL_UI_ADDRESS"):
        return (named if "://" in named else f"http://{named}").rstrip("/")
    if local := _local_stack_ui(server):
        return local
    host, _, port = server.rpartition(":")
    if host.endswith((".tmprl.cloud", ".temporal.io")):
        return "https://cloud.temporal.io"
    if host in _LOCAL_HOSTS and port.isdigit():
        return f"http://{host}:{int(port) + _UI_ABOVE}"
    return None


def _local_stack_ui(server: str) -> str | None:
    with suppress(LocalServerFailed, KeyError):  # a broken state, or none: then it is not that stack's
        temporal = cast(Temporal, Stack(_STACK_FOLDER).server("temporal"))
        return temporal.web_ui if temporal.address == server else None
    return None
