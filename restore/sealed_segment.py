"""Holding a planned segment against the snapshot's seal."""

from restore.errors import ObjectMissing, SnapshotCorrupt
from restore.plan import SegmentPlan
from restore.seal import SealedSegment


def bind(segment: SegmentPlan, sealed: SealedSegment) -> tuple[SegmentPlan, list[str]]:
    """Return the segment with the seal's facts, and the keys that lie in its folder but were not sealed.

    Those came later, as Milvus adds to the folder of a StorageV3 segment that lives on, and are not of the
    snapshot: they are left out. Raises ObjectMissing for a sealed object that is gone, and SnapshotCorrupt
    for one that the manifest names and the seal lacks.
    """
    known = {each.key for each in sealed.objects}
    later = [each.key for each in segment.tree.objects if each.key not in known]
    there = tuple(each for each in segment.tree.objects if each.key in known)
    tree = segment.tree.model_copy(update={"objects": there})
    bound = segment.model_copy(update={"tree": tree, "sealed": sealed.objects})
    named = {key for _, key, _ in bound.named_objects()}
    _require_same(named, known, sealed.segment_id)
    return bound, later


def left_out(keys: list[str]) -> str | None:
    """What to say of objects that were not sealed; None when there are none."""
    if not keys:
        return None
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"{keys[0]}{more} came after the snapshot was sealed and is not part of it: it was not restored"


def _require_same(named: set[str], sealed: set[str], segment_id: int) -> None:
    for key in sorted(sealed - named):
        raise ObjectMissing(
            f"object {key} of segment {segment_id} is named by the snapshot's seal but is absent; the "
            "snapshot is no longer whole"
        )
    for key in sorted(named - sealed):
        raise SnapshotCorrupt(
            f"object {key} is named by the manifest of segment {segment_id}, but the snapshot's seal lacks "
            "it; one of the two was changed"
        )
