"""Guarded servers for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.security.guarded import Guarded, guarded


@pytest.fixture(scope="module")
def servers(temporal_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Guarded servers of this module's own; Temporal is the shared one, behind TLS."""
    with guarded(tmp_path_factory.mktemp("guarded"), temporal_address) as running:
        yield running
