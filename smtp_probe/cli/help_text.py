"""How help texts show options: a flag takes no value, so that none is shown beside it; and no name of a type of Python.

In: the program of `cli`. Out: the same program, whose commands show themselves so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

if TYPE_CHECKING:
    import typer


class Command(TyperCommand):
    """One command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give arguments and options, also the one for help."""
        return _without_values_of_flags(super().get_params(ctx))


class Group(TyperGroup):
    """The program itself, with its own options."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give its options, also the one for help."""
        return _without_values_of_flags(super().get_params(ctx))


def show_flags_without_values(app: typer.Typer) -> None:
    """Have each command that has been added show itself so."""
    for each in app.registered_commands:
        each.cls = Command


def _without_values_of_flags(parameters: list[Any]) -> list[Any]:
    for each in parameters:
        if isinstance(each, TyperArgument):
            each.display_type_rich = _no_type  # type: ignore[method-assign]
        elif getattr(each, "is_flag", False) and each.metavar is None:
            each.metavar = ""
    return parameters


def _no_type(ctx: object) -> None:
    """An argument is told by its name: FILE, and not FILE <list[Path]>."""
