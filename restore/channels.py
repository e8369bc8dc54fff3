"""Virtual channels: `{pchannel}_{collection id}v{shard}`, one per shard of a collection."""

import re
from collections.abc import Sequence

from restore.errors import SnapshotCorrupt, TargetMismatch, UnsupportedFormat

_FORM = re.compile(r"(?P<pchannel>.+)_[0-9]+v(?P<shard>[0-9]{1,9})")


def shard_of(vchannel: str) -> int:
    """Returns the shard's index; UnsupportedFormat when the name has another form."""
    return int(_parsed(vchannel)["shard"])


def pchannel_of(vchannel: str) -> str:
    """Returns the physical channel that carries it; UnsupportedFormat when the name has another form."""
    return _parsed(vchannel)["pchannel"]


def channel_map(source: Sequence[str], target: Sequence[str]) -> dict[str, str]:
    """Returns the target's channel by the source's, of the same shard (architecture, decision 4).

    Sorting by name would swap dml_9 and dml_10, and later deletes would go to the wrong shard. A snapshot
    without segments may name no channels; then there is nothing to map.
    TargetMismatch when the sides have not the same shards, SnapshotCorrupt when the source has one twice.
    """
    if not source:
        return {}
    ours, theirs = _by_shard(source), _by_shard(target)
    if len(ours) < len(source):
        raise SnapshotCorrupt(f"the snapshot's channels {_listed(source)} name a shard twice, expected once")
    if len(theirs) < len(target) or ours.keys() != theirs.keys():
        raise TargetMismatch(
            f"channels: expected the shards of the snapshot's {_listed(source)}, found {_listed(target)}; "
            f"create the target with {len(source)} shards"
        )
    return {channel: theirs[shard] for shard, channel in ours.items()}


def _by_shard(channels: Sequence[str]) -> dict[int, str]:
    return {shard_of(channel): channel for channel in channels}


def _parsed(vchannel: str) -> re.Match[str]:
    match = _FORM.fullmatch(vchannel)
    if match is None:
        raise UnsupportedFormat(
            f"virtual channel {vchannel!r} has a form that is not known, "
            "expected pchannel_collectionIDvShard such as by-dev-rootcoord-dml_3_444v0"
        )
    return match


def _listed(channels: Sequence[str]) -> str:
    return ", ".join(channels) or "none"
