from pathlib import Path

import pytest

from starter import state
from starter.state import ServerState, State
from starter.web_ui import ui_address


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TEMPORAL_UI_ADDRESS", raising=False)


@pytest.mark.parametrize(
    ("server", "ui"),
    [
        ("localhost:7233", "http://localhost:8233"),
        ("127.0.0.1:17233", "http://127.0.0.1:18233"),
        ("prod.abc12.tmprl.cloud:7233", "https://cloud.temporal.io"),
        ("temporal.example.com:7233", None),
    ],
)
def test_the_ui_is_guessed_only_where_its_place_is_customary(server: str, ui: str | None) -> None:
    assert ui_address(server) == ui


@pytest.mark.parametrize("named", ["http://ui.example.com/", "ui.example.com"])
def test_what_the_environment_says_stands_above_any_guess(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("TEMPORAL_UI_ADDRESS", named)
    assert ui_address("localhost:7233") == "http://ui.example.com"


def test_the_local_stack_says_where_its_ui_is(tmp_path: Path) -> None:
    folder = tmp_path / ".local"
    folder.mkdir()
    ports = {"frontend": 4001, "ui": 4002, "http": 4003, "metrics": 4004}
    state.save(folder / "stack.json", State().having("temporal", ServerState(ports=ports)))
    assert ui_address("127.0.0.1:4001") == "http://127.0.0.1:4002"
    assert ui_address("127.0.0.1:7233") == "http://127.0.0.1:8233", "another server is not the stack's"


def test_a_broken_state_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text("{", encoding="utf-8")
    assert ui_address("localhost:7233") == "http://localhost:8233"
