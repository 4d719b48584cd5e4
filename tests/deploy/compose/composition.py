"""What compose.yaml says, as the tests need it: variables filled, mounts taken apart, one service at a time."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "compose"
FILE = FOLDER / "compose.yaml"

_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def load() -> dict[str, Any]:
    """Read the file; each variable has its default."""
    return YAML(typ="safe").load(_VARIABLE.sub(lambda match: match[2], FILE.read_text()))


@dataclass(frozen=True)
class Mount:
    """Something that a service sees at a path: a file or folder of the repository, or a named volume."""

    source: str
    target: str
    is_writable: bool

    @property
    def is_volume(self) -> bool:
        """Whether the source is a volume's name."""
        return not self.source.startswith(".")

    @property
    def path(self) -> Path:
        """Where in the repository it is."""
        return (FOLDER / self.source).resolve()


def mounts(service: dict[str, Any]) -> list[Mount]:
    """The volumes of a service."""
    found = []
    for text in service.get("volumes", ()):
        source, target, *mode = text.split(":")
        found.append(Mount(source, target, mode != ["ro"]))
    return found


def temporary(service: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Path -> options, of each folder that is gone with the container."""
    found = {}
    for text in service.get("tmpfs", ()):
        path, _, options = text.partition(":")
        found[path] = dict(each.split("=") for each in options.split(",") if each)
    return found
