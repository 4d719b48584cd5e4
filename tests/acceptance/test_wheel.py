"""The built wheel, installed into an environment of its own, runs the demo without a network."""

import json
import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from smtp_probe import __version__

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 100

OFFLINE_GUARD = '''\
"""Ends the process when anything but this machine is spoken to, or any name but its own is looked up."""

import os
import sys

HERE = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None)


def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if (host.decode() if isinstance(host, bytes) else host) not in HERE:
        sys.stderr.write(f"NOT OFFLINE: {event} {host}\\n")
        sys.stderr.flush()
        os._exit(99)


sys.addaudithook(watch)
'''


def run(*command, cwd, timeout=TIMEOUT_SECONDS):
    """Run a program with no help from this source tree or this environment."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "TMPDIR": str(cwd), "PYTHONPATH": ""}
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environ, capture_output=True, text=True, timeout=timeout
    )


def must_run(*command, cwd):
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from this tree with what is installed."""
    out = tmp_path_factory.mktemp("dist")
    must_run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The bin directory of a fresh environment with the wheel in it; dependencies are lent by this one."""
    place = tmp_path_factory.mktemp("fresh")
    must_run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=place)
    python = place / "venv" / "bin" / "python"
    install = ["install", "--no-deps", "--no-index", "--disable-pip-version-check", wheel]
    must_run(sys.executable, "-m", "pip", "--python", python, *install, cwd=place)
    (packages,) = (place / "venv" / "lib").glob("python3.*/site-packages")
    (packages / "offline_guard.py").write_text(OFFLINE_GUARD)
    lent = [path for path in site.getsitepackages() if Path(path).is_dir()]
    (packages / "zz_lent.pth").write_text("\n".join(["import offline_guard", *lent]) + "\n")
    return python.parent


def test_the_wheel_holds_all_that_is_read_at_run_time(wheel):
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "smtp_probe").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = set(zipfile.ZipFile(wheel).namelist())

    assert wanted <= names
    assert any(name.endswith(".html") for name in wanted), "the templates of the pages are among them"
    assert "smtp_probe/py.typed" in names, "PEP 561: the types are for others, too"
    assert not any(name.startswith("tests/") for name in names)


def test_the_program_that_runs_is_the_installed_one(installed, tmp_path):
    where = must_run(
        installed / "python", "-c", "import smtp_probe; print(smtp_probe.__file__)", cwd=tmp_path
    )

    assert Path(where.stdout.strip()).is_relative_to(installed.parent)
    assert must_run(installed / "smtp-probe", "version", cwd=tmp_path).stdout == f"smtp-probe {__version__}\n"


def test_the_guard_of_this_test_notices_a_network(installed, tmp_path):
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 53))"

    assert run(installed / "python", "-c", code, cwd=tmp_path).returncode == 99


def test_the_demo_runs_from_the_wheel_without_a_network(installed, tmp_path):
    options = ["--duration", "10", "--scenario", "on-time", "--json"]
    done = must_run(installed / "smtp-probe", "demo", *options, cwd=tmp_path)

    objects = [json.loads(line) for line in done.stdout.splitlines()]
    assert objects
    assert {facts["outcome"] for facts in objects} == {"delivered"}
    assert "NOT OFFLINE" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_demo_says_how_to_get_it(installed, tmp_path):
    """A path finder that does not know the package stands in for an environment without them."""
    code = (
        "import sys, importlib.machinery as machinery\n"
        "find = machinery.PathFinder.find_spec\n"
        "gone = ('pymap',)\n"
        "machinery.PathFinder.find_spec = staticmethod(lambda name, *rest: None if name in gone else find(name, *rest))\n"
        "sys.argv = ['smtp-probe', 'demo']\n"
        "from smtp_probe.cli import main\n"
        "main()\n"
    )
    done = run(installed / "python", "-c", code, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == "the demo needs pymap: pip install 'smtp-probe[demo]'\n"
