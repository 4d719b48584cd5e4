"""The image's recipe: its lint, what it promises, and its steps, run as a script in a clean folder.

No container engine is at hand: what `docker build` would do with the script is done here without it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
