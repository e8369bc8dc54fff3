"""BM25 statistics of the documents in a log, from which Milvus ranks."""

import struct

HEAD = struct.Struct("<iqq")
"""Version, documents, tokens in all; little-endian, as everything here."""

TERM = struct.Struct("<Ii")
"""A term's hash, and in how many documents it occurs."""


def bm25_log(documents: int, terms: int = 16) -> bytes:
    """The statistics of so many documents that all use the same terms."""
    counts = (TERM.pack(0x9E3779B1 * (1 + term) % 2**32, documents) for term in range(terms))
    return HEAD.pack(0, documents, documents * terms) + b"".join(counts)
