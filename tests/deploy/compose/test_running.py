"""The composition run for real but for the engine: its own files, users, rights, read-only roots and names.

No container engine is at hand, and no Grafana: see engine.py for what stands in for them. What an image holds besides the
programs is checked by test_compose.py and tests/deploy/test_docker.py.
"""

import json
import re

import pytest

from .composition import ROOT
from .engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.slow]

DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
(HEALTHCHECK,) = map(
    json.loads, re.findall(r"^HEALTHCHECK .*? CMD (\[.*\])$", DOCKERFILE.read_text(), re.MULTILINE)
)
ORDER = ("imap", "mx", "submission", "smtp-probe", "alertmanager", "prometheus")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("composition")) as engine:
        made = engine.run("credentials")
        assert made.returncode == 0, made.stderr
        assert engine.run("smtp-probe", *HEALTHCHECK).returncode == 1, "nothing runs yet"
        for name in ORDER:
            if name == "prometheus":  # an alert that finds nobody is told again a minute later
                engine.wait_for("http://127.0.0.1:9093/-/ready", "OK")
            engine.start(name)
        yield engine


def test_each_configuration_is_accepted_where_it_is_mounted(engine):
    for name, *command in (
        ("smtp-probe", "smtp-probe", "check-config", "/etc/smtp-probe/smtp-probe.yaml"),
        ("prometheus", "promtool", "check", "config", "/etc/prometheus/prometheus.yml"),
        ("alertmanager", "amtool", "check-config", "/etc/alertmanager/alertmanager.yml"),
        ("imap", "doveconf", "-n", "-c", "/etc/dovecot/pair.conf"),
    ):
        done = engine.run(name, *command)
        assert done.returncode == 0, (name, done.stdout, done.stderr)


def test_what_was_made_once_is_kept(engine):
    folder = engine.folder / "volumes" / "credentials"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.name for path in folder.iterdir() if path.stat().st_mode & 0o077} == {"ca.pem", "hosts.pem"}

    assert engine.run("credentials").returncode == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_mail_flows_on_both_routes(engine):
    for route in ("internal", "inbound"):
        delivered = rf'smtp_probe_delivery_duration_seconds_count{{route="{route}"}} [1-9]'
        engine.wait_for("http://127.0.0.1:10925/metrics", delivered)


def test_prometheus_sees_it_with_exemplars_that_open_a_page(engine):
    query = "http://127.0.0.1:9090/api/v1/query_exemplars?query=smtp_probe_delivery_duration_seconds_bucket&start=0&end=9e9"
    probe = engine.wait_for(query, r'"probe_id":"(\w+)"')[1]

    assert probe in engine.get(f"http://127.0.0.1:10925/probes/{probe}")
    up = json.loads(engine.get('http://127.0.0.1:9090/api/v1/query?query=up{job="smtp-probe"}'))
    assert [each["value"][1] for each in up["data"]["result"]] == ["1"]


def test_an_alert_reaches_alertmanager(engine):
    engine.wait_for("http://127.0.0.1:9093/api/v2/alerts", "SmtpProbeWatchdog", seconds=100)


def test_the_image_s_health_check_tells_a_daemon_that_runs_from_none(engine):
    done = engine.run("smtp-probe", *HEALTHCHECK)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_complains_of_a_right_that_it_lacks(engine):
    for name in ORDER:
        assert engine.processes[name].poll() is None, engine.output(name)
        for line in engine.output(name).splitlines():
            assert not re.search(
                r"[Pp]ermission denied|[Rr]ead-only file system|not permitted|fatal|panic", line
            )
