"""Requests that are refused before anything is written."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from restore.errors import RestoreError
from tests.activities.scene import Scene

SECONDS = 10
"""By then a request that cannot be done is refused."""


async def refused(scene: Scene, kind: str, says: Iterable[str], **changes: Any) -> RestoreError:
    """The error of an open_restore that says these texts in one sentence, in time, and changes nothing."""
    before = scene.image()
    with pytest.raises(RestoreError) as caught:
        async with asyncio.timeout(SECONDS):
            await scene.open(**changes)
    error = caught.value
    assert type(error).__name__ == kind, error
    assert error.permanent
    assert "\n" not in str(error)
    missing = [text for text in says if text not in str(error)]
    assert missing == [], error
    assert before.changes(scene.image()) == set()
    return error
