"""Deterministic orchestration, nothing else."""

from workflows.collect_garbage import CollectGarbage
from workflows.copy_segment import CopySegment
from workflows.create_snapshot import CreateSnapshot
from workflows.drop_snapshot import DropSnapshot
from workflows.export_snapshot import ExportSnapshot
from workflows.restore_snapshot import RestoreSnapshot
from workflows.rollback_restore import RollbackRestore

__all__ = [
    "WORKFLOWS",
    "CollectGarbage",
    "CopySegment",
    "CreateSnapshot",
    "DropSnapshot",
    "ExportSnapshot",
    "RestoreSnapshot",
    "RollbackRestore",
]

WORKFLOWS = [
    RestoreSnapshot,
    CopySegment,
    RollbackRestore,
    CreateSnapshot,
    DropSnapshot,
    CollectGarbage,
    ExportSnapshot,
]
