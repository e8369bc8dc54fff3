"""Imports run downwards, the pure floors stay pure, and the product needs only what it declares."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Lowest first; a module may import from its own floor and from those below it.
FLOORS = (
    ("formats",),
    ("restore",),
    ("stores",),
    ("activities",),
    ("workflows",),
    ("worker", "starter", "samples"),
)
FLOOR_OF = {package: height for height, floor in enumerate(FLOORS) for package in floor}

PURE = ("formats", "restore")
IMPURE = {"temporalio", "boto3", "botocore", "grpc"}

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# What `pip install milvus-restore` gives; and what its extra `local` adds for demonstrations.
RUNTIME = {re.split(r"[^\w-]", requirement)[0] for requirement in PROJECT["project"]["dependencies"]}
DEMONSTRATION = {"numpy", "pyarrow"}
OWNERS = packages_distributions()
COMES_WITH = {
    "botocore": "boto3",  # boto3's configuration and errors are botocore's
    "prometheus_client": "opentelemetry-exporter-prometheus",  # whose endpoint and registry are its
}

# A program that another environment runs, which has what it imports.
ELSEWHERE = {"samples/milvus/pymilvus_process.py": {"pymilvus"}}


def sources() -> list[Path]:
    packages = [path for package in FLOOR_OF for path in (ROOT / package).rglob("*.py")]
    return sorted([*packages, ROOT / "worker.py"])


def imports(source: str) -> Iterator[str]:
    """Yield every module that a source imports when it runs, wherever in it the import stands."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"an import relative to its package: {ast.unparse(node)}"
            yield node.module or ""
        waiting.extend(ast.iter_child_nodes(node))


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def upward(package: str, source: str) -> set[str]:
    """Return the imports that lead to a higher floor."""
    here = FLOOR_OF[package]
    return {name for name in imports(source) if FLOOR_OF.get(name.split(".")[0], here) > here}


def impure(source: str) -> set[str]:
    return {name for name in imports(source) if name.split(".")[0] in IMPURE}


def undeclared(package: str, source: str) -> set[str]:
    """Return the imports that an installation of the product alone does not provide."""
    allowed = RUNTIME | (DEMONSTRATION if package in ("starter", "samples") else set())
    return {name for name in imports(source) if not _provided(name.split(".")[0], allowed)}


def _provided(top: str, allowed: set[str]) -> bool:
    if top in FLOOR_OF or top in sys.stdlib_module_names:
        return True
    owners = {owner.lower() for owner in OWNERS.get(top, [])}
    return bool({COMES_WITH.get(owner, owner) for owner in owners} & allowed)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downwards_stay_pure_and_are_declared(path: Path) -> None:
    package, source = package_of(path), path.read_text()

    assert upward(package, source) == set()
    assert package not in PURE or impure(source) == set()
    assert undeclared(package, source) == ELSEWHERE.get(str(path.relative_to(ROOT)), set())


def test_every_package_of_the_project_has_a_floor() -> None:
    setuptools = PROJECT["tool"]["setuptools"]
    packages = {package.split(".")[0] for package in setuptools["packages"]}

    assert packages | set(setuptools["py-modules"]) == set(FLOOR_OF)


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("formats", "from restore.errors import TargetBusy"),
        ("restore", "import stores.ports"),
        ("stores", "def late():\n    from activities import copy_objects"),
        ("activities", "if True:\n    import workflows"),
        ("workflows", "import worker"),
    ],
)
def test_an_import_that_runs_upwards_is_seen_wherever_it_stands(package: str, source: str) -> None:
    assert upward(package, source)


@pytest.mark.parametrize("module", ["temporalio.workflow", "boto3", "botocore.config", "grpc"])
def test_an_impure_import_is_seen(module: str) -> None:
    assert impure(f"import os, {module} as other") == {module}


@pytest.mark.parametrize(
    "module", ["pytest", "hypothesis.strategies", "yaml", "requests", "no_such_package", "numpy"]
)
def test_an_undeclared_import_is_seen_unless_only_the_type_checker_needs_it(module: str) -> None:
    assert undeclared("stores", f"import {module}") == {module}
    assert undeclared("stores", f"if TYPE_CHECKING:\n    import {module}") == set()
    assert undeclared("samples", "import numpy") == set()
