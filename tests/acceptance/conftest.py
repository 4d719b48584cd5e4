"""Fixtures of the acceptance tests: one lab for a file of tests, a working directory for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import MailLab


@pytest.fixture(scope="module")
def lab() -> Iterator[MailLab]:
    """A lab for all the tests of a file."""
    with MailLab.start() as running:
        yield running


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A directory that only we can read: the daemon keeps its state in it."""
    tmp_path.chmod(0o700)
    return tmp_path
