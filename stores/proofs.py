"""The proofs of a restore's tasks, one gzipped JSON object each beside the plan."""

import gzip

from restore.certificate import TaskProof
from restore.plan import PlanRef
from stores.plan_archive import PlanArchive
from stores.ports import Location, ObjectStore


class ProofArchive:
    """The proofs of one restore; a repeated proof replaces the earlier one."""

    def __init__(self, objects: ObjectStore, archive: PlanArchive, ref: PlanRef) -> None:
        self._objects = objects
        self._bucket = ref.bucket
        self._folder = f"{archive.folder(ref.job_id)}proof/"

    def put(self, index: int, proof: TaskProof) -> None:
        """Store the proof of a task."""
        body = gzip.compress(proof.model_dump_json().encode(), 1, mtime=0)
        self._objects.put(self._at(index), body)

    def get(self, index: int) -> TaskProof:
        """The proof of a task; ObjectMissing when there is none."""
        return TaskProof.model_validate_json(gzip.decompress(self._objects.get(self._at(index))))

    def key(self, index: int) -> str:
        """Where the proof of a task lies."""
        return f"{self._folder}{index:06}.json.gz"

    def _at(self, index: int) -> Location:
        return Location(self._bucket, self.key(index))
