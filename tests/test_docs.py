"""The pages of the documentation: links lead somewhere, the index has every page, examples load, commands exist."""

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
from ruamel.yaml import YAML

from smtp_probe.cli import app
from smtp_probe.config.load import load
from smtp_probe.config.settings import Config
from smtp_probe.config.web_file import load_web_config

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("deploy/**/*.md"),
        *ROOT.glob("grafana/**/*.md"),
    ]
)
PROGRAM: Any = typer.main.get_command(app)
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")


def without_code(text):
    return re.sub(r"(?ms)^ *```.*?^ *```$|`[^`\n]*`", "", text)


def anchors(page):
    """The anchors that the forges make of headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```$", "", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    broken = []
    for link in _LINK.findall(without_code(page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_links_are_found_at_all():
    assert len(_LINK.findall(without_code(ROOT.joinpath("docs/README.md").read_text()))) > 8


def test_the_index_has_every_page():
    links = set(_LINK.findall(ROOT.joinpath("docs/README.md").read_text()))
    assert {page.name for page in ROOT.glob("docs/*.md")} - {"README.md"} <= links


def test_the_readme_leads_to_the_index():
    assert "docs/README.md" in _LINK.findall(ROOT.joinpath("README.md").read_text())


@pytest.mark.parametrize("name", ["README.md", "docs/quick-start.md"])
def test_the_configuration_on_the_page_loads(name, tmp_path):
    text = ROOT.joinpath(name).read_text()
    [example] = [block for block in re.findall(r"(?ms)^```yaml\n(.*?)^```$", text) if "senders:" in block]
    assert len(example.splitlines()) <= 16
    for password in re.findall(r"password_file: ([^\s}]+)", example):
        tmp_path.joinpath(Path(password).name).write_text("secret\n")
    path = tmp_path / "smtp-probe.yaml"
    path.write_text(example.replace("/etc/smtp-probe/", ""))
    assert len(load(path).routes) == 1


def typed(text):
    """Every call of our program on a page: in blocks to be typed, and in the text."""
    for language, block in re.findall(r"(?ms)^ *```(console|sh)\n(.*?)^ *```$", text):
        prompt = "$ " if language == "console" else ""
        lines = [line.strip() for line in block.replace("\\\n", " ").splitlines()]
        yield from (line.removeprefix(prompt) for line in lines if line.startswith(prompt))
    yield from re.findall(r"`([^`\n]*)`", re.sub(r"(?ms)^ *```.*?^ *```$", "", text))


def calls(page):
    """The words of each call, from the command on, without what its output goes to."""
    for line in typed(page.read_text()):
        if found := re.match(r"(?:\S*/)?smtp-probe ([a-z][a-z-]*(?: .*)?)$", line):
            yield shlex.split(re.split(r" [|>&]", found[1])[0])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_ours_exists_with_its_flags(page):
    for name, *words in calls(page):
        assert name in PROGRAM.commands, name
        known = {
            flag for each in PROGRAM.commands[name].params for flag in (*each.opts, *each.secondary_opts)
        }
        flags = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert flags <= known | {"--help"}, [name, *words]


def test_the_commands_are_found_at_all():
    assert sum(len(list(calls(page))) for page in PAGES) > 90


def examples():
    """Every YAML block of docs that is no comment alone, as data; those of drills go on where the one before ended."""
    for page in sorted(ROOT.glob("docs/*.md")):
        for block in re.findall(r"(?ms)^```yaml\n(.*?)^```$", page.read_text()):
            text = f"drills:\n{block}" if page.name == "drills.md" and block.startswith(" ") else block
            if data := YAML(typ="safe").load(text):
                yield pytest.param(data, id=f"{page.stem}-{'-'.join(next(iter(data.items()))[0:1])}")


EXAMPLES = list(examples())
AROUND = {
    "senders": {
        "relay": {
            "host": "mail.example.org",
            "tls": "starttls",
            "ehlo_name": "prober.example.org",
            "envelope_from": "probe@example.org",
        }
    },
    "mailboxes": {
        name: {
            "host": "imap.example.org",
            "tls": "implicit",
            "auth": {"username": "probe", "password_file": "probe.password"},
        }
        for name in ("inbox", "returns", "bounces", "author")
    },
    "routes": {"daily": {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox"}},
}
"""What examples that show a part only stand in."""


def merged(around, example):
    """The example in its surroundings; what it says itself counts."""
    if not (isinstance(around, dict) and isinstance(example, dict)):
        return example
    return around | {key: merged(around.get(key), value) for key, value in example.items()}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_a_configuration_is_right(example, tmp_path):
    path = tmp_path / "example.yaml"
    if "scrape_configs" in example:
        return  # tests/acceptance/test_quick_start.py has promtool look at it
    if "basic_auth_users" in example:
        path.write_text(json.dumps(example))
        assert load_web_config(path).basic_auth_users
        return
    assert set(example) <= set(Config.model_fields), "a section that does not exist"
    path.write_text(json.dumps(merged(AROUND, example)))
    for name in ("tag.key", "tag-1.key", "tag-2.key"):
        tmp_path.joinpath(name).write_text(f"{name * 8}\n")
        tmp_path.joinpath(name).chmod(0o600)
    assert load(path, {}, verify_secrets=False).routes


def test_the_examples_are_found_at_all():
    assert len(EXAMPLES) > 15
