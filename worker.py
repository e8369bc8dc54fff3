"""The worker: settings to clients to activities to a Temporal worker. Run it as `python worker.py`."""

import asyncio
import logging
import os
import signal
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import Interceptor, Worker

from activities import build_activities
from activities.interceptors import build_interceptors
from formats.errors import RestoreError
from restore.log_format import start_logging
from restore.settings import Settings
from restore.telemetry import TelemetrySettings
from stores.clients import Clients
from workflows import WORKFLOWS
from workflows.plugin import RestorePlugin
from workflows.registration import register_search_attributes
from workflows.telemetry import Telemetry, open_telemetry

_log = logging.getLogger("milvus-restore")

ACTIVITIES = 64  # at once; they mostly wait for a store, and the copying ones share their threads
BEAT = timedelta(seconds=1)  # between heartbeats, with whose answers a cancel or pause arrives
GRACE = timedelta(seconds=10)  # for copies in flight on SIGTERM; what is interrupted, another takes over


async def connect(telemetry: Telemetry) -> Client:
    """A Temporal client by Temporal's own settings (TEMPORAL_ADDRESS and others, or a profile)."""
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    logs = LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding)
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    runtime = Runtime(telemetry=TelemetryConfig(logging=logs, metrics=telemetry.buffer))
    return await Client.connect(**config, plugins=[RestorePlugin(), *telemetry.plugins], runtime=runtime)


def build_worker(
    client: Client, clients: Clients, queue: str, *more: Interceptor, search_attributes: bool
) -> Worker:
    """A worker for everything that a restore does, with `more` around its activities."""
    return Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=build_activities(clients, search_attributes=search_attributes),
        interceptors=[*build_interceptors(clients, search_attributes=search_attributes), *more],
        max_concurrent_activities=ACTIVITIES,
        max_heartbeat_throttle_interval=BEAT,
        default_heartbeat_throttle_interval=BEAT,
        graceful_shutdown_timeout=GRACE,
    )


async def serve(settings: Settings, telemetry: Telemetry) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await connect(telemetry)
    refusal = await register_search_attributes(client)
    if refusal:
        _log.warning("search attributes are not registered, restores run without them: %s", refusal)
    clients, queue = Clients(settings), settings.task_queue
    more, known = telemetry.interceptors(clients), refusal is None
    async with telemetry.forwarding(), build_worker(client, clients, queue, *more, search_attributes=known):
        _log.info("polling task queue %s", queue)
        await stop.wait()


def main() -> int:
    """Return 0 after an orderly stop, 2 for wrong settings, 4 when Temporal cannot be reached."""
    start_logging("text")
    # The SDK would append to each message what the fields say already.
    workflow.logger.workflow_info_on_message = activity.logger.activity_info_on_message = False
    try:
        settings = Settings.load()
        start_logging(settings.log_format)
        with open_telemetry("milvus-restore-worker", TelemetrySettings.load(), _log.warning) as telemetry:
            asyncio.run(serve(settings, telemetry))
    except RestoreError as error:
        _log.error("%s: %s", type(error).__name__, error)
        return 2
    except RuntimeError as error:
        _log.error("Temporal cannot be reached: %s; set TEMPORAL_ADDRESS", error)
        return 4
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # Not sys.exit: the SDK's threads may abort a process whose Python vanishes below them.
    os._exit(code)
