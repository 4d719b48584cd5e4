"""What all sections of the settings have in common: frozen, no unknown key, and one form for contradictions.

In: nothing but the models that build on it. Out: the base of every section. Reads nothing.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from smtp_probe.config.values import format_duration


def conflict(reason: str, *keys: str) -> PydanticCustomError:
    """An error between settings of one section.

    `keys` are those that take part, the one to change first; an empty one stands for the section itself.
    """
    return PydanticCustomError("conflict", "{reason}", {"reason": reason, "keys": keys})


class Settings(BaseModel):
    """The common rule of all sections: frozen, no unknown key, and no value in an exception's text."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True, validate_default=False
    )

    def _require_order(self, smaller: str, greater: str) -> None:
        if getattr(self, smaller) > getattr(self, greater):
            values = [format_duration(getattr(self, name)) for name in (smaller, greater)]
            reason = f"{smaller} ({values[0]}) must not be longer than {greater} ({values[1]})"
            raise conflict(reason, greater, smaller)
