"""The restored collection answers as the source did when its snapshot was taken."""

import pytest

from tests.real_milvus.kinds import Kind
from tests.real_milvus.story import KINDS, Source, Target

Targets = dict[Kind, Target]

pytestmark = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def test_the_source_answered_as_its_rows_ask_for(source: Source, kind: Kind) -> None:
    numbers = {number for _, batch in kind.batches for number in batch} - set(kind.deleted)
    golden = source.golden[kind]

    assert golden["rows in all"] == len(numbers)
    assert [row[kind.key] for row in golden["whole rows"]] == sorted(kind.keys(sorted(numbers)))
    plain = {name: value for name, value in kind.row(min(numbers)).items() if not isinstance(value, list)}
    assert plain.items() <= golden["whole rows"][0].items()


def test_every_answer_is_the_same(targets: Targets, source: Source, kind: Kind) -> None:
    found, golden = targets[kind].answers, source.golden[kind]

    assert found.keys() == golden.keys()
    assert [question for question in golden if found[question] != golden[question]] == []


def test_no_index_was_built_and_each_was_loaded(targets: Targets, source: Source, kind: Kind) -> None:
    target = targets[kind]
    collection = target.records.collection.id
    fields = {index.indexID: index.fieldID for index in target.records.collection.indexes}
    indexed = {
        (each.info.ID, fields[index.indexID])
        for each in target.records.segments
        for index in each.indexes
        if index.index_file_keys
    }

    assert target.log.builds(collection) == 0
    assert indexed
    assert target.log.loaded_indexes(collection) == indexed
