"""What surrounds every activity, from the outside in."""

from temporalio.worker import Interceptor

from activities.edge import ErrorTranslation
from activities.log_context import LogContext
from activities.task_failures import TaskFailures
from stores.clients import Clients


def build_interceptors(clients: Clients, *, search_attributes: bool) -> list[Interceptor]:
    """Log fields, then Temporal's errors for ours, and closest the record of what fails for good."""
    return [LogContext(clients), ErrorTranslation(search_attributes=search_attributes), TaskFailures(clients)]
