"""Values that know their line: the tree that a YAML document becomes.

In: scalars as they are written. Out: plain data, and the line of every path in it. Knows neither YAML's structure
(`document`) nor the settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

KeyPath = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,29})")
_FLOAT = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]{0,29})?\.[0-9]{1,30}|(?:0|[1-9][0-9]{0,29})\.?)(?:[eE][-+]?[0-9]{1,3})?"
)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def resolve_scalar(text: str) -> str | int | float | bool | None:
    """Read a scalar without quotes as null, true, false, a decimal number or else text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


@dataclass(slots=True)
class Node:
    """A value and its line. `size` and `depth` count all that is below it, with aliases written out."""

    line: int
    value: Any
    """A scalar, a list of nodes, or a dict of nodes by name."""
    key_lines: dict[str, int] = field(default_factory=dict)
    size: int = 1
    depth: int = 1

    def plain(self) -> Any:
        """The data alone, as fresh lists and dicts."""
        if isinstance(self.value, dict):
            return {name: child.plain() for name, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def line_of(self, path: KeyPath) -> int:
        """The line of the name at `path`, or of the nearest section around it that there is."""
        return self._walk(path)[0]

    def holds(self, path: KeyPath) -> bool:
        """Whether something is written at `path`."""
        return self._walk(path)[1] == len(path)

    def _walk(self, path: KeyPath) -> tuple[int, int]:
        """The line where a path ends, and how many of its parts there are."""
        node, line = self, self.line
        for position, part in enumerate(path):
            if isinstance(node.value, dict) and part in node.value:
                line, node = node.key_lines[str(part)], node.value[part]
            elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.line
            else:
                return line, position
        return line, len(path)
