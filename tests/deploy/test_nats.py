"""The definitions for NATS are those that the program makes, and the users of deploy/nats may do what their roles need."""

import pytest

from tests.deploy.nats_definitions import FOLDER, definitions


@pytest.mark.parametrize(("name", "text"), list(definitions()), ids=lambda value: value[:30])
def test_a_definition_is_up_to_date(name, text):
    """A difference is written by: python -m tests.deploy.nats_definitions"""
    assert (FOLDER / name).read_text() == text


def test_no_definition_is_left_over():
    assert {path.name for path in FOLDER.glob("*.json")} == {name for name, _ in definitions()}
