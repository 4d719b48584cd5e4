"""A content filter in front of an SMTP server that puts a footer under each message, as disclaimers are put."""

from __future__ import annotations

import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

FOOTER = b"--\r\nThis message is confidential.\r\n"
_END = b"\r\n.\r\n"
_PATIENCE_SECONDS = 10.0


class FooterFilter(socketserver.ThreadingTCPServer):
    """Passes on what both sides say, and the message with a footer."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, host: str, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = host, port
        self.port: int = self.server_address[1]


class _Connection(socketserver.BaseRequestHandler):
    server: FooterFilter

    def handle(self) -> None:
        client: socket.socket = self.request
        with (
            socket.create_connection(self.server.target, _PATIENCE_SECONDS) as upstream,
            selectors.DefaultSelector() as ready,
        ):
            ready.register(client, selectors.EVENT_READ, upstream)
            ready.register(upstream, selectors.EVENT_READ, client)
            tail = b""
            while events := ready.select(_PATIENCE_SECONDS):
                for key, target in ((key, key.data) for key, _ in events):
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    if key.fileobj is client:
                        tail = (tail + data)[-len(_END) :]
                        if tail == _END:
                            data = data[:-3] + FOOTER + data[-3:]
                    target.sendall(data)


@contextmanager
def footer_filter(host: str, port: int) -> Iterator[FooterFilter]:
    """A filter at work, in threads of its own."""
    with FooterFilter(host, port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(_PATIENCE_SECONDS)
