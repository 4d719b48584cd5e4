"""A TCP relay in front of an SMTP server that cuts each connection when the message has been handed over.

Or it holds it, as long as the client likes: in both cases the reply to the final dot is never heard.
"""

from __future__ import annotations

import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

END_OF_MESSAGE = b"\r\n.\r\n"
PATIENCE_SECONDS = 10.0


class CuttingRelay(socketserver.ThreadingTCPServer):
    """Passes everything on, and the final dot too; hangs up, or falls silent, before its reply comes back."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, host: str, port: int, *, holds: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = host, port
        self.port: int = self.server_address[1]
        self.holds = holds
        self.cuts = 0


class _Connection(socketserver.BaseRequestHandler):
    server: CuttingRelay

    def handle(self) -> None:
        client: socket.socket = self.request
        with socket.create_connection(self.server.target, PATIENCE_SECONDS) as upstream:
            if not self._pass_on(client, upstream):
                return
            self.server.cuts += 1
            upstream.recv(4096)  # the reply that nobody hears
            if self.server.holds:
                client.recv(1)

    def _pass_on(self, client: socket.socket, upstream: socket.socket) -> bool:
        """Pass on both ways until somebody hangs up (False), or the message has been handed over (True)."""
        tail = b""
        with selectors.DefaultSelector() as ready:
            for source, target in ((client, upstream), (upstream, client)):
                ready.register(source, selectors.EVENT_READ, (source, target))
            while events := ready.select(PATIENCE_SECONDS):
                for key, _ in events:
                    source, target = key.data
                    data = source.recv(65536)
                    if not data:
                        return False
                    target.sendall(data)
                    if source is client:
                        tail = (tail + data)[-len(END_OF_MESSAGE) :]
                        if tail == END_OF_MESSAGE:
                            return True
        return False


@contextmanager
def cutting_relay(host: str, port: int, *, holds: bool = False) -> Iterator[CuttingRelay]:
    """A relay at work, in threads of its own."""
    with CuttingRelay(host, port, holds=holds) as relay:
        thread = threading.Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield relay
        finally:
            relay.shutdown()
            thread.join(PATIENCE_SECONDS)
