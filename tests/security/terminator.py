"""TLS before Temporal's development server, which cannot speak it."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Terminator:
    """Listens on a free port of 127.0.0.1 for clients with a certificate, and passes on in plain text."""

    def __init__(self, target: str, certificates: Path) -> None:
        self._host, _, self._port = target.rpartition(":")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
        self._context.load_verify_locations(certificates / "ca.crt")
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.set_alpn_protocols(["h2"])  # gRPC asks for it
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self.address = ""
        self.served = 0

    def run(self) -> None:
        """Serve until `close`."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    def await_ready(self) -> None:
        assert self._ready.wait(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0, ssl=self._context)
        host, port = server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        self._ready.set()
        await self._stop.wait()
        server.close()
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _pass_on(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        self.served += 1
        server, requests = await asyncio.open_connection(self._host, int(self._port))
        with suppress(asyncio.CancelledError):
            await asyncio.gather(_pump(client, requests), _pump(server, answers))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while block := await source.read(65_536):
            sink.write(block)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


@contextmanager
def tls_before(target: str, certificates: Path) -> Iterator[Terminator]:
    """A running terminator, gone afterwards."""
    terminator = Terminator(target, certificates)
    thread = threading.Thread(target=terminator.run)
    thread.start()
    try:
        terminator.await_ready()
        yield terminator
    finally:
        terminator.close()
        thread.join()
