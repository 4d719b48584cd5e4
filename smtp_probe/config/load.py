"""Reading a configuration: one YAML file, the environment over it, every error at once.

In: the path of a file, and the environment. Out: a frozen `Config` in which every path is absolute. Raises
`ConfigError` with all problems, each as `file:line: path: what is wrong and what is allowed`, or with the name of the
variable instead of file and line. Every file that the configuration names is tried, and none is kept. Makes nothing:
the state directory and its key are the work of `keys`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from smtp_probe.config.authorities import check_authorities
from smtp_probe.config.document import read_document
from smtp_probe.config.files import UnreadableFile, read_bounded
from smtp_probe.config.json_document import read_json
from smtp_probe.config.keys import check_keys
from smtp_probe.config.nodes import KeyPath, Node
from smtp_probe.config.overrides import Overrides, read_overrides
from smtp_probe.config.references import references
from smtp_probe.config.secrets import check_secrets
from smtp_probe.config.settings import Config
from smtp_probe.config.validation import Complaint, Validation
from smtp_probe.config.wording import printable
from smtp_probe.errors import ConfigError, ConfigProblem

LARGEST_FILE_BYTES = 10_485_760


def load(path: Path, environ: Mapping[str, str] | None = None, *, verify_secrets: bool = True) -> Config:
    """Read a configuration. Raises ConfigError with every problem in it.

    `environ` is the process's own where it is not given. Without `verify_secrets` the passwords are not tried: for a
    check in a place where a service's credentials do not exist.
    """
    environ = os.environ if environ is None else environ
    text = _read_text(path)
    quick = _load_quickly(text, path, environ, verify_secrets=verify_secrets)
    if quick is not None:
        return quick
    root, problems = read_document(text, str(path))
    data = root.plain()
    if not isinstance(data, dict):
        message = "expected senders, mailboxes and routes" + ("; the file is empty" if data is None else "")
        raise ConfigError((*problems, ConfigProblem(message=message, file=str(path), line=root.line)))
    overrides = read_overrides(environ, data)
    validation = Validation(data, overrides.values)
    config: Config | None = None
    complaints = list(validation.complaints)
    if validation.config is not None:
        config = rebase(validation.config, path.absolute().parent)
        checks = _check_whole(config, environ, verify_secrets=verify_secrets)
        complaints += [wrong for wrong in checks if not any(map(validation.is_mended, wrong.involved))]
    problems += [_place(wrong, root, str(path), overrides) for wrong in complaints]
    problems += overrides.problems
    if problems or config is None:
        raise ConfigError(
            tuple(sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0)))
        )
    return config


def _load_quickly(
    text: str, path: Path, environ: Mapping[str, str], *, verify_secrets: bool
) -> Config | None:
    """The configuration of a file that is JSON and in which nothing is wrong; None for any other: the lines are wanted then."""
    data = read_json(text)
    if data is None:
        return None
    overrides = read_overrides(environ, data)
    validation = Validation(data, overrides.values)
    if validation.config is None or validation.complaints or overrides.problems:
        return None
    config = rebase(validation.config, path.absolute().parent)
    return None if any(_check_whole(config, environ, verify_secrets=verify_secrets)) else config


def _read_text(path: Path) -> str:
    """The text of the file. Raises ConfigError."""
    try:
        content = read_bounded(path, LARGEST_FILE_BYTES, regular_only=False)
    except UnreadableFile as error:
        message = str(error).removeprefix(str(path)).lstrip()
        raise ConfigError((ConfigProblem(message=message, file=str(path)),)) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError((ConfigProblem(message="not UTF-8 text", file=str(path), line=line),)) from None


def rebase(settings: Any, folder: Path) -> Any:
    """The same settings with every relative path taken from `folder`."""
    if isinstance(settings, Path):
        return folder / settings
    if isinstance(settings, tuple):
        return tuple(rebase(item, folder) for item in settings)
    if isinstance(settings, dict):
        return {name: rebase(item, folder) for name, item in settings.items()}
    if isinstance(settings, BaseModel):
        moved = {name: (value, rebase(value, folder)) for name, value in settings}
        return settings.model_copy(update={name: new for name, (old, new) in moved.items() if new != old})
    return settings


def _check_whole(config: Config, environ: Mapping[str, str], *, verify_secrets: bool) -> Iterator[Complaint]:
    """What a look at one section cannot show: names, budgets, and the files that are named."""
    for path, message, involved in references(config):
        yield Complaint(path, message, involved or (path,))
    found = [*check_authorities(config), *check_keys(config)]
    if verify_secrets:
        found += check_secrets(config, environ)
    for path, message in found:
        yield Complaint(path, message, (path,))


def _place(complaint: Complaint, root: Node, file: str, overrides: Overrides) -> ConfigProblem:
    """Say where it stands: the variable that gave it, or else the line in the file."""
    for involved in complaint.involved[:2]:
        variable = overrides.source_of(involved)
        if variable is not None:
            return ConfigProblem(message=complaint.message, path=_dotted(involved), file=variable)
    written = next((path for path in complaint.involved if root.holds(path)), complaint.path)
    return ConfigProblem(
        message=complaint.message, path=_dotted(written), file=file, line=root.line_of(written)
    )


def _dotted(path: KeyPath) -> str:
    return ".".join(printable(str(part)) for part in path)
