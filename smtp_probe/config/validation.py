"""From plain data to a `Config`, finding every error and not only the first.

In: the data of the file and of the environment. Out: the configuration, and what is wrong, each with its path.
pydantic judges rules between settings only when each setting alone is right. So a wrong setting is mended for the
time being (left out, or replaced by the example that its field carries) and the rest is judged again, until nothing
new is found. What follows only from something mended is not reported. Reads nothing.
"""

from __future__ import annotations

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

    @classmethod
    def of(cls, error: ErrorDetails) -> Self:
        """Read one error of pydantic."""
        path = tuple(part for part in error["loc"] if part != "[key]")
        keys = error.get("ctx", {}).get("keys", ()) if error["type"] == "conflict" else ()
        involved = tuple((*path, key) for key in keys) or (path,)
        return cls(involved[0], describe_error(error, involved[0]), involved)


class Validation:
    """One attempt to make a `Config`: `config` is None where not even the rest could be used."""

    def __init__(self, file: dict[str, Any], environment: dict[str, Any]) -> None:
        self._file = file
        self._environment = environment
        self._mended: list[KeyPath] = []
        self.complaints: list[Complaint] = []
        self.config = self._judge()

    def is_mended(self, path: KeyPath) -> bool:
        """Whether the value at `path` is not what was written."""
        return any(path[: len(mended)] == mended for mended in self._mended)

    def _judge(self) -> Config | None:
        for _ in range(_MOST_ROUNDS):
            try:
                return SourcedConfig(self._file, self._environment)
            except ValidationError as error:
                found = [Complaint.of(details) for details in error.errors(include_url=False)]
            before = len(self._mended)
            self.complaints += [wrong for wrong in found if not any(map(self.is_mended, wrong.involved))]
            self._mended += [path for wrong in found for path in wrong.involved if self._mend(path)]
            if len(self._mended) == before:
                break
        return None

    def _mend(self, path: KeyPath) -> bool:
        """Put something right in the place of something wrong. False where that cannot be done."""
        while path and isinstance(path[-1], int):
            path = path[:-1]
        if len(path) == 0 or path in self._mended:
            return False
        field = field_at(Config, path)
        for data in (self._file, self._environment):
            section = _section_at(data, path[:-1])
            if section is not None:
                section.pop(str(path[-1]), None)
        target = _section_at(self._file, path[:-1])
        if field is not None and field.is_required():
            if target is None or not field.examples:
                return False
            target[str(path[-1])] = field.examples[0]
        elif field is None and entry_of(annotation_at(Config, path[:-1])) is not None and target is not None:
            target[str(path[-1])] = {}
        return True


def _section_at(data: Any, path: KeyPath) -> dict[str, Any] | None:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else None
