import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.config.nodes import Node, resolve_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
    ],
)
def test_what_is_no_text(text, value):
    assert resolve_scalar(text) == value
    assert type(resolve_scalar(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes",
        "on",
        "off",
        "Off",
        "y",
        "NO",
        "0587",
        "00",
        "0o17",
        "0x1F",
        "1_000",
        "1:30",
        "190:20:30",
        "2024-01-31",
        "1.2.3",
        ".inf",
        "-.INF",
        ".nan",
        "5m",
        "1e9999",
        ".",
    ],
)
def test_what_has_two_readings_elsewhere_is_text(text):
    assert resolve_scalar(text) == text


@given(st.text())
def test_every_scalar_has_a_finite_reading(text):
    value = resolve_scalar(text)
    assert not isinstance(value, float) or math.isfinite(value)


def test_lines_are_those_of_names_and_of_the_nearest_section():
    leaf = Node(line=3, value=5)
    section = Node(
        line=3,
        value={"a": leaf, "b": Node(line=4, value=[Node(line=5, value="x")])},
        key_lines={"a": 3, "b": 4},
    )
    root = Node(line=1, value={"top": section}, key_lines={"top": 2})

    assert root.line_of(("top",)) == 2
    assert root.line_of(("top", "a")) == 3
    assert root.line_of(("top", "b", 0)) == 5
    assert root.line_of(("top", "b", 7)) == 4
    assert root.line_of(("top", "missing", "deeper")) == 2
    assert root.line_of(("nowhere",)) == 1
    assert root.holds(("top", "b", 0))
    assert not root.holds(("top", "missing"))


def test_plain_data_is_fresh_each_time():
    root = Node(line=1, value={"a": Node(line=1, value=[])}, key_lines={"a": 1})
    first, second = root.plain(), root.plain()
    first["a"].append(1)
    assert second == {"a": []}
