"""What a run of the demo stands on."""

import os
import socket
import stat
from contextlib import ExitStack

import pytest

from smtp_probe.cli.demo_setting import (
    forget_settings_of_others,
    listen_near,
    open_directory,
    pick_scenarios,
    visit_url,
)
from smtp_probe.demo.scenarios import SCENARIOS
from smtp_probe.errors import ConfigError


def test_without_a_name_all_scenarios_run():
    assert [scenario.name for scenario in pick_scenarios(())] == list(SCENARIOS)
    assert [scenario.name for scenario in pick_scenarios(("mix",))] == list(SCENARIOS)


def test_each_scenario_runs_once_however_often_it_is_named():
    chosen = pick_scenarios(("lost", "on-time", "lost"))

    assert [scenario.name for scenario in chosen] == ["lost", "on-time"]


def test_a_scenario_alone_is_sent_more_often_than_all_together():
    assert pick_scenarios(("late",))[0].interval_seconds == 2.0
    assert {scenario.interval_seconds for scenario in pick_scenarios(())} == {5.0}


def test_an_unknown_scenario_is_answered_with_those_that_there_are():
    with pytest.raises(ConfigError, match=r"no scenario 'laat'.*mix, on-time, .*forged"):
        pick_scenarios(("on-time", "laat"))


def test_the_preferred_port_is_listened_on_when_it_is_free_and_another_when_not():
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
        with listen_near(f"127.0.0.1:{port}") as other:
            assert other.getsockname()[1] not in {0, port}
    with listen_near(f"127.0.0.1:{port}") as preferred:
        assert preferred.getsockname()[1] == port


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1:10925", "http://127.0.0.1:10925"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::]:80", "http://[::1]:80"),
        ("[::1]:80", "http://[::1]:80"),
        (":80", "http://localhost:80"),
        ("probe.example.org:80", "http://probe.example.org:80"),
    ],
)
def test_an_address_becomes_one_that_a_browser_here_can_visit(address, url):
    assert visit_url(address) == url


def test_an_own_directory_is_private_and_gone_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ExitStack() as stack:
        directory = open_directory(None, stack)
        assert directory.parent == tmp_path
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        (directory / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_wanted_directory_is_made_and_kept(tmp_path):
    with ExitStack() as stack:
        directory = open_directory(tmp_path / "a" / "b", stack)
    assert directory.is_dir()


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.touch()])
def test_a_directory_of_somebody_elses_is_left_alone(tmp_path, make):
    make(tmp_path / "theirs")
    wanted = tmp_path if (tmp_path / "theirs").is_dir() else tmp_path / "theirs"
    with pytest.raises(ConfigError, match=r"--directory: .* (is not empty|cannot be used: file exists)"):
        open_directory(wanted, ExitStack())


def test_no_place_for_temporary_files_is_said(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent/place")
    with pytest.raises(ConfigError, match="temporary files cannot be used"):
        open_directory(None, ExitStack())


def test_variables_that_are_meant_for_a_daemon_do_not_reach_the_demo(monkeypatch):
    monkeypatch.setenv("SMTP_PROBE__STATE_DIRECTORY", "/var/lib/smtp-probe")
    monkeypatch.setenv("smtp_probe__history_days", "1")
    monkeypatch.setenv("SMTP_PROBE_CONFIG_FILE", "x")
    forget_settings_of_others()

    assert [name for name in os.environ if name.upper().startswith("SMTP_PROBE__")] == []
    assert "SMTP_PROBE_CONFIG_FILE" in os.environ
