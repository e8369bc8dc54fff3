"""A site whose worker reaches its S3 server through a proxy that a test may make slow or unreliable."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stores.s3_connection import Access
from tests.e2e.site import Site, opened
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually
from tests.stores.faulty_s3 import Fault, FaultyS3, faulty


@dataclass(frozen=True)
class SlowSite:
    """The site and its proxy."""

    site: Site
    s3: FaultyS3

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Have requests fail in this way for a while."""
        healthy, self.s3.fault = self.s3.fault, fault
        try:
            yield
        finally:
            self.s3.fault = healthy

    @contextmanager
    def held_back(self) -> Iterator[Valve]:
        """Have copies wait; at the end all are let through."""
        valve = Valve()
        try:
            with self.failing(valve):
                yield valve
        finally:
            valve.open()

    def half_copied(self, valve: Valve, copies: int) -> None:
        """Return when so many copies were let through and others wait."""
        valve.let(copies)
        eventually(lambda: valve.asked > copies, f"more than {copies} copies were asked for")


@contextmanager
def slow_site(
    servers: dict[str, str], folder: Path, more: Mapping[str, str] | None = None
) -> Iterator[SlowSite]:
    """A site behind a proxy of its own; the worker is gone before the proxy is."""
    access = Access(
        "default",
        servers["RESTORE_S3_ENDPOINT"],
        servers["RESTORE_S3_REGION"],
        servers["AWS_ACCESS_KEY_ID"],
        servers["AWS_SECRET_ACCESS_KEY"],
    )
    with faulty(access) as proxy:
        proxied = {"RESTORE_S3_ENDPOINT": str(proxy.access.endpoint), **(more or {})}
        with opened(servers, folder, proxied) as site:
            yield SlowSite(site, proxy)
