"""A receiver of Alertmanager's notifications, which keeps what it was told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Webhook:
    """What has come in, in order: path of the receiver, status and labels of each alert."""

    url: str
    told: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def alerts(self, status: str) -> set[str]:
        """Names of the alerts that were told as firing or resolved."""
        return {labels["alertname"] for _, each, labels in self.told if each == status}

    def receivers(self, alert: str) -> set[str]:
        """Where an alert was sent to."""
        return {path for path, _, labels in self.told if labels["alertname"] == alert}

    def labels(self, alert: str) -> list[dict[str, str]]:
        """What an alert was about, each time that it was told."""
        return [labels for _, _, labels in self.told if labels["alertname"] == alert]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Serve until the end of `with`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            for alert in body["alerts"]:
                hook.told.append((self.path, alert["status"], alert["labels"]))
            self.send_response(200)
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Webhook(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield hook
        finally:
            server.shutdown()
