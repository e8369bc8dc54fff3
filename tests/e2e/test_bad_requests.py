"""Requests that cannot be meant."""

from typing import Any

import pytest

from samples.snapshot import WrittenSample
from tests.e2e.bad_input import assert_refused, assert_told, refused
from tests.e2e.site import Site

URI = "s3://bucket/files/snapshots/1/metadata/2.json"

UNREADABLE: dict[str, tuple[object, tuple[str, ...]]] = {
    "an unknown field": ({"snapshot": URI, "target": "t", "colection": "x"}, ("colection", "'x'")),
    "a missing target": ({"snapshot": URI}, ("target", "required")),
    "a missing snapshot": ({"target": "t"}, ("snapshot", "required")),
    "a number for a text": ({"snapshot": URI, "target": 7}, ("target", "string", "7")),
    "a text for a number": (
        {"snapshot": URI, "target": "t", "concurrency": "16"},
        ("concurrency", "integer", "'16'"),
    ),
    "a number that is too large": (
        {"snapshot": URI, "target": "t", "concurrency": 257},
        ("concurrency", "256", "257"),
    ),
    "an unknown choice": (
        {"snapshot": URI, "target": "t", "verify": "hope"},
        ("verify", "size", "etag", "full", "hope"),
    ),
    "a text for a list": ({"snapshot": URI, "target": "t", "partitions": "p"}, ("partitions", "'p'")),
    "an empty target": ({"snapshot": URI, "target": ""}, ("target", "1 character", "''")),
    "a list": ([URI, "t"], ("object", "[")),
    "a text": (URI, ("object", URI)),
    "null": (None, ("snapshot", "target", "required")),
    "the workflow's own field": (
        {"snapshot": URI, "target": "t", "carry": {"cursor": 1}},
        ("carry",),
    ),
}

NO_PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "another scheme": ("ftp://host/files/snapshots/1/metadata/2.json", ("ftp", "s3")),
    "no metadata key": ("s3://bucket/some/file.json", ("some/file.json", "snapshots/", "metadata/")),
    "a plain text": ("last night's", ("last night's", "URI", "snapshot-name")),
    "a path that climbs": ("../snapshots/1/metadata/2.json", ("'..'",)),
    "a password in the URI": ("s3://user:pass@bucket/files/snapshots/1/metadata/2.json", ("password",)),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_input_that_is_no_request_is_refused(site: Site, case: str) -> None:
    request, says = UNREADABLE[case]
    refused(site, request, "InvalidRequest", says)


def test_no_input_at_all_is_refused(site: Site) -> None:
    before = site.deployment.image()

    told = site.commands.execute()

    assert_refused(told, "InvalidRequest", ("snapshot", "target", "required"))
    assert before.changes(site.deployment.image()) == set()


def test_two_inputs_are_refused(site: Site) -> None:
    told = site.commands.execute({"snapshot": URI, "target": "t"}, {"snapshot": URI})
    assert_refused(told, "InvalidRequest", ("one JSON object", "2"))


@pytest.mark.parametrize("case", NO_PLACES)
def test_a_snapshot_that_is_no_place_is_refused(site: Site, small: WrittenSample, case: str) -> None:
    text, says = NO_PLACES[case]
    target = site.target(small.shape)

    told = refused(site, {"snapshot": text, "target": target.name}, "InvalidRequest", says)

    assert "pass@" not in told.message


@pytest.mark.parametrize("field", ["source", "destination"])
def test_an_unknown_profile_is_refused_and_the_known_ones_are_named(
    site: Site, small: WrittenSample, field: str
) -> None:
    request = {"snapshot": small.uri, "target": site.target(small.shape).name, field: "weekly"}
    refused(site, request, "InvalidRequest", ("'weekly'", "default", "no-bucket"))


def test_an_unknown_partition_is_refused_and_the_known_ones_are_named(
    site: Site, small: WrittenSample
) -> None:
    request = {
        "snapshot": small.uri,
        "target": site.target(small.shape).name,
        "partitions": ["part_1", "part_9"],
    }
    refused(site, request, "InvalidRequest", ("'part_9'", "_default", "part_1", "part_2", "part_3"))


def test_our_command_tells_a_refusal_in_one_sentence(site: Site, small: WrittenSample) -> None:
    target = site.target(small.shape)

    done = site.commands.restore("start", small.uri, target.name, "--partition", "part_9")

    assert_told(done, "InvalidRequest", ("'part_9'", "part_1"))
    assert target.before.changes(site.deployment.image()) == set()


def test_our_command_refuses_before_it_starts_anything(site: Site, small: WrittenSample) -> None:
    name = site.target(small.shape).name

    done = site.commands.restore("start", small.uri, name, "--concurrency", "0")

    assert_told(done, "InvalidRequest", ("concurrency", "1", "0"))
    assert workflows_into(site, name) == []


def workflows_into(site: Site, name: str) -> list[Any]:
    listing: list[Any] = site.commands.workflow(
        "list", "--query", f"WorkflowId='restore/default/{name}'"
    ).json
    return listing
