"""What a finished restore answers, as others read it."""

from restore.progress import RestoreResult

FIGURES = {
    "job_id": "9007199254740993",
    "collection_id": "449",
    "segments": 3,
    "rows": 10,
    "objects": 7,
    "objects_skipped": 1,
    "bytes": 1_000,
    "seconds": 2.5,
    "certificate": "s3://b/files/restores/9007199254740993/certificate.json",
}


def test_a_result_without_warnings_has_exactly_the_contracts_fields() -> None:
    assert RestoreResult.model_validate(FIGURES).model_dump(mode="json") == FIGURES


def test_what_people_are_warned_of_comes_with_the_result() -> None:
    warned = FIGURES | {"warnings": ["all restored rows have expired"]}
    result = RestoreResult.model_validate(warned)
    assert result.model_dump(mode="json") == warned
    assert RestoreResult.model_validate_json(result.model_dump_json()) == result
