import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_probe.config.document import read_document, read_exactly, read_quickly
from smtp_probe.errors import ConfigError

ORDINARY = """# written by hand
routes:
  a: &usual
    sender: relay  # the first
    recipient: 'a@example.org'
    interval: 60s
  b:
    <<: *usual
    mailbox: "b"
    labels: {team: mail, places: [x, y]}
  c: {<<: *usual, mailbox: c, url: "https://example.org/a"}
"""


def read(text):
    node, problems = read_document(text, "f.yaml")
    assert problems == []
    return node.plain()


def complaints(text):
    """What is wrong with a text, whether it could be read over or not."""
    try:
        _, problems = read_document(text, "f.yaml")
    except ConfigError as error:
        problems = list(error.problems)
    return [str(problem) for problem in problems]


def test_sections_lists_and_scalars():
    assert read("a: 1\nb: [x, 'y', \"5\"]\nc: {d: true}\ne:\n- f: ~\ng: |\n  text\n") == {
        "a": 1,
        "b": ["x", "y", "5"],
        "c": {"d": True},
        "e": [{"f": None}],
        "g": "text\n",
    }


def test_an_empty_text_is_nothing():
    assert read("") is None
    assert read("# only a comment\n") is None


def test_names_are_always_text():
    assert read("1: a\nno: b\n0587: c\nnull: d\n") == {"1": "a", "no": "b", "0587": "c", "null": "d"}


def test_aliases_and_merge_keys():
    assert read("a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\n") == {
        "a": {"p": 1, "q": 2},
        "b": {"p": 1, "q": 2},
        "c": {"p": 1, "q": 3},
    }


def test_the_first_of_several_merged_sections_wins():
    assert read("a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}\n")["c"] == {"p": 1, "q": 2}


def test_a_merge_key_may_come_last():
    assert read("a: &x {p: 1, q: 2}\nc: {q: 3, <<: *x}\n")["c"] == {"p": 1, "q": 3}


def test_lines_are_found_again():
    root, _ = read_document("a: 1\n\nb:\n  c:\n    - x\n    - y: {z: 1}\n", "f.yaml")
    assert [root.line_of(path) for path in [(), ("a",), ("b",), ("b", "c"), ("b", "c", 1, "y", "z")]] == [
        1,
        1,
        3,
        4,
        6,
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2\n", "f.yaml:2: a: duplicate name: it stands on line 1 already"),
        ("{a: 1, a: 2}", "f.yaml:1: a: duplicate name: it stands on line 1 already"),
        ("s:\n- {}\n- x: 1\n  x: 2\n", "f.yaml:4: s.1.x: duplicate name: it stands on line 3 already"),
        ("a: &x {}\nb:\n  <<: *x\n  <<: *x\n", "f.yaml:4: b.<<: duplicate name: it stands on line 3 already"),
        (
            "a: !!python/object:os.system x\n",
            "f.yaml:1: a: a YAML tag (!...) is not understood here: remove it",
        ),
        ("a:\n  - !x [1]\n", "f.yaml:2: a.0: a YAML tag (!...) is not understood here: remove it"),
        ("a: !!str 5\n", "f.yaml:1: a: a YAML tag (!...) is not understood here: remove it"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: a second document begins here (---): one is expected"),
        ("a: *x\n", "f.yaml:1: the alias *x has no anchor that ends before it"),
        ("a: &x\n  b: *x\n", "f.yaml:2: the alias *x has no anchor that ends before it"),
        ("a: 1\nb: {<<: 5}\n", "f.yaml:2: b.<<: '<<' takes a section, or a list of sections"),
        ("a: 1\n? [x]\n: 2\n", "f.yaml:2: a key must be one word or text, not a list or a section"),
        ("a: &x b\n*x : 2\n", "f.yaml:2: a key cannot be an alias"),
        (
            "a:\n\t- b\n",
            "f.yaml:2: not valid YAML: found character '\\t' that cannot start any token (a tab cannot indent",
        ),
        (
            "a: 'x\n\n",
            "f.yaml:1: not valid YAML: found unexpected end of stream (a quotation mark that is not closed)",
        ),
        ("a: 1\nb: {c: 1\n", "f.yaml:2: not valid YAML: expected ',' or '}', but got '<stream end>'"),
        ("a: 1\n\nb: \x07\n", "f.yaml:3: not valid YAML: a control character, which YAML does not allow"),
        ("key\nother: 1\n", "f.yaml:2: not valid YAML: mapping values are not allowed here"),
        ("- a\nb: c\n", "f.yaml:2: not valid YAML: expected <block end>"),
        ("a: @x\n", "f.yaml:1: not valid YAML: found character '@' that cannot start any token"),
        ("%YAML 3.0\n---\na: 1\n", "f.yaml:1: not valid YAML: found incompatible YAML document"),
        ("  a: 1\n b: 2\n", "f.yaml:2: not valid YAML: expected '<document start>'"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text, problem):
    (found,) = complaints(text)
    assert found.startswith(problem)


def test_several_readable_mistakes_are_all_said():
    assert len(complaints("a: 1\na: 2\nb: !x 3\nb: 4\n")) == 3


def test_a_bomb_of_aliases_is_refused_quickly():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + f"*a{n - 1}, " * 10 + "]" for n in range(1, 10)]
    began = time.monotonic()
    (found,) = complaints("\n".join(lines))
    assert time.monotonic() - began < 5
    assert found.endswith("too large or too deep when its aliases are written out")


@pytest.mark.slow
@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_depth_is_bounded(opening):
    (found,) = complaints(opening * 5000)
    assert found == "f.yaml:1: nested deeper than 32 levels"


def test_depth_is_bounded_through_aliases_too():
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60))]
    (found,) = complaints("\n".join(lines))
    assert "too deep" in found


@pytest.mark.slow
def test_a_thousand_routes_are_read_in_a_moment():
    text = "routes:\n" + "".join(f"  r{n}:\n    sender: relay\n    interval: 60s\n" for n in range(1000))
    began = time.monotonic()
    assert len(read(text)["routes"]) == 1000
    assert time.monotonic() - began < 10


_names = st.text(alphabet="abcdefgh-_.", min_size=1, max_size=5)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(
        alphabet=st.characters(codec="ascii", exclude_characters="\x7f") | st.sampled_from("éß中😀"),
        max_size=10,
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=8,
)


@given(tree=st.dictionaries(_names, _values, min_size=1, max_size=3), indent=st.none() | st.integers(0, 4))
def test_json_is_read_as_json(tree, indent):
    """YAML 1.2 takes JSON in (YAML 1.2.2 section 1.3), so that its writer is an independent witness."""
    assert read(json.dumps(tree, indent=indent, ensure_ascii=False)) == tree


def lines_of(node, path=()):
    """The line of everything below a node, by its path."""
    is_list, is_section = isinstance(node.value, list), isinstance(node.value, dict)
    below = list(enumerate(node.value) if is_list else node.value.items() if is_section else ())
    found = {(*path, name): node.line_of((name,)) for name, _ in below}
    for name, child in below:
        found |= lines_of(child, (*path, name))
    return found


_PIECES = st.sampled_from(
    ["a", "b c", "1", "-", "- ", "? ", ": ", ":", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ", ", "&x ", "*x", "<<: ", "# n", " #", "|", ">", "|-\n", "'", '"', "''", "\\", "\\n", "~", "no",
     "1.5", "é", "@", "`", "!", "---", "...", "%", "=", "0x1", "1:30", " ", "a: ", "b: ", "c: 'd'\n"]
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=600)
@given(pieces=st.lists(_PIECES, max_size=14))
def test_what_is_read_quickly_is_what_is_read_exactly(pieces):
    """Two parsers that know nothing of each other, on texts of which most are none."""
    text = "".join(pieces)
    quick = read_quickly(text)
    if quick is not None:
        exact, problems = read_exactly(text, "f.yaml")
        assert (exact.plain(), lines_of(exact), problems) == (quick.plain(), lines_of(quick), [])


def test_an_ordinary_text_is_read_quickly_with_its_lines():
    quick = read_quickly(ORDINARY)
    assert quick is not None
    exact, _ = read_exactly(ORDINARY, "f.yaml")
    assert (exact.plain(), lines_of(exact)) == (quick.plain(), lines_of(quick))
    assert quick.line_of(("routes", "b", "mailbox")) == 9
