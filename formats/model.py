"""The base of every value that crosses a boundary."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Immutable, and an unknown field is an error rather than a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")
