"""How large objects are cut for multipart uploads."""

from collections.abc import Iterator
from dataclasses import dataclass

MIB = 2**20
_MOST_PARTS = 10_000  # S3's limit for one object


@dataclass(frozen=True, slots=True)
class PartRule:
    """Objects above `threshold` bytes go in parts of `size` to twice `size` bytes, larger only above 10,000.

    The threshold keeps a single request short: at 5 MB/s 256 MiB take 54 s, less than the read timeout;
    S3 itself would take 5 GiB. Parts below 5 MiB are refused by S3.
    """

    threshold: int = 256 * MIB
    size: int = 64 * MIB

    def ranges(self, total: int) -> Iterator[tuple[int, int, int]]:
        """Yield part number, first and last byte; all parts but the last are of one length."""
        count = min(max(total // self.size, 1), _MOST_PARTS)
        length = -(-total // count)
        for number, first in enumerate(range(0, total, length), start=1):
            yield number, first, min(first + length, total) - 1


USUAL = PartRule()
