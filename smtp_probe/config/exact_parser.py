"""The parser for documents in which something is wrong: ruamel.yaml, and its complaints in our words.

In: the text of a file, and who takes its events. Out: what ended the reading, or nothing. Imported when such a document is met:
the library takes 2 MB of memory, and most daemons never need it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from smtp_probe.errors import ConfigProblem

_ADVICE = {
    "found character '\\t' that cannot start any token": "a tab cannot indent: use spaces",
    "mapping values are not allowed here": "a ': ' too much, or lines that are not indented alike",
    "expected <block end>, but found": "lines that are not indented alike",
    "expected '<document start>'": "text that belongs to no setting",
    "could not find expected ':'": "a key without ': '",
    "found unexpected end of stream": "a quotation mark that is not closed",
}


def parse_exactly(text: str, file: str, take: Callable[[Any], None]) -> ConfigProblem | None:
    """Give every event to `take`. Gives what is no YAML; `take` may raise ConfigError to end it."""
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            take(event)
    except YAMLError as error:
        return _syntax_problem(error, text, file)
    return None


def _syntax_problem(error: YAMLError, text: str, file: str) -> ConfigProblem:
    """Say in words what the parser found. Its own text would quote the line, which may hold a secret."""
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        message = "a control character, which YAML does not allow"
        return ConfigProblem(message=f"not valid YAML: {message}", file=file, line=line)
    problem, line = "unreadable", 1
    if isinstance(error, MarkedYAMLError):
        problem = error.problem or error.context or problem
        marks = (error.problem_mark, error.context_mark)
        # What is still open at the end of the file is wrong where it was opened.
        mark = next(filter(None, reversed(marks) if "stream" in problem else marks), None)
        line = mark.line + 1 if mark else 1
    advice = next((words for start, words in _ADVICE.items() if problem.startswith(start)), "")
    message = f"not valid YAML: {problem}" + (f" ({advice})" if advice else "")
    return ConfigProblem(message=message, file=file, line=line)
