"""The way to Temporal: the SDK's own environment configuration, and readable ends for every way it fails."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NoReturn

import typer
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.exceptions import TemporalError
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode

from restore.errors import InvalidRequest, RestoreError
from starter.exit_codes import ExitCode, Stop
from starter.tracing import telemetry
from workflows.plugin import RestorePlugin

REACH_SECONDS: Final = 4.0
"""A server that does not answer by then counts as unreachable; people wait at most 5 s."""

_REFUSED = {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED}


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says of the connection, above environment and temporal.toml."""

    address: str | None = None
    namespace: str | None = None


async def connect(flags: Flags) -> Client:
    """Return a client of a namespace that exists, or raise Stop within 5 s."""
    config = _configuration(flags)
    address, namespace = config.get("target_host", ""), config.get("namespace", "default")
    try:
        async with asyncio.timeout(REACH_SECONDS):
            client = await Client.connect(
                **config,
                plugins=[RestorePlugin(), *telemetry().plugins],
                connect_timeout=timedelta(seconds=REACH_SECONDS),
                # The SDK's core would write its warnings to stdout, where scripts expect our answer.
                runtime=Runtime(telemetry=TelemetryConfig(logging=None)),
            )
            await _check_namespace(client)
            return client
    except (TimeoutError, RuntimeError, ValueError) as error:
        raise Stop(ExitCode.UNREACHABLE, _unreachable(address, error)) from error
    except RPCError as error:
        raise Stop(ExitCode.UNREACHABLE, _refused(address, namespace, error)) from error


def _configuration(flags: Flags) -> ClientConnectConfig:
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        raise Stop(ExitCode.WRONG_USAGE, f"Temporal's configuration cannot be read: {error}") from error
    config.setdefault("target_host", "localhost:7233")
    if flags.address:
        config["target_host"] = flags.address
    if flags.namespace:
        config["namespace"] = flags.namespace
    return config


async def _check_namespace(client: Client) -> None:
    """Raise RPCError NOT_FOUND for a namespace that is not there; who may not look is let through."""
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.PERMISSION_DENIED:
            raise


def _unreachable(address: str, error: Exception) -> str:
    reason = "no answer" if isinstance(error, TimeoutError) else _reason(str(error))
    return (
        f"Temporal cannot be reached at {address}: {reason}; set TEMPORAL_ADDRESS, "
        "or start one with `milvus-restore local up`"
    )


def _reason(text: str) -> str:
    """Find the words for people in the Rust client's debug output."""
    for words in ("Connection refused", "Name or service not known", "invalid target URL", "certificate"):
        if words.lower() in text.lower():
            return words[0].lower() + words[1:]
    return text.removeprefix("Failed client connect: ")[:200]


def _refused(address: str, namespace: str, error: RPCError) -> str:
    if error.status is RPCStatusCode.NOT_FOUND:
        return f"the namespace '{namespace}' does not exist on Temporal at {address}; set TEMPORAL_NAMESPACE"
    if error.status in _REFUSED:
        return f"Temporal at {address} refuses namespace '{namespace}': {error.message}; see TEMPORAL_API_KEY"
    return f"Temporal at {address} does not answer: {error.message}"


def perform(command: Coroutine[Any, Any, ExitCode]) -> NoReturn:
    """Run a command to its end and leave the process with its exit code; no traceback for a known failure."""
    raise typer.Exit(_ended(command))


def _ended(command: Coroutine[Any, Any, ExitCode]) -> ExitCode:
    try:
        with telemetry():
            return asyncio.run(command)
    except Stop as stop:
        return _say(stop.code, str(stop))
    except RestoreError as error:
        wrong = isinstance(error, InvalidRequest)
        return _say(ExitCode.WRONG_USAGE if wrong else ExitCode.FAILED, f"{type(error).__name__}: {error}")
    except RPCError as error:
        return _say(ExitCode.UNREACHABLE, f"Temporal does not do as asked: {error.message}")
    except TemporalError as error:
        return _say(ExitCode.FAILED, f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        return _say(ExitCode.DETACHED, "interrupted; `milvus-restore list` shows which restores run")


def _say(code: ExitCode, sentence: str) -> ExitCode:
    typer.echo(sentence, err=True)
    return code
