"""Fixtures of the lab's own tests."""

from collections.abc import Iterator

import pytest

from .lab import MailLab


@pytest.fixture(scope="module")
def lab() -> Iterator[MailLab]:
    """A lab for all the tests of a file."""
    with MailLab.start() as running:
        yield running
