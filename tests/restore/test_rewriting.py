import pytest

from formats.descriptor import LogOwner
from restore.errors import UnsupportedFormat
from restore.plan import Plan, PlannedObject
from restore.request import RestoreRequest
from restore.rewriting import descriptor_edit, require_descriptors
from restore.source_objects import Kind
from tests.formats.segment_samples import L0, V3, logs, manifest
from tests.restore.plans import plan

REQUEST = {"snapshot": "s", "target": "t"}


def rewriting(root: str = "restored") -> Plan:
    usual = plan(1)
    request = usual.request.model_copy(update={"rewrite_descriptors": True})
    target = usual.target.model_copy(update={"root": root})
    return usual.model_copy(update={"request": request, "target": target})


def planned(kind: Kind, target: str) -> PlannedObject:
    return PlannedObject(kind=kind, source="files/insert_log/1/2/3/100/9", target=target, size=7)


@pytest.mark.parametrize("root", ["restored", "restored/", "", "delta_log/1/2/3/4"])
@pytest.mark.parametrize(
    ("kind", "path"), [("insert", "insert_log/444/-1/666/100/9"), ("delta", "delta_log/444/-1/666/9")]
)
def test_the_new_owner_of_a_log_is_that_of_its_new_path(root: str, kind: Kind, path: str) -> None:
    key = f"{root.rstrip('/')}/{path}" if root else path
    edit = descriptor_edit(rewriting(root), planned(kind, key), 7)
    assert edit
    assert (edit.owner, edit.size) == (LogOwner(444, -1, 666), 7)
    assert edit.name == "s3://origin/files/insert_log/1/2/3/100/9"


@pytest.mark.parametrize("kind", ["stats", "bm25", "index", "text", "json", "manifest", "lob"])
def test_all_that_is_no_log_of_rows_or_deletes_stays_as_it_is(kind: Kind) -> None:
    assert descriptor_edit(rewriting(), planned(kind, "restored/stats_log/444/555/666/100/9"), 7) is None


def test_without_the_option_everything_stays_as_it_is() -> None:
    assert descriptor_edit(plan(1), planned("insert", "restored/insert_log/444/555/666/100/9"), 7) is None


def test_logs_of_rows_and_deletes_of_storage_version_0_may_be_rewritten() -> None:
    require_descriptors(manifest(storage_version=0))
    for version in (0, 2):
        require_descriptors(manifest(**{**L0, "storage_version": version}))


@pytest.mark.parametrize("changes", [{"storage_version": 2}, V3], ids=["packed", "manifest-based"])
def test_parquet_files_have_no_descriptor_to_rewrite(changes: dict[str, object]) -> None:
    segment = manifest(**changes, binlog_files=(logs(0, "files/insert_log/111/222/333/0/9"),))
    with pytest.raises(UnsupportedFormat, match=r"segment 333 has storage version [23].*rewrite_descriptors"):
        require_descriptors(segment)


def test_a_request_that_does_not_ask_for_it_is_stored_as_ever() -> None:
    assert "rewrite_descriptors" not in RestoreRequest.model_validate(REQUEST).model_dump_json()
    asked = RestoreRequest.model_validate({**REQUEST, "rewrite_descriptors": True})
    assert RestoreRequest.model_validate_json(asked.model_dump_json()) == asked


@pytest.mark.parametrize("value", [1, "true", None])
def test_the_option_is_a_boolean_and_nothing_like_it(value: object) -> None:
    with pytest.raises(ValueError, match="rewrite_descriptors"):
        RestoreRequest.model_validate({**REQUEST, "rewrite_descriptors": value})
