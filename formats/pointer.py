"""The pointer of a StorageV3 segment to its own manifest (snapshot-format.md, section 1.5)."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from formats.errors import SnapshotCorrupt, UnsupportedFormat
from formats.model import Model


class ManifestPointer(Model):
    """`{"ver": N, "base_path": "..."}`: version N of the manifest below the segment's own folder.

    A closing slash of the folder makes no difference, and is not kept.
    """

    ver: Annotated[int, Field(strict=True, ge=0, lt=2**63)]
    base_path: Annotated[str, Field(min_length=1), AfterValidator(lambda path: path.rstrip("/"))]

    @property
    def manifest_key(self) -> str:
        """The key of the manifest itself."""
        return f"{self.base_path}/_metadata/manifest-{self.ver}.avro"

    def text(self) -> str:
        """Return the JSON text as Milvus writes it: compact, `ver` first."""
        return self.model_dump_json()


def read_pointer(text: str, segment_id: int) -> ManifestPointer:
    """Return the pointer that the text holds.

    Raises SnapshotCorrupt when the text is no such JSON, and UnsupportedFormat for `ver` 0, which stands
    for a segment that has committed nothing and belongs into no snapshot.
    """
    try:
        pointer = ManifestPointer.model_validate_json(text)
    except ValidationError as error:
        raise SnapshotCorrupt(
            f"segment {segment_id}: its StorageV3 manifest must be JSON with ver and base_path: "
            f"{error.errors(include_url=False)[0]['msg']}, found {text[:120]!r}"
        ) from error
    if pointer.ver == 0:
        raise UnsupportedFormat(
            f"segment {segment_id}: its StorageV3 manifest has ver 0 (nothing committed); expected 1 or more"
        )
    return pointer
