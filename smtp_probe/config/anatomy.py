"""How the settings are built: which keys a section has, and what stands behind each.

In: the models of `settings` and the path of a setting. Out: its annotation, its neighbours, whether it is text.
Everything that treats settings by their shape (overrides, error texts, the reference) asks here. Reads nothing.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from smtp_probe.config.nodes import KeyPath


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a section by the key that a file uses."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def bare_type(annotation: Any) -> Any:
    """An annotation without its constraints and without None."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(part for part in get_args(annotation) if part is not NoneType)
        else:
            return annotation


def is_optional(annotation: Any) -> bool:
    """Whether None may stand there."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation)


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The model, where a section with fixed keys stands there."""
    bare = bare_type(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def entry_of(annotation: Any) -> Any | None:
    """The annotation of the entries, where a section of free names stands there."""
    bare = bare_type(annotation)
    return get_args(bare)[1] if get_origin(bare) is dict else None


def is_text(annotation: Any) -> bool:
    """Whether text stands there as it is: no number, no truth value, no list."""
    bare = bare_type(annotation)
    if get_origin(bare) is Literal:
        return True
    return isinstance(bare, type) and issubclass(bare, (str, Path, StrEnum))


def choices_of(annotation: Any) -> tuple[str, ...]:
    """The words that may stand there, where these are few."""
    bare = bare_type(annotation)
    if get_origin(bare) is Literal:
        return tuple(map(str, get_args(bare)))
    return tuple(bare) if isinstance(bare, type) and issubclass(bare, StrEnum) else ()


def annotation_at(model: type[BaseModel], path: KeyPath) -> Any | None:
    """What stands at a path below a section; None for a path that does not exist. The model itself for ()."""
    annotation: Any = model
    for part in path:
        section = section_of(annotation)
        if section is not None:
            field = keys_of(section).get(str(part))
            annotation = None if field is None else field.annotation
        elif isinstance(part, int):
            annotation = next(iter(get_args(bare_type(annotation))), None)
        else:
            annotation = entry_of(annotation)
        if annotation is None:
            return None
    return annotation


def field_at(model: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    """The field whose key ends the path; None for an entry of a list or of a section of free names."""
    section = section_of(annotation_at(model, path[:-1])) if path else None
    return None if section is None else keys_of(section).get(str(path[-1]))
