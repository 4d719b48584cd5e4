"""The architecture as rules: arrows, the mirror of tests, sizes, and the language of what is committed."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "smtp_probe"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")

TESTED_ELSEWHERE = {
    "__main__.py": "tests/cli/test_main.py; every test that runs the command goes through it",
    "errors.py": "values without behaviour; every test uses them",
    "ports.py": "shapes; mypy holds adapters and fakes against them",
    "model": "values without behaviour; every test uses them",
    "app": "composition; tests/acceptance runs it on real servers",
    "cli/run.py": "tests/acceptance runs it on real servers",
    "report/stored_facts.py": "values without behaviour; tests/report/test_journal.py writes and reads them all",
    "report/web/views.py": "values without behaviour; tests/report/web uses them all",
    "report/web/api_types.py": "shapes; tests/report/web/test_api.py holds every answer against them",
    "report/web/application.py": "a shape; mypy holds the application and its fake against it",
    "demo/chain.py": "tests/demo/test_mail_path.py",
    "demo/host.py": "tests/demo/test_mail_path.py",
    "demo/reception.py": "tests/demo/test_relay.py",
}
"""Modules, or folders of them, without a test file of their own, each with the reason or the place."""


def test_imports_follow_the_arrows():
    command = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100)

    assert run.returncode == 0, run.stdout + run.stderr


def test_every_module_opens_with_its_duty():
    docstrings = {path: ast.get_docstring(ast.parse(path.read_text())) for path in MODULES}

    assert [path for path, docstring in docstrings.items() if len(docstring or "") <= 40] == []


def test_no_module_has_outgrown_its_idea():
    assert [path for path in MODULES if len(path.read_text().splitlines()) > 400] == []


def test_names_say_what_is_in_a_file():
    empty_words = {"utils", "util", "helpers", "helper", "common", "manager", "base", "handler", "misc"}

    assert [path for path in MODULES if path.stem in empty_words] == []


def test_the_wall_clock_is_read_in_one_place():
    pattern = re.compile(r"\btime\.time(_ns)?\(|datetime\.(now|utcnow|today)\(")
    readers = [path for path in MODULES if pattern.search(path.read_text())]

    assert [str(path.relative_to(PACKAGE)) for path in readers if path.parts[-2] != "demo"] == [
        "network/clock.py"
    ]


def test_every_module_has_its_test_file_or_a_reason():
    assert [path for path in MODULES if not (is_excused(path) or has_test_file(path))] == []


def is_excused(path):
    inside = path.relative_to(PACKAGE)
    return not {str(inside), *map(str, inside.parents)}.isdisjoint(TESTED_ELSEWHERE)


def has_test_file(path):
    inside = path.relative_to(PACKAGE)
    return (ROOT / "tests" / inside.parent / f"test_{inside.name}").is_file()


def test_no_excuse_has_outlived_its_reason():
    gone = [name for name in TESTED_ELSEWHERE if not (PACKAGE / name).exists()]
    needless = [name for name in TESTED_ELSEWHERE if (ROOT / "tests" / f"test_{name}").is_file()]

    assert gone == []
    assert needless == []


def test_a_daemon_imports_no_library_that_its_configuration_may_not_need():
    """They take a fifth of its memory: what domains, drills, tokens, users, odd signatures and pages need is imported by those."""
    script = "import sys, smtp_probe.cli, smtp_probe.app.daemon; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=True
    )
    imported = {name.partition(".")[0] for name in run.stdout.split()}

    assert imported >= {"aiohttp", "aiosmtplib", "aioimaplib"}
    assert (
        imported & {"aiosmtpd", "bcrypt", "cryptography", "dkim", "jinja2", "nacl", "nats", "rich", "ruamel"}
        == set()
    )


def test_no_pattern_has_a_possessive_group():
    """Python 3.11 before 3.11.5, which Debian 12 has, does not go back to where such a group began (gh-106052)."""
    pattern = re.compile(r"\)(?:[*+?]|\{[\d,]+\})\+")

    assert [path for path in MODULES if pattern.search(path.read_text())] == []
