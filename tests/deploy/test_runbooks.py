"""The runbooks have their parts, and the metrics and paths that they tell a person to look at exist.

That the commands and the links exist is tried for all pages by tests/test_docs.py.
"""

import re
import shlex
from itertools import product
from pathlib import Path

import pytest

from smtp_probe.report.metrics import METRICS

FOLDER = Path(__file__).parents[2] / "docs" / "runbooks"
PAGES = sorted(FOLDER.glob("SmtpProbe*.md"))
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
PROCESS = ("process_cpu_seconds_total",)
PATHS = {"/metrics", "/queue"}

pytestmark = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def commands(text):
    """Each line that is to be typed."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        yield from (line.removeprefix("$ ") for line in block.splitlines())


def alternatives(pattern):
    """All words that a pattern of grep stands for, as far as the pages use it: `a(b|c)`, `a|b`, one optional group."""
    if not (group := re.search(r"\(([^()]*)\)(\??)", pattern)):
        return re.sub(r"\[\{\]", "{", pattern).split("|")
    inner = [*group[1].split("|"), *([""] if group[2] else [])]
    parts = (pattern[: group.start()], pattern[group.end() :])
    return [
        word
        for each, whole in product(inner, [parts])
        for word in alternatives(f"{whole[0]}{each}{whole[1]}")
    ]


def test_it_has_the_four_sections_each_with_something_in_it(page):
    text = page.read_text()

    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert all(part.strip() for part in re.split(r"^## .*$", text, flags=re.MULTILINE))
    assert f"| [{page.stem}]({page.name}) |" in (FOLDER / "README.md").read_text()


def test_its_diagnosis_begins_with_a_command_of_ours_or_a_look_at_our_own_figures(page):
    typed = list(commands(page.read_text()))

    assert any(re.search(r"smtp-probe|127\.0\.0\.1:10925", line) for line in typed)


def test_every_figure_that_it_looks_for_is_exposed(page):
    names = [metric.name for metric in METRICS]
    for line in commands(page.read_text()):
        if not (looked := re.search(r"(/[a-zA-Z/-]*)(?: \| (.*))?$", line.split("127.0.0.1:10925")[-1])):
            continue
        if "127.0.0.1:10925" in line:
            assert looked[1] in PATHS, line
            if looked[2] and looked[2].startswith("grep"):
                for word in alternatives(shlex.split(looked[2])[-1]):
                    bare = word.removesuffix("{")
                    assert any(bare in name for name in (*names, *PROCESS)), word
