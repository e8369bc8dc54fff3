"""Columns of text that read the same on a terminal and in a file."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> str:
    """Return the rows as lines whose columns begin below each other, two blanks apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)
