"""Numbers of our own for the messages of a folder, where a server knows them by names only.

In: names, in the order in which the messages came. Out: ascending numbers, one for each name, that hold for as long as
the program runs. What has gone keeps its number for a while: a message that comes back is not a new one.
"""

from __future__ import annotations

from collections.abc import Iterable

_REMEMBERED = 10_000
"""How many that have gone are remembered."""


class MessageNumbers:
    """One folder. `next_number` is the first that has not been given out."""

    def __init__(self) -> None:
        self.next_number = 1
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._gone: dict[int, None] = {}

    def add(self, names: Iterable[str]) -> None:
        """Know these messages, from the oldest to the newest."""
        for name in names:
            number = self._numbers.get(name)
            if number is None:
                number, self.next_number = self.next_number, self.next_number + 1
                self._numbers[name], self._names[number] = number, name
            self._gone.pop(number, None)

    def drop(self, names: Iterable[str]) -> None:
        """Know that these have gone, or are elsewhere now."""
        for name in names:
            number = self._numbers.get(name)
            if number is not None:
                self._gone[number] = None
        while len(self._gone) > _REMEMBERED:
            number = next(iter(self._gone))
            del self._gone[number], self._numbers[self._names.pop(number)]

    def present(self, first: int = 1) -> list[int]:
        """The numbers of what is there, ascending, from one on."""
        return sorted(number for number in self._names if number >= first and number not in self._gone)

    def name(self, number: int) -> str | None:
        """What the server calls a message that is there."""
        return None if number in self._gone else self._names.get(number)

    def number(self, name: str) -> int | None:
        """The number of a message that is known."""
        return self._numbers.get(name)
