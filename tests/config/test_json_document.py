"""Plain JSON is read as the YAML that it is, and everything else is left to who can tell what is wrong with it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.config.document import read_document
from smtp_probe.config.json_document import read_json

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e9, 1e9) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4))
def test_what_is_read_here_is_what_yaml_reads(data):
    for text in (json.dumps(data, ensure_ascii=False), json.dumps(data, ensure_ascii=False, indent=1)):
        found = read_json(text)
        if found is not None:
            root, problems = read_document(text, "file")
            assert root.plain() == found
            assert not problems


def test_what_a_program_writes_is_read_here():
    data = {"routes": {"a": {"interval": 60, "echo": True, "labels": {}}}, "mailboxes": [1.5, None, "ü"]}

    assert read_json(json.dumps(data, indent=1, ensure_ascii=False)) == data


@pytest.mark.parametrize(
    "text",
    [
        "", "a: 1", "{a: 1}", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1} {"b": 2}', '{"<<": {"a": 1}}', '{"a": "\\ud800"}',
        '{"a":\t1}', "[1]", '{"a": 1,}', "{" * 100_000, '{"a":' * 40 + "1" + "}" * 40, '{"a": 1} # why',
    ],
)  # fmt: skip
def test_the_rest_is_not(text):
    assert read_json(text) is None
