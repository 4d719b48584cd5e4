"""One YAML document as plain data in which every value knows its line.

In: the text of a file. Out: a tree of `Node`, and what is wrong but could be read over (a name given twice, a tag).
Follows the core schema of YAML 1.2.2 section 10.3, narrowed so that no value has two readings: `no` and `on` are
text, `0587`, `0x1F` and `1:30` are text, a date is text. Anchors, aliases and merge keys (`<<`) are understood.
Depth and size are bounded, aliases expanded included. Does not know what the settings are.

A text in which nothing is wrong is read by libyaml, where it is there, in a tenth of the time; everything else by ruamel.yaml, whose
words and lines are told. Texts that the two might understand differently (YAML 1.1 and 1.2) are left to the second.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

import yaml

from smtp_probe.config.nodes import KeyPath, Node, resolve_scalar
from smtp_probe.errors import ConfigError, ConfigProblem

_DEEPEST = 32
_MOST_NODES = 1_000_000
_MERGE = "<<"
_TWO_READINGS = re.compile("[\t\r\x85\u2028\u2029\ufeff]|^[%.]|^ +$|(?:^|[-\\[{,]) *\\?", re.MULTILINE)
"""What might be read in two ways: tabs, line ends that one of the two does not know, directives, blank lines with blanks, and `?`."""


class _Event(Protocol):
    """What a parser tells, in the words of both."""

    start_mark: Any
    anchor: Any
    tag: Any
    value: Any
    style: Any


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open. `key` is the name that waits for its value."""

    node: Node
    anchor: str | None
    key: str | None = None
    merged: list[Node] = field(default_factory=list)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node.value, dict)

    @property
    def wants_key(self) -> bool:
        return self.is_mapping and self.key is None


class _Builder:
    """Builds the tree from parser events, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[ConfigProblem] = []
        self.root: Node | None = None
        self._open: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._take: dict[str, Callable[[_Event], None]] = {
            "DocumentStartEvent": self._start_document,
            "MappingStartEvent": lambda event: self._start(event, {}),
            "SequenceStartEvent": lambda event: self._start(event, []),
            "MappingEndEvent": self._end,
            "SequenceEndEvent": self._end,
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
        }

    def take(self, event: Any) -> None:
        """Take the next event of either parser. Raises ConfigError where going on would make no sense."""
        take = self._take.get(type(event).__name__)
        if take is not None:
            take(event)

    def _note(self, message: str, line: int, path: KeyPath = ()) -> None:
        self.problems.append(
            ConfigProblem(message=message, path=".".join(map(str, path)), file=self.file, line=line)
        )

    def _stop(self, message: str, line: int) -> NoReturn:
        self._note(message, line)
        raise ConfigError(tuple(self.problems))

    def _path(self) -> KeyPath:
        return tuple((frame.key or "") if frame.is_mapping else len(frame.node.value) for frame in self._open)

    def _start_document(self, event: _Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop("a second document begins here (---): one is expected", _line(event))

    def _start(self, event: _Event, value: Any) -> None:
        line = _line(event)
        self._check_tag(event)
        if self._open and self._open[-1].wants_key:
            self._stop("a key must be one word or text, not a list or a section", line)
        if len(self._open) >= _DEEPEST:
            self._stop(f"nested deeper than {_DEEPEST} levels", line)
        self._open.append(_Frame(Node(line=line, value=value), event.anchor))

    def _end(self, event: _Event) -> None:
        frame = self._open.pop()
        node = frame.node
        for source in frame.merged:
            for name, child in source.value.items():
                if name not in node.value:
                    node.value[name] = child
                    node.key_lines[name] = source.key_lines[name]
        children = list(node.value.values()) if frame.is_mapping else node.value
        node.size += sum(child.size for child in children)
        node.depth += max((child.depth for child in children), default=0)
        if node.size > _MOST_NODES or node.depth > _DEEPEST:
            self._stop("too large or too deep when its aliases are written out", node.line)
        self._keep(frame.anchor, node)
        self._place(node, _line(event))

    def _scalar(self, event: _Event) -> None:
        line = _line(event)
        self._check_tag(event)
        if self._open and self._open[-1].wants_key:
            self._name(event.value, line)
            return
        value = resolve_scalar(event.value) if not event.style else event.value
        node = Node(line=line, value=value)
        self._keep(event.anchor, node)
        self._place(node, line)

    def _alias(self, event: _Event) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            self._stop(f"the alias *{event.anchor} has no anchor that ends before it", _line(event))
        if self._open and self._open[-1].wants_key:
            self._stop("a key cannot be an alias", _line(event))
        self._place(node, _line(event))

    def _name(self, name: str, line: int) -> None:
        frame = self._open[-1]
        frame.key = name
        first = frame.node.key_lines.setdefault(name, line)
        if first != line or name in frame.node.value:
            self._note(f"duplicate name: it stands on line {first} already", line, self._path())

    def _place(self, node: Node, line: int) -> None:
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        if not frame.is_mapping:
            frame.node.value.append(node)
            return
        if frame.key == _MERGE:
            frame.merged += self._mergeable(node, line)
        else:
            frame.node.value.setdefault(frame.key, node)
        frame.key = None

    def _mergeable(self, node: Node, line: int) -> list[Node]:
        sources = node.value if isinstance(node.value, list) else [node]
        if not all(isinstance(source.value, dict) for source in sources):
            self._note("'<<' takes a section, or a list of sections", line, self._path())
            return []
        return list(sources)

    def _keep(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _check_tag(self, event: _Event) -> None:
        if getattr(event, "tag", None) is not None:
            self._note("a YAML tag (!...) is not understood here: remove it", _line(event), self._path())


def _line(event: _Event) -> int:
    return int(event.start_mark.line) + 1


def read_document(text: str, file: str) -> tuple[Node, list[ConfigProblem]]:
    """Read one document. Raises ConfigError where the text is no YAML, or is without bounds."""
    root = read_quickly(text)
    return (root, []) if root is not None else read_exactly(text, file)


def read_quickly(text: str) -> Node | None:
    """Read a document in which nothing is wrong; None for every other, and where there is no libyaml."""
    loader = getattr(yaml, "CSafeLoader", None)
    if loader is None or _TWO_READINGS.search(text):
        return None
    builder = _Builder("")
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except (yaml.YAMLError, ConfigError):
        return None
    root = builder.root
    return None if builder.problems or root is None or not isinstance(root.value, dict) else root


def read_exactly(text: str, file: str) -> tuple[Node, list[ConfigProblem]]:
    """Read a document as `read_document` does, so that what is wrong can be told. Raises ConfigError."""
    from smtp_probe.config.exact_parser import parse_exactly

    builder = _Builder(file)
    problem = parse_exactly(text, file, builder.take)
    if problem is not None:
        raise ConfigError((*builder.problems, problem))
    return builder.root or Node(line=1, value=None), builder.problems
