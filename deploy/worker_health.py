"""Asks Temporal whether the worker of this machine takes work: the health check of the worker's container.

Exit code 0 when it polled the task queue within the last two polls' time; a poll lasts at most a minute.
"""

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

RECENT = timedelta(minutes=2)


async def polls(queue: str) -> bool:
    """Return whether a worker on this host polled the queue for activities lately."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        ),
        timeout=timedelta(seconds=5),
    )
    return any(
        poller.identity.endswith(f"@{socket.gethostname()}")
        and datetime.now(UTC) - poller.last_access_time.ToDatetime(UTC) < RECENT
        for poller in answer.pollers
    )


def main() -> int:
    """Say what was found, for whoever reads the container's health."""
    queue = os.environ.get("RESTORE_TASK_QUEUE", "milvus-restore")
    try:
        well = asyncio.run(polls(queue))
    except (RPCError, RuntimeError) as error:
        print(f"Temporal does not answer: {error}", file=sys.stderr, flush=True)
        return 1
    print(f"task queue {queue} is {'' if well else 'not '}polled from {socket.gethostname()}", flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    # Without tearing the interpreter down: now and then the SDK's threads abort a process that does.
    os._exit(main())
