"""Modules and functions stay small enough to be read in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("formats", "restore", "stores", "activities", "workflows", "starter", "samples", "benchmarks")

MODULE_LINES = 300
FUNCTION_LINES = 25

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    written = [
        path for room in ROOMS for path in (ROOT / room).rglob("*.py") if not path.stem.endswith("_pb2")
    ]
    return sorted([*written, ROOT / "worker.py"])


def long_functions(source: str) -> dict[str, int]:
    """Return each function whose body is too long, with its lines; docstring and blank lines do not count."""
    lines = source.splitlines()
    lengths = {function.name: _length(function, lines) for function in _functions(source)}
    return {name: length for name, length in lengths.items() if length > FUNCTION_LINES}


def _functions(source: str) -> Iterator[Function]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))


def _length(function: Function, lines: list[str]) -> int:
    documented = ast.get_docstring(function) is not None
    body = function.body[1:] if documented else function.body
    if not body:
        return 0
    first = function.body[0].end_lineno or 0 if documented else body[0].lineno - 1
    return sum(1 for line in lines[first : body[-1].end_lineno] if line.strip())


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_and_functions_are_within_the_limits(path: Path) -> None:
    source = path.read_text()

    assert len(source.splitlines()) <= MODULE_LINES
    assert long_functions(source) == {}


@pytest.mark.parametrize("head", ["def f():", "async def f():", "class C:\n  def f(self):"])
def test_a_function_of_one_line_too_many_is_seen(head: str) -> None:
    def source(statements: int) -> str:
        return f'{head}\n    """One.\n\n    Two.\n    """\n\n' + "    pass\n\n" * statements

    assert long_functions(source(FUNCTION_LINES)) == {}
    assert long_functions(source(FUNCTION_LINES + 1)) == {"f": FUNCTION_LINES + 1}
