"""Debian's Prometheus, started by the lab, scrapes and evaluates."""

import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from .errors import LabError
from .lab import MailLab

pytestmark = pytest.mark.lab


class MetricsPage(BaseHTTPRequestHandler):
    """A page with one metric."""

    def do_GET(self) -> None:
        """Answer with it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"lab_answer 42\n")

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


def test_prometheus_scrapes_and_evaluates(lab: MailLab, tmp_path: Path) -> None:
    """It reads a page, and a rule of ours fires."""
    rules = tmp_path / "rules.yml"
    rules.write_text('groups: [{name: lab, rules: [{alert: Answered, expr: "lab_answer == 42"}]}]')
    with ThreadingHTTPServer(("127.0.0.1", 0), MetricsPage) as page:
        Thread(target=page.serve_forever, daemon=True).start()
        prometheus = lab.start_prometheus([f"127.0.0.1:{page.server_port}"], rule_files=[rules])
        (sample,) = prometheus.wait_for("lab_answer")
        assert sample.value == 42
        assert sample.labels["job"] == "smtp-probe"
        (alert,) = prometheus.wait_for('ALERTS{alertname="Answered"}')
        assert alert.labels["alertstate"] == "firing"
        assert prometheus.api("targets")["activeTargets"][0]["health"] == "up"
        page.shutdown()
        with pytest.raises(LabError, match="bad_data"):
            prometheus.query("no promql at all")
    prometheus.stop()
    with pytest.raises(OSError):
        urllib.request.urlopen(prometheus.url, timeout=1)
