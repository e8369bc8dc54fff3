"""Log lines that say which restore they belong to: taskID, jobID, collectionID and state on each.

The fields live in a context variable, so that whatever is called meanwhile logs them too, in other
threads as well where the context is handed on.
"""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

Fields = dict[str, str]
LogFormat = Literal["text", "json"]

NO_FIELDS: Fields = {"taskID": "-", "jobID": "-", "collectionID": "-", "state": "-"}
"""A line that belongs to no restore says so."""

_FIELDS: ContextVar[Fields] = ContextVar("restore_log_fields")


def set_log_fields(**fields: str) -> None:
    """Put the fields on every line that is logged from now on in this context, an activity's for instance."""
    _FIELDS.set({**_FIELDS.get(NO_FIELDS), **fields})


class TextFormatter(logging.Formatter):
    """`time level logger: message key=value …`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = " ".join(f"{name}={value}" for name, value in _fields_of(record).items())
        line = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}"
        return "\n".join(filter(None, [f"{line} {fields}".rstrip(), _trace(self, record)]))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        value = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields_of(record),
        }
        trace = _trace(self, record)
        return json.dumps(value | ({"trace": trace} if trace else {}), ensure_ascii=False)


_FORMATTERS: dict[LogFormat, type[logging.Formatter]] = {"text": TextFormatter, "json": JsonFormatter}


def start_logging(log_format: LogFormat) -> None:
    """Log from now on to standard error in this format, instead of any earlier one."""
    handler = logging.StreamHandler()
    handler.setFormatter(_FORMATTERS[log_format]())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("botocore.credentials").setLevel(logging.WARNING)


def _fields_of(record: logging.LogRecord) -> Fields:
    """The context's fields; a workflow, which runs in a context of its own, passes its as `restore`."""
    return {**_FIELDS.get(NO_FIELDS), **getattr(record, "restore", {})}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""
