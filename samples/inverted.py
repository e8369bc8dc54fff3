"""The files of an inverted index as Milvus stores them: one container for each."""

import json

from samples.binlog import Span, index_file
from samples.draft import Draft

SHARES = {"term": 5, "idx": 6, "pos": 4, "store": 2, "fieldnorm": 1}
"""Files of one index segment and their shares of its bytes."""


def inverted_files(draft: Draft, field: int, build: int, span: Span, size: int) -> dict[str, bytes]:
    """The containers by file name; their contents have about `size` bytes in all."""
    uuid = draft.random_bytes(16).hex()
    contents = {
        ".managed.json_0": json.dumps([f"{uuid}.{suffix}" for suffix in SHARES]).encode(),
        "meta.json_0": json.dumps({"segments": [{"segment_id": uuid}], "opstamp": 0}).encode(),
    }
    for suffix, share in SHARES.items():
        contents[f"{uuid}.{suffix}_0"] = draft.random_bytes(max(1, size * share // sum(SHARES.values())))
    place = draft.place(field)
    return {name: index_file(place, build, content, span) for name, content in contents.items()}
