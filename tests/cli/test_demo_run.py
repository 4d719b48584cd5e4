"""One run of the demo, from the mail path to the summary, in this process."""

import gc
import json
import logging
import os
import signal
import time

import pytest

from smtp_probe.cli.demo_run import run_demo
from smtp_probe.cli.demo_setting import DemoPlan
from smtp_probe.errors import ConfigError
from smtp_probe.report.log import LogHandler

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _put_back(monkeypatch, tmp_path):
    """The demo is made for a process of its own: what it sets for the process is set back."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    level = logging.getLogger().level
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    root = logging.getLogger()
    for known in [handler for handler in root.handlers if isinstance(handler, LogHandler)]:
        root.removeHandler(known)
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    gc.unfreeze()


def plan(**facts):
    return DemoPlan(began_seconds=time.monotonic(), **facts)


def test_a_run_delivers_sums_up_and_leaves_nothing_behind(capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("SMTP_PROBE__STATE_DIRECTORY", "/nonexistent/state")
    began = time.monotonic()

    assert run_demo(plan(scenarios=("on-time",), duration_seconds=5.0, as_json=True)) == 0

    out, err = capfd.readouterr()
    objects = [json.loads(line) for line in out.splitlines()]
    assert {facts["outcome"] for facts in objects} == {"delivered"}
    assert [hop["by"] for hop in objects[0]["hops"]][-1] == "store.example.test"
    assert "status page: http://127.0.0.1:" in err
    assert err.endswith(".\n")
    assert f"{len(objects)} probe" in err
    assert "level=" not in err, "nothing was wrong with us, so nothing is logged"
    assert 4.0 < time.monotonic() - began < 9.0
    assert list(tmp_path.iterdir()) == []


def test_a_duration_that_is_over_before_anything_began_is_no_error(capfd):
    assert run_demo(plan(scenarios=("on-time",), duration_seconds=0.01)) == 0
    assert "0 probes ended" in capfd.readouterr().out


def test_a_kept_directory_holds_the_configuration(tmp_path, capfd):
    directory = tmp_path / "kept"

    assert run_demo(plan(scenarios=("lost",), duration_seconds=0.01, directory=directory)) == 0

    assert (directory / "smtp-probe.yaml").exists()
    assert str(directory / "smtp-probe.yaml") in capfd.readouterr().out


def test_an_address_that_cannot_be_listened_on_is_said_and_nothing_is_summed_up(capfd, tmp_path):
    with pytest.raises(ConfigError, match="not an address"):
        run_demo(plan(scenarios=("on-time",), listen_addresses=("nonsense",)))
    assert capfd.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_said(monkeypatch):
    monkeypatch.setattr("smtp_probe.demo.extra._PACKAGES", ("pymap", "no_such_package"))
    with pytest.raises(ConfigError, match=r"needs no_such_package: pip install 'smtp-probe\[demo\]'"):
        run_demo(plan())


def test_a_directory_that_cannot_hold_the_mail_path_is_said(monkeypatch, tmp_path):
    def refuse(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("smtp_probe.demo.mail_path.make_certificates", refuse)
    with pytest.raises(ConfigError, match="cannot hold the mail path: no space left on device"):
        run_demo(plan(scenarios=("on-time",)))
    assert list(tmp_path.iterdir()) == []
