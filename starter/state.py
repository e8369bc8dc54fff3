"""The one file in which a local stack remembers what it started: ports, pids, keys."""

import secrets
from pathlib import Path

from pydantic import Field, ValidationError

from formats.model import Model
from starter.process import Process
from starter.servers import LocalServerFailed


class ServerState(Model):
    """A server's ports, kept over restarts, and its process while it is meant to run."""

    ports: dict[str, int]
    process: Process | None = None


class State(Model):
    """A whole stack. The key pair is the stack's own, so that no other S3 server accepts it."""

    access_key: str = Field(default_factory=lambda: secrets.token_hex(10))
    secret_key: str = Field(default_factory=lambda: secrets.token_hex(20))
    servers: dict[str, ServerState] = Field(default_factory=dict)

    def having(self, name: str, server: ServerState) -> "State":
        """Return this state with one server's replaced."""
        return self.model_copy(update={"servers": {**self.servers, name: server}})


def load(path: Path) -> State:
    """Return the state that the file holds, or that of a stack never started."""
    try:
        return State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return State()
    except ValidationError as error:
        raise LocalServerFailed(
            f"{path} is not a local stack's state ({error.errors()[0]['msg']}); "
            "end its servers by hand and remove the folder"
        ) from error


def save(path: Path, state: State) -> None:
    """Replace the file in one step, readable for its owner only."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(state.model_dump_json(indent=2))
    draft.replace(path)
