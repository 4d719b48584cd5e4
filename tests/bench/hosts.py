"""MX hosts and a web server of MTA-STS policies for many domains, in a thread of their own, on the ports that they have in the world."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import trustme

from tests.network.hostile_smtp import HostileSmtp

MX_ADDRESSES = {"mx1.provider.test": "127.82.0.1", "mx2.provider.test": "127.82.0.2"}
POLICY_ADDRESS = "127.82.0.3"
_POLICY = "version: STSv1\r\nmode: enforce\r\nmx: *.provider.test\r\nmax_age: 604800\r\n"
_PAGE = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n{_POLICY}".encode()
_START_SECONDS = 30.0


class Hosts:
    """The servers, each name with a certificate of its own, made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "hosts-ca.pem"
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self._contexts: dict[str, ssl.SSLContext] = {}

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Serve while the block runs."""
        loop = asyncio.new_event_loop()
        ended = asyncio.Event()
        begun = threading.Event()

        async def serve() -> None:
            async with self._servers():
                begun.set()
                await ended.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
        thread.start()
        try:
            assert begun.wait(_START_SECONDS), "the hosts did not start"
            yield
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join(_START_SECONDS)
            loop.close()

    @contextlib.asynccontextmanager
    async def _servers(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as running:
            for name, address in MX_ADDRESSES.items():
                server = HostileSmtp({"RSET": b"250 ok\r\n"}, tls=self._context(name))
                await running.enter_async_context(server.running(address, 25))
            chooser = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert("policies.test").configure_cert(chooser)
            chooser.sni_callback = self._choose
            policies = await asyncio.start_server(_give_policy, POLICY_ADDRESS, 443, ssl=chooser)
            try:
                yield
            finally:
                policies.close()

    def _choose(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name:
            tls.context = self._context(name)

    def _context(self, name: str) -> ssl.SSLContext:
        if name not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert(name).configure_cert(context)
            self._contexts[name] = context
        return self._contexts[name]


async def _give_policy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_PAGE)
        await writer.drain()
    writer.close()
