"""Stores that refuse, are away, or never answer: said within seconds, and not retried for hours."""

import json

import pytest

from samples.snapshot import WrittenSample
from tests.e2e.bad_input import assert_refused, assert_told, refused
from tests.e2e.site import Site
from tests.e2e.troubled_stores import WRONG_PASSWORD, WRONG_SECRET, TroubledStores

CASES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "wrong S3 keys at the source": ("source", "wrong-keys", ("{bucket}", "wrong-keys", "refused")),
    "wrong S3 keys at the destination": ("destination", "wrong-keys", ("a-bucket", "wrong-keys", "refused")),
    "no S3 at the source": ("source", "closed-s3", ("http://{closed}", "closed-s3", "endpoint")),
    "no S3 at the destination": ("destination", "closed-s3", ("http://{closed}", "closed-s3", "endpoint")),
    "a silent S3": ("source", "silent-s3", ("http://{silent}", "silent-s3", "endpoint")),
    "an S3 without an address": ("source", "nameless-s3", ("nowhere.invalid", "nameless-s3", "endpoint")),
    "no etcd": ("destination", "closed-etcd", ("{closed}", "closed-etcd", "endpoints")),
    "a silent etcd": ("destination", "silent-etcd", ("{silent}", "silent-etcd", "endpoints")),
    "a wrong etcd password": ("destination", "wrong-password", ("{guarded}", "'root'", "password")),
}


@pytest.mark.parametrize("case", CASES)
def test_a_store_that_cannot_be_used_is_named(
    site: Site, small: WrittenSample, troubled: TroubledStores, case: str
) -> None:
    field, profile, says = CASES[case]
    target = site.target(small.shape)
    names = {**vars(troubled), "bucket": small.bucket}

    request = {"snapshot": small.uri, "target": target.name, field: profile}
    refused(site, request, "AccessDenied", [text.format(**names) for text in says])


def test_a_missing_destination_bucket_is_named(site: Site, small: WrittenSample) -> None:
    target = site.target(small.shape)
    request = {"snapshot": small.uri, "target": target.name, "destination": "no-bucket"}
    refused(site, request, "InvalidRequest", ("'no-such-bucket'", "'no-bucket'"))


@pytest.mark.parametrize("profile", ["wrong-keys", "wrong-password"])
def test_no_history_and_no_log_holds_a_secret(site: Site, small: WrittenSample, profile: str) -> None:
    request = {"snapshot": small.uri, "target": "t", "destination": profile}

    told = site.commands.execute(request)

    assert_refused(told, "AccessDenied", (profile,))
    history = json.dumps(site.commands.workflow("show", "-w", told.workflow_id).json)
    said = site.worker.log.read_text(errors="replace") + history
    assert profile in said
    for secret in (WRONG_SECRET, WRONG_PASSWORD, site.deployment.secret):
        assert secret not in said


def test_our_command_tells_which_store_is_away(
    site: Site, small: WrittenSample, troubled: TroubledStores
) -> None:
    target = site.target(small.shape)

    done = site.commands.restore("start", small.uri, target.name, "--source", "closed-s3")

    assert_told(done, "AccessDenied", (f"http://{troubled.closed}", "closed-s3"))
    assert target.before.changes(site.deployment.image()) == set()
