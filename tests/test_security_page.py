"""docs/security.md: every "cannot" names tests, and each of them exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text()
CLAIMS = [line for line in TEXT.splitlines() if re.search(r"\bcannot\b", line) and line.startswith("- ")]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)


def test_every_claim_names_its_test():
    assert len(CLAIMS) > 25
    assert [line for line in CLAIMS if "::" not in line] == []
    without = re.sub(r"^- .*$", "", TEXT, flags=re.MULTILINE)
    assert re.findall(r"\bcannot\b", without.replace("*cannot*", "")) == []


@cache
def functions_of(file):
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_named_test_exists(file, name):
    assert name in functions_of(file)
