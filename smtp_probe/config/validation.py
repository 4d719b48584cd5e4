"""From plain data to a `Config`, finding every error and not only the first.

In: the data of the file and of the environment. Out: the configuration, and what is wrong, each with its path.
pydantic judges rules between settings only when each setting alone is right. So a wrong setting is mended for the
time being (left out, or replaced by the example that its field carries) and the rest is judged again, until nothing
new is found. What follows only from something mended is not reported. Reads nothing.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from smtp_probe.config.anatomy import annotation_at, entry_of, field_at
from smtp_probe.config.nodes import KeyPath
from smtp_probe.config.settings import Config
from smtp_probe.config.wording import describe_error

_MOST_ROUNDS = 50


class SourcedConfig(Config, BaseSettings):
    """A configuration put together from its sources: the environment's data over the file's."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __init__(self, file: dict[str, Any], environment: dict[str, Any]) -> None:
        BaseSettings.__init__(self, file=file, environment=environment)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - it reads os.environ, and knows no `-` in names
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first: the first source that gives a value wins, and sections are merged."""
        given = init_settings()
        return (
            InitSettingsSource(settings_cls, given["environment"]),
            InitSettingsSource(settings_cls, given["file"]),
        )


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong. `involved` are the paths that take part in it, `path` the one to name."""

    path: KeyPath
    message: str
    involved: tuple[KeyPath, ...]
    is_name: bool = False
    """Whether the name at the end of the path is wrong, not what it names."""
    is_shortage: bool = False
    """Whether too few entries stand there."""

    @classmethod
    def of(cls, error: ErrorDetails) -> Self:
        """Read one error of pydantic."""
        path = tuple(part for part in error["loc"] if part != "[key]")
        keys = error.get("ctx", {}).get("keys", ()) if error["type"] == "conflict" else ()
        involved = tuple((*path, key) if key else path for key in keys) or (path,)
        return cls(
            path=involved[0],
            message=describe_error(error, involved[0]),
            involved=involved,
            is_name="[key]" in error["loc"],
            is_shortage=error["type"] == "too_short",
        )


class Validation:
    """One attempt to make a `Config`: `config` is None where not even the rest could be used."""

    def __init__(self, file: dict[str, Any], environment: dict[str, Any]) -> None:
        self._file = file
        self._environment = environment
        self._mended: set[KeyPath] = set()
        self.complaints: list[Complaint] = []
        self.config = self._judge()

    def is_mended(self, path: KeyPath) -> bool:
        """Whether the value at `path` is not what was written."""
        return any(path[:length] in self._mended for length in range(1, len(path) + 1))

    def _judge(self) -> Config | None:
        for _ in range(_MOST_ROUNDS):
            try:
                return SourcedConfig(self._file, self._environment)
            except ValidationError as error:
                found = [Complaint.of(details) for details in error.errors(include_url=False)]
            self.complaints += [wrong for wrong in found if self._is_news(wrong, found)]
            mended = [self._mend(path, wrong) for wrong in found for path in wrong.involved]
            if not any(mended):
                break
        return None

    def _is_news(self, wrong: Complaint, found: list[Complaint]) -> bool:
        """Whether a complaint is about what was written, not about what was mended, or did not count for being wrong."""
        bad = [*self._mended, *(other.path for other in found if other is not wrong)]
        is_emptied = wrong.is_shortage and any(path[: len(wrong.path)] == wrong.path for path in bad)
        return not is_emptied and not any(map(self.is_mended, wrong.involved))

    def _mend(self, path: KeyPath, wrong: Complaint) -> bool:
        """Put something right in the place of something wrong. False where that cannot be done."""
        while path and isinstance(path[-1], int):
            path = path[:-1]
        if not path or path in self._mended:
            return False
        self._mended.add(path)
        for data in (self._file, self._environment):
            section = _section_at(data, path[:-1])
            if section is not None:
                section.pop(str(path[-1]), None)
        field = field_at(Config, path)
        if field is not None and not field.is_required():
            return True
        section = _section_at(self._file, path[:-1])
        if section is None:
            return False
        if field is not None:
            section[str(path[-1])] = deepcopy(field.examples[0]) if field.examples else {}
        elif not wrong.is_name and entry_of(annotation_at(Config, path[:-1])) is not None:
            section[str(path[-1])] = {}
        return True


def _section_at(data: Any, path: KeyPath) -> dict[str, Any] | None:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else None
