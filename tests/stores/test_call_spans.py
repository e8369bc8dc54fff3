from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from restore.errors import ObjectMissing, StoreUnavailable
from stores.call_spans import spanned
from stores.ports import Location
from stores.s3_errors import Call
from stores.threads import Threads
from tests.telemetry import spans


@pytest.fixture
def recorded() -> Iterator[InMemorySpanExporter]:
    exporter = spans()
    exporter.clear()
    yield exporter
    exporter.clear()


def described() -> dict[str, str]:
    return {"server.address": "s3.local"}


def fail() -> None:
    raise StoreUnavailable("it was put off") from ValueError("a secret of the layer below")


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [span for span in exporter.get_finished_spans() if span.name == name]
    return span


def test_a_call_within_traced_work_is_a_span_of_it(recorded: InMemorySpanExporter) -> None:
    with trace.get_tracer("test").start_as_current_span("work"):
        assert spanned("S3", "CopyObject", described, lambda: 7) == 7

    work, call = named(recorded, "work"), named(recorded, "S3/CopyObject")
    assert call.parent is not None
    assert work.context is not None
    assert (call.parent.trace_id, call.parent.span_id) == (work.context.trace_id, work.context.span_id)
    assert dict(call.attributes or {}) == {
        "rpc.service": "S3",
        "rpc.method": "CopyObject",
        "server.address": "s3.local",
    }


def test_a_call_of_nobody_who_is_traced_is_none_and_is_not_described(recorded: InMemorySpanExporter) -> None:
    def never() -> dict[str, str]:
        raise AssertionError("described")

    assert spanned("S3", "CopyObject", never, lambda: 7) == 7
    assert recorded.get_finished_spans() == ()


def test_a_failed_call_tells_its_error_and_nothing_of_what_lies_below(recorded: InMemorySpanExporter) -> None:
    with (
        trace.get_tracer("test").start_as_current_span("work", record_exception=False),
        pytest.raises(StoreUnavailable),
    ):
        spanned("S3", "CopyObject", described, fail)

    call = named(recorded, "S3/CopyObject")
    assert call.status.status_code is trace.StatusCode.ERROR
    assert call.status.description == "StoreUnavailable: it was put off"
    assert call.events == ()
    assert "secret" not in call.to_json()


def test_that_nothing_is_there_is_an_answer_and_no_failure(recorded: InMemorySpanExporter) -> None:
    def look() -> None:
        raise ObjectMissing("s3://b/k does not exist")

    with (
        trace.get_tracer("test").start_as_current_span("work", record_exception=False),
        pytest.raises(ObjectMissing),
    ):
        spanned("S3", "HeadObject", described, look)

    call = named(recorded, "S3/HeadObject")
    assert call.status.is_unset
    assert (call.attributes or {})["error.type"] == "ObjectMissing"


def test_calls_of_other_threads_belong_to_the_work_that_asked_for_them(
    recorded: InMemorySpanExporter,
) -> None:
    with Threads(2) as threads, trace.get_tracer("test").start_as_current_span("work") as work:
        list(threads.map(lambda _: spanned("S3", "HeadObject", described, lambda: None), range(8)))
        threads.submit(lambda: spanned("S3", "PutObject", described, lambda: None)).result()
        known = work.get_span_context()

    calls = [span for span in recorded.get_finished_spans() if span.name.startswith("S3/")]
    assert len(calls) == 9
    assert {(span.parent.trace_id, span.parent.span_id) for span in calls if span.parent} == {
        (known.trace_id, known.span_id)
    }


def test_a_copy_is_described_by_its_target_and_its_source() -> None:
    call = Call("CopyObject", Location("a", "x"), "default", "http://s3", Location("b", "y"))
    assert call.attributes() == {
        "rpc.system": "aws-api",
        "server.address": "http://s3",
        "aws.s3.bucket": "b",
        "aws.s3.key": "y",
        "aws.s3.copy_source": "s3://a/x",
    }


def test_a_listing_is_described_by_its_bucket() -> None:
    told = Call("ListObjectsV2", "a", "default", "http://s3").attributes()
    assert told == {"rpc.system": "aws-api", "server.address": "http://s3", "aws.s3.bucket": "a"}
