import contextvars
import json
import logging
import sys

from restore.log_format import JsonFormatter, TextFormatter, set_log_fields


def line(formatter: logging.Formatter, **extra: object) -> str:
    fields = {"name": "a", "levelname": "INFO", "msg": "copied %d", "args": (3,), "created": 0}
    return formatter.format(logging.makeLogRecord(fields | extra))


def in_a_restore(formatter: logging.Formatter, **extra: object) -> str:
    """A line logged in a context of its own, as an activity has."""

    def log() -> str:
        set_log_fields(jobID="7", collectionID="444")
        set_log_fields(taskID="2", state="copying")
        return line(formatter, **extra)

    return contextvars.copy_context().run(log)


def test_a_line_names_its_task_job_collection_and_state() -> None:
    expected = (
        "1970-01-01T00:00:00.000+00:00 INFO a: copied 3 taskID=2 jobID=7 collectionID=444 state=copying"
    )
    assert in_a_restore(TextFormatter()) == expected


def test_a_line_outside_a_restore_says_so() -> None:
    assert line(TextFormatter()).endswith("taskID=- jobID=- collectionID=- state=-")


def test_json_has_the_same_fields_as_members() -> None:
    assert json.loads(in_a_restore(JsonFormatter())) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "INFO",
        "logger": "a",
        "message": "copied 3",
        "taskID": "2",
        "jobID": "7",
        "collectionID": "444",
        "state": "copying",
    }


def test_what_a_workflow_passes_along_wins() -> None:
    assert "state=verifying" in in_a_restore(TextFormatter(), restore={"state": "verifying"})


def test_a_failure_keeps_its_trace_within_the_one_json_object() -> None:
    try:
        raise ValueError("lost")
    except ValueError:
        text = in_a_restore(JsonFormatter(), exc_info=sys.exc_info())
    assert "ValueError: lost" in json.loads(text)["trace"]
    assert "\n" not in text
