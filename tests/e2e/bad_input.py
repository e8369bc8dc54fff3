"""What every bad input comes to: the contract's failure, soon, in one sentence, and nothing left behind."""

from collections.abc import Iterable
from typing import Final

from tests.e2e.commands import Ended, Told, assert_readable
from tests.e2e.site import Site
from tests.e2e.troubled_stores import WRONG_PASSWORD, WRONG_SECRET

SECONDS: Final = 10
"""By then a bad input has failed."""

_EXIT_CODES: Final = {"InvalidRequest": 2}


def assert_refused(told: Told, kind: str, says: Iterable[str]) -> None:
    """The restore failed in time, with this type on top, and its message names each of the texts."""
    assert (told.status, told.type) == ("FAILED", kind), told.message
    assert told.milliseconds < SECONDS * 1000
    _assert_sentence(told.message, says)


def assert_told(ended: Ended, kind: str, says: Iterable[str]) -> None:
    """Our command line ends with the failure's exit code and says type and message on stderr."""
    assert ended.code == _EXIT_CODES.get(kind, 1), ended.err
    assert ended.out == ""
    assert_readable(ended.err)
    (line,) = [line for line in ended.err.splitlines() if f"{kind}: " in line]
    _assert_sentence(line, says)


def refused(site: Site, request: object, kind: str, says: Iterable[str]) -> Told:
    """Ask Temporal's own command for it, see it refused and the world untouched; return what was told."""
    before = site.deployment.image()
    told = site.commands.execute(request)
    assert_refused(told, kind, says)
    assert before.changes(site.deployment.image()) == set()
    return told


def _assert_sentence(message: str, says: Iterable[str]) -> None:
    assert "\n" not in message
    assert_readable(message)
    missing = [text for text in says if text not in message]
    assert missing == [], message
    assert WRONG_SECRET not in message
    assert WRONG_PASSWORD not in message
