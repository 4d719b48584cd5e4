"""docs/quick-start.md, typed as it stands there, with the lab's Postfix and Dovecot as one's own server."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.acceptance.daemon import free_port

PAGE = Path(__file__).parents[2].joinpath("docs", "quick-start.md").read_text()
SECTIONS = re.split(r"(?m)^## ", PAGE)[1:]

pytestmark = pytest.mark.lab


def block(section, language, number=0):
    """A fenced block of a section, counted from 0."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", SECTIONS[section])[number]


def typed(section, number=0):
    """The commands of a block, and what the page says that they answer."""
    lines = block(section, "console", number).splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return "\n".join(commands), [line for line in lines if not line.startswith("$ ")]


def environment(home):
    """A newcomer's: the program in the PATH, a home of his own."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"HOME": str(home), "PATH": path}


def shell(home, commands, folder="smtp-probe"):
    return subprocess.run(
        ["sh", "-ec", commands],
        cwd=home / folder,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=60,
    )


def with_own_names(text, lab):
    """The configuration of the page with the names of the lab, whose certificates are of an authority of its own."""
    for host, name in (
        (lab.submission.host, lab.submission.server_name),
        (lab.imap.host, lab.imap.server_name),
    ):
        options = f"tls_options: {{ca_file: {lab.ca_file}, server_name: {name}}}"
        text = text.replace("host: mail.example.org", f"host: {host}\n    {options}", 1)
    return text.replace("username: probe,", "username: probe1,").replace(
        "probe@example.org", lab.mail_address("probe1")
    )


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def run_and_interrupt(home):
    """The daemon, until its page is there and Ctrl-C has ended it within the ten seconds of the page."""
    command = f"exec {typed(3)[0]} --web.listen-address=127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        ["sh", "-c", command],
        cwd=home / "smtp-probe",
        env=environment(home),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            lines = iter(process.stderr.readline, "")
            address = next(found[1] for line in lines if (found := re.search(r"addresses=(\S+)", line)))
            give_up = time.monotonic() + 20
            while not answers(f"http://{address}/"):
                assert time.monotonic() < give_up
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_the_page_works_as_it_is_typed(lab, work):
    made = shell(work, typed(1)[0].replace("THE PASSWORD", lab.password("probe1")), folder=".")
    assert (made.returncode, made.stderr) == (0, "")
    (work / "smtp-probe" / "smtp-probe.yaml").write_text(with_own_names(block(1, "yaml"), lab))

    command, says = typed(1, 1)
    checked = shell(work, command)
    assert (checked.returncode, checked.stdout.splitlines()) == (0, says)

    probed = shell(work, typed(2)[0])
    assert probed.returncode == 0, probed.stdout + probed.stderr
    assert "delivered in" in probed.stdout
    assert "relay.example.test" in probed.stdout, "each hop"
    run_and_interrupt(work)


def test_a_certificate_of_an_own_authority_is_told_as_the_page_says(lab, work):
    shell(work, typed(1)[0].replace("THE PASSWORD", lab.password("probe1")), folder=".")
    own = re.sub(r"\n +tls_options: .*", "", with_own_names(block(1, "yaml"), lab))
    (work / "smtp-probe" / "smtp-probe.yaml").write_text(own)
    probed = shell(work, typed(2)[0])
    [words] = re.findall(r"`(self-signed [^`]*)`", SECTIONS[2])

    assert probed.returncode == 3
    assert words in " ".join(probed.stdout.split())  # lines are as long as the terminal is wide
    assert "mail lost" not in probed.stdout


def test_what_prometheus_is_told_is_sound(work):
    config = work / "prometheus.yml"
    config.write_text(block(4, "yaml"))
    subprocess.run(["promtool", "check", "config", config], check=True, capture_output=True, timeout=20)
    targets = re.findall(r'"127\.0\.0\.1:(\d+)"', config.read_text())
    assert targets == re.findall(r"http://127\.0\.0\.1:(\d+)/", SECTIONS[3])
