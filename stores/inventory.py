"""What is really there: sizes and ETags of many objects by listing their folders, 1,000 a request."""

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from formats.paths import prefixes
from restore.errors import ObjectMismatch, ObjectMissing
from restore.plan import PlannedObject
from restore.source_objects import SourceObject
from stores.ports import Location, ObjectStat, ObjectStore


@dataclass(frozen=True)
class Inventory:
    """The objects found in some folders of a bucket, by key."""

    bucket: str
    found: dict[str, ObjectStat]

    @classmethod
    def take(cls, objects: ObjectStore, bucket: str, keys: Collection[str], threads: Executor) -> "Inventory":
        """List every folder that holds one of the keys; whatever else lies there is found as well."""
        folders = prefixes(keys)
        pages = threads.map(lambda folder: list(objects.scan(bucket, folder)), folders)
        return cls(bucket, {stat.key: stat for page in pages for stat in page})

    def confirmed(self, objects: ObjectStore, keys: Iterable[str], threads: Executor) -> "Inventory":
        """Ask by name for each of the keys that no listing showed: a store may list late what it holds."""
        unseen = [key for key in keys if key not in self.found]
        stats = threads.map(lambda key: objects.stat(Location(self.bucket, key)), unseen)
        return Inventory(self.bucket, self.found | {stat.key: stat for stat in stats if stat})

    def source_of(self, planned: SourceObject) -> ObjectStat:
        """The source's state; ObjectMissing or ObjectMismatch when it is not as it was recorded or found."""
        stat = self.found.get(planned.source)
        at = Location(self.bucket, planned.source)
        if stat is None:
            raise ObjectMissing(
                f"{planned.kind} object {at} is named by its segment's manifest but is absent; "
                "the snapshot is no longer whole"
            )
        if planned.size is not None and stat.size != planned.size:
            raise ObjectMismatch(
                f"{planned.kind} object {at} has {stat.size} bytes, expected {planned.size} "
                f"{_recorder(planned)}; the snapshot is no longer whole"
            )
        if _is_other(planned, stat):
            raise ObjectMismatch(
                f"{planned.kind} object {at} has ETag {stat.etag}, expected {planned.etag} "
                f"{_recorder(planned)}; it was written anew since, so the snapshot is no longer whole"
            )
        return stat

    def strangers(self, planned: Iterable[PlannedObject]) -> Iterator[ObjectStat]:
        """What was found beside the planned targets; large objects lie in folders that segments share."""
        expected = {each.target for each in planned}
        return (stat for key, stat in self.found.items() if key not in expected and "/lobs/" not in key)


def _recorder(planned: SourceObject) -> str:
    if planned.sha256 is not None:
        return "as the snapshot's seal recorded"
    if planned.etag is not None:
        return "as it was found when this restore was planned"
    return "as its segment's manifest recorded"


def _is_other(planned: SourceObject, stat: ObjectStat) -> bool:
    """True when the ETag shows that the object is not the one that was sealed, or planned for.

    A sealed object may since have been uploaded anew in parts: then its hash decides, after copying. An
    object whose ETag changed since planning was written meanwhile, whatever its ETag is made of.
    """
    if planned.etag is None:
        return False
    if planned.sha256 is None:
        return planned.etag != stat.etag
    return same_etag(planned.etag, stat.etag) is False


def same_content(source: ObjectStat, target: ObjectStat) -> bool | None:
    """True or False as far as sizes and ETags tell; None when the sizes agree and the ETags cannot say.

    An ETag with a '-' depends on how the object was uploaded, so it proves nothing when it differs.
    """
    return same_etag(source.etag, target.etag) if source.size == target.size else False


def same_etag(one: str, other: str) -> bool | None:
    """True or False for the contents as far as ETags tell, None when they cannot say."""
    if one == other:
        return True
    return None if "-" in one or "-" in other else False
