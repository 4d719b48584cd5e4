"""The command `domain` as a whole: exit codes, and what stands on which stream."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smtp_probe.cli.domain import exit_code
from smtp_probe.model import Severity
from tests.cli.domain_reports import make_finding, make_report
from tests.zones.domains import Domain, write_zone
from tests.zones.nameserver import ADDRESS, free_port, serve

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).with_name("smtp-probe")


@pytest.mark.parametrize(
    ("severity", "unobserved", "code"),
    [
        (None, (), 0),
        (Severity.WARNING, (), 0),
        (Severity.ERROR, (), 1),
        (Severity.ERROR, ("dark",), 1),
        (Severity.WARNING, ("dark",), 3),
        (None, ("dark",), 3),
    ],
)
def test_the_exit_code_says_what_was_found(
    severity: Severity | None, unobserved: tuple[str, ...], code: int
) -> None:
    findings = () if severity is None else (make_finding(severity),)
    assert exit_code(make_report(*findings, unobserved=unobserved)) == code


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "domain", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_dead_resolver_is_not_observed() -> None:
    run = _run("e.test", "--resolver", f"{ADDRESS}:{free_port()}", "--json")
    assert (run.returncode, run.stderr) == (3, "")
    facts = json.loads(run.stdout)
    assert facts["findings"] == []
    assert facts["unobserved"]


@pytest.mark.parametrize(
    "arguments", [("user@e.test",), ("e.test", "--egress", "x"), ("e.test", "--resolver", ":1")]
)
def test_a_mistake_on_the_command_line_is_told(arguments: tuple[str, ...]) -> None:
    run = _run(*arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert "Traceback" not in run.stderr


@pytest.mark.lab
def test_a_domain_is_looked_at_from_outside(tmp_path: Path) -> None:
    domains = [Domain(name="good"), Domain(name="bad", without=("@ TXT",))]
    with serve({".": write_zone(domains)}, tmp_path) as port:
        good = _run("good.test", "--resolver", f"{ADDRESS}:{port}", "--no-dial")
        bad = _run("bad.test", "--resolver", f"{ADDRESS}:{port}", "--no-dial", "--json")
    assert (good.returncode, good.stderr) == (0, "")
    assert "nothing found" in good.stdout
    assert bad.returncode == 1
    assert [finding["check"] for finding in json.loads(bad.stdout)["findings"]] == ["spf_missing"]
