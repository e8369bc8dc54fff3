"""Making a target through Milvus's own API: whole and proved before it gets its name (decision 12)."""

from contextlib import suppress

from activities.pulse import Pulse
from activities.target_remover import TargetRemover
from formats.catalog import TargetCollection
from restore.comparison import differences
from restore.creation import CollectionDefinition, collection_definition
from restore.errors import Fenced, RestoreError, TargetBusy, TargetMismatch, TargetNotFound
from restore.parameters import index_parameters
from restore.steps import PlanOrder
from restore.target_origin import TargetOrigin
from stores.catalog import find_collection
from stores.clients import Clients
from stores.milvus import Milvus
from stores.snapshots import OpenSnapshot


class TargetMaker:
    """Makes one restore's target. It looks before each step, so a repeated making goes on where one ended.

    The order is what makes this safe: first the note that tells what is ours, then the collection under a
    name of the restore's own, then its id in the note, and the target's name last.
    """

    def __init__(self, clients: Clients, milvus: Milvus, order: PlanOrder, pulse: Pulse) -> None:
        request = order.request
        self._milvus = milvus
        self._pulse = pulse
        self._store = clients.metadata(request.destination)
        self._keys = clients.keys(request.destination)
        self._origins = clients.origins(request.destination, order.job_id)
        self._remover = TargetRemover(clients, request.destination, order.job_id)
        self._origin = TargetOrigin(job_id=order.job_id, database=request.database, collection=request.target)

    def make(self, snapshot: OpenSnapshot) -> int:
        """Return the id of the target, which equals the snapshot's collection.

        TargetMismatch when Milvus makes it otherwise, TargetBusy when somebody else takes its name meanwhile;
        after every failure for good, nothing of it is left.
        """
        definition = collection_definition(snapshot.metadata.collection, snapshot.metadata.indexes)
        self._begin()
        try:
            return self._make(definition, snapshot)
        except RestoreError as error:
            if error.permanent:
                self._abandon()
            raise

    def _abandon(self) -> None:
        """Leave nothing; what cannot be removed now is left to the rollback, which goes by the note."""
        with suppress(RestoreError):
            self._remover.remove(self._origin)
            self._origins.remove()

    def _begin(self) -> None:
        """Write down what is going to be ours, unless an earlier try has."""
        noted = self._origins.find()
        if noted is None and self._read(self._origin.collection):
            raise self._taken()
        self._origin = noted or self._origins.put(self._origin)

    def _make(self, definition: CollectionDefinition, snapshot: OpenSnapshot) -> int:
        made = self._named_already() or self._created(definition)
        if made.id != self._origin.collection_id:
            self._origin = self._origins.put(self._origin.model_copy(update={"collection_id": made.id}))
        if made.name == self._origin.interim:
            self._complete(made, definition)
            self._choose_exactly(definition, snapshot)
            self._require_equal(snapshot)
            self._give_name()
        return made.id

    def _named_already(self) -> TargetCollection | None:
        found = self._read(self._origin.collection)
        return found if found and found.id == self._origin.collection_id else None

    def _created(self, definition: CollectionDefinition) -> TargetCollection:
        found = self._read(self._origin.interim)
        if found is None:
            self._pulse.check()
            self._milvus.create_collection(self._origin.database, self._origin.interim, definition)
            found = self._read(self._origin.interim)
        if found is None:
            self._milvus.drop_collection(self._origin.database, self._origin.interim)
            raise TargetNotFound(
                f"{self._milvus.where} made a collection that does not appear in the catalog of profile "
                f"{self._store.profile!r}, which has its databases below {self._keys.databases}; the Milvus "
                "address and etcd, its root path included, must be of the same cluster"
            )
        return found

    def _complete(self, made: TargetCollection, definition: CollectionDefinition) -> None:
        """Make the partitions and indexes that are not there yet."""
        database, interim = self._origin.database, self._origin.interim
        for name in definition.partitions:
            if name not in made.partitions:
                self._pulse.check()
                self._milvus.create_partition(database, interim, name)
        there = {index.index_name for index in made.indexes}
        for index in definition.indexes:
            if index.name not in there:
                self._pulse.check()
                self._milvus.create_index(database, interim, index.field, index.name, index.asked)

    def _choose_exactly(self, definition: CollectionDefinition, snapshot: OpenSnapshot) -> None:
        """Make an automatic index anew where this Milvus chooses other parameters than the source's did.

        The files to be copied were built with the source's.
        """
        made = self._require(self._origin.interim)
        found = {each.index_name: index_parameters(each) for each in made.indexes}
        wanted = {each.index_name: index_parameters(each) for each in snapshot.metadata.indexes}
        for index in definition.indexes:
            if index.asked != index.exact and found.get(index.name) != wanted[index.name]:
                self._pulse.check()
                where = (self._origin.database, self._origin.interim, index.field, index.name)
                self._milvus.drop_index(*where)
                self._milvus.create_index(*where, index.exact)

    def _require_equal(self, snapshot: OpenSnapshot) -> None:
        made = self._require(self._origin.interim)
        found = differences(snapshot.metadata.collection, snapshot.metadata.indexes, made)
        if found:
            raise TargetMismatch(
                f"{self._milvus.where} makes collection {self._origin.collection!r} otherwise than snapshot "
                f"{snapshot.source.name!r} has it: {'; '.join(found)}"
            )

    def _give_name(self) -> None:
        """The last step; a rollback that came before it has taken the note away."""
        if self._origins.find() is None:
            raise Fenced(f"restore {self._origin.job_id} was rolled back while it made its target")
        origin = self._origin
        try:
            self._milvus.rename_collection(origin.database, origin.interim, origin.collection)
        except TargetMismatch as error:
            if self._read(origin.collection):
                raise self._taken() from error
            raise
        if self._named_already() is None:
            raise TargetNotFound(
                f"{self._milvus.where} renamed {origin.interim!r} to {origin.collection!r}, but collection "
                f"{origin.collection_id} has not that name in database {origin.database!r}"
            )

    def _require(self, name: str) -> TargetCollection:
        found = self._read(name)
        if found is None:
            raise Fenced(f"collection {name!r} was dropped while restore {self._origin.job_id} made it")
        return found

    def _read(self, name: str) -> TargetCollection | None:
        return find_collection(self._store, self._keys, self._origin.database, name)

    def _taken(self) -> TargetBusy:
        return TargetBusy(
            f"collection {self._origin.collection!r} appeared in database {self._origin.database!r} while "
            f"restore {self._origin.job_id} was about to make it; restore into it, or into another name"
        )
