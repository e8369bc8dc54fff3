"""Making the server know our search attributes."""

import logging

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workflows.search_attributes import REGISTERED

_log = logging.getLogger("milvus-restore")


async def register_search_attributes(client: Client) -> bool:
    """Return True when the server knows all of ours, adding what is missing where that is allowed."""
    try:
        await _add_missing(client)
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:  # another worker was faster
            return True
        _log.warning("search attributes are not registered, restores run without them: %s", error.message)
        return False
    return True


async def _add_missing(client: Client) -> None:
    operator, namespace = client.operator_service, client.namespace
    known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    missing = {name: kind for name, kind in REGISTERED.items() if name not in known.custom_attributes}
    if missing:
        await operator.add_search_attributes(
            AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
        )
