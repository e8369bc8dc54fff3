"""The side effects of a restore, one module per step."""

from collections.abc import Callable
from typing import Any

from activities.binlogs import BinlogActivities
from activities.copying import CopyActivities
from activities.indexes import IndexActivities
from activities.opening import OpeningActivities
from activities.planning import PlanningActivities
from activities.publishing import PublishActivities
from activities.reserving import ReserveActivities
from activities.rollback import RollbackActivities
from activities.verifying import VerifyActivities
from stores.clients import Clients

__all__ = ["build_activities"]


def build_activities(clients: Clients, *, search_attributes: bool) -> list[Callable[..., Any]]:
    """Every activity, bound to the stores; `search_attributes` tells whether the server knows ours."""
    opening = OpeningActivities(clients, search_attributes=search_attributes)
    reserve, verify = ReserveActivities(clients), VerifyActivities(clients)
    index, publish, rollback = (
        IndexActivities(clients),
        PublishActivities(clients),
        RollbackActivities(clients),
    )
    return [
        opening.open_restore,
        PlanningActivities(clients).plan_restore,
        reserve.reserve_target,
        reserve.keep_restore,
        CopyActivities(clients).copy_objects,
        verify.verify_objects,
        verify.verify_restore,
        BinlogActivities(clients).update_binlogs,
        index.sync_vector_scalar_indexes,
        index.sync_text_indexes,
        index.sync_json_indexes,
        publish.publish_restore,
        publish.complete_restore,
        rollback.fence_restore,
        rollback.remove_records,
        rollback.remove_objects,
        rollback.forget_restore,
    ]
