"""The side effects of a restore, one module per step."""

import inspect
from collections.abc import Callable
from typing import Any

from activities.binlogs import BinlogActivities
from activities.collecting import CollectingActivities
from activities.copying import CopyActivities
from activities.creating import CreatingActivities
from activities.dropping import DropActivities
from activities.exporting import ExportActivities
from activities.indexes import IndexActivities
from activities.opening import OpeningActivities
from activities.pausing import PauseActivities
from activities.pinning import PinActivities
from activities.planning import PlanningActivities
from activities.publishing import PublishActivities
from activities.reserving import ReserveActivities
from activities.rollback import RollbackActivities
from activities.snapshotting import SnapshotActivities
from activities.verifying import VerifyActivities
from stores.clients import Clients

__all__ = ["build_activities"]


def build_activities(clients: Clients, *, search_attributes: bool) -> list[Callable[..., Any]]:
    """Every activity, bound to the stores; `search_attributes` tells whether the server knows ours."""
    groups = (
        OpeningActivities(clients, search_attributes=search_attributes),
        CreatingActivities(clients),
        PlanningActivities(clients),
        ReserveActivities(clients),
        CopyActivities(clients),
        VerifyActivities(clients),
        BinlogActivities(clients),
        IndexActivities(clients),
        PublishActivities(clients),
        RollbackActivities(clients),
        SnapshotActivities(clients),
        DropActivities(clients),
        CollectingActivities(clients),
        ExportActivities(clients),
        PinActivities(clients),
        PauseActivities(clients),
    )
    return [method for group in groups for method in _activities_of(group)]


def _activities_of(group: object) -> list[Callable[..., Any]]:
    """The methods that are marked as activities."""
    methods = (method for _, method in inspect.getmembers(group, inspect.ismethod))
    return [method for method in methods if hasattr(method, "__temporal_activity_definition")]
