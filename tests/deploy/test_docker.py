"""The image's recipe: its lint, what it promises, and its steps, run as a script in a clean folder.

No container engine is at hand: what `docker build` would do with the script is done here without it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from smtp_probe import __version__

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
TEXT = DOCKERFILE.read_text()
LAST_STAGE = TEXT[TEXT.rindex("\nFROM ") :]


def test_the_linter_has_nothing_to_say():
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, timeout=60)

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_both_stages_stand_on_the_same_base_pinned_by_digest():
    assert re.search(r"^ARG PYTHON=python:3\.\d+-slim-\w+@sha256:[0-9a-f]{64}$", TEXT, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE) == ["${PYTHON}", "${PYTHON}"]


@pytest.mark.parametrize(
    "line",
    [
        "USER 65532:65532",
        'ENTRYPOINT ["smtp-probe"]',
        "STOPSIGNAL SIGTERM",
        "VOLUME /var/lib/smtp-probe",
    ],
)
def test_the_image_is_not_root_and_needs_no_shell(line):
    assert f"\n{line}\n" in LAST_STAGE
    assert re.search(r"^HEALTHCHECK .* CMD \[\"smtp-probe\", \"healthcheck\"\]$", LAST_STAGE, re.MULTILINE)
    assert not re.search(r"^RUN ", LAST_STAGE, re.MULTILINE)


def test_its_labels_say_what_it_is():
    """The annotations of the OCI image specification, with the project's own words."""
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', LAST_STAGE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert set(labels) == {"title", "description", "licenses", "version", "revision"}
    assert labels["title"] == project["name"]
    assert project["description"].startswith(labels["description"])
    assert labels["licenses"] == project["license"]
    assert labels["version"] == "${VERSION}"
    assert f"\nARG VERSION={__version__}\n" in LAST_STAGE


@pytest.mark.slow
def test_its_health_check_is_a_command_that_is_there():
    """Its words are tried on a daemon that runs by tests/deploy/compose/test_running.py."""
    check = re.search(r"^HEALTHCHECK (.*) CMD (\[.*\])$", LAST_STAGE, re.MULTILINE)
    assert check is not None
    options = dict(word.removeprefix("--").split("=") for word in check[1].split())
    assert set(options) == {"interval", "timeout", "start-period"}
    program, *arguments = json.loads(check[2])
    run = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments, "--url=http://127.0.0.1:9"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert float(options["timeout"].removesuffix("s")) > 5, "the command's own patience, and a moment"


def let_through(names):
    """What `.dockerignore` lets into the build, of the files that git knows."""
    lines = ROOT.joinpath(".dockerignore").read_text().split()
    assert lines[0] == "*"
    wanted = [line.removeprefix("!") for line in lines if line.startswith("!")]
    return [
        name
        for name in names
        if any(Path(name).match(each) or name.startswith(f"{each}/") for each in wanted)
    ]


@pytest.mark.slow
def test_the_steps_make_an_environment_that_works(tmp_path):
    names = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    source = tmp_path / "src"
    for name in let_through(names.splitlines()):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    target = tmp_path / "environment"
    python = Path(sys.base_prefix) / "bin"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))
    }
    environment |= {
        "PATH": f"{python}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
    }
    subprocess.run(
        ["sh", "deploy/docker/install.sh", target], cwd=source, env=environment, check=True, timeout=300
    )

    def run(*arguments):
        return subprocess.run(
            [target / "bin" / "smtp-probe", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert re.fullmatch(r"smtp-probe \d+\.\d+\.\d+\n", run("version").stdout)
    assert run("config-schema").returncode == 0
    assert run("healthcheck", "--url", "http://127.0.0.1:9").returncode == 1
    packages = list(target.glob("lib/python3*/site-packages/smtp_probe/__init__.py"))
    assert len(packages) == 1
    assert not list(target.glob("lib/python3*/site-packages/pytest"))
