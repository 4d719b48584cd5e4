"""The pages of the documentation: every relative link leads somewhere, the index has every page, examples load."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from smtp_probe.config.load import load

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("deploy/**/*.md"),
        *ROOT.glob("grafana/**/*.md"),
    ]
)
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
