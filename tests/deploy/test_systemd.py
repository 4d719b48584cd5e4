"""The service's unit, as systemd's own tools judge it."""

import json
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "smtp-probe.service"
MOST_EXPOSURE = 1.5


@pytest.fixture
def unit(tmp_path):
    """The unit with a program that exists on every machine in the place of ours."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/usr/bin/smtp-probe", "/bin/true"))
    return path


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.lab
def test_the_unit_has_no_mistake(unit):
    run = analyze("verify", "--man=no", "--recursive-errors=no", unit)

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.lab
def test_a_mistake_would_be_found(unit):
    unit.write_text(unit.read_text() + "\n[Service]\nProtectHome=perhaps\n")

    assert (
        "Failed to parse protect home value"
        in analyze("verify", "--man=no", "--recursive-errors=no", unit).stderr
    )


@pytest.mark.lab
def test_the_service_may_do_little(unit):
    run = analyze(
        "security", "--offline=true", "--json=short", f"--threshold={int(MOST_EXPOSURE * 10)}", unit
    )

    judged = json.loads(run.stdout)
    exposure = sum(float(each["exposure"] or 0) for each in judged)
    assert run.returncode == 0, [each for each in judged if each["exposure"]]
    assert 0 < exposure <= 10 * MOST_EXPOSURE
