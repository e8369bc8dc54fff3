"""The auditor shares nothing with what it audits, nor with what generates snapshots."""

import sys
from pathlib import Path

import pytest

from tests.test_imports import imports

MODULES = sorted(
    path for path in Path(__file__).parent.glob("*.py") if not path.name.startswith(("test_", "conftest"))
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_it_imports_only_itself_and_the_standard_library(path: Path) -> None:
    others = {name for name in imports(path.read_text()) if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in others if not name.startswith("tests.audit.")} <= {"tests.audit"}


def test_all_of_it_is_looked_at() -> None:
    found = {path.stem for path in MODULES}
    assert found >= {"auditor", "avro", "expectation", "paths", "protobuf", "snapshot", "target"}
