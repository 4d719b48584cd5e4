"""Numbers for names: ascending, kept, and not kept for ever."""

from __future__ import annotations

from smtp_probe.network import message_numbers
from smtp_probe.network.message_numbers import MessageNumbers


def test_names_keep_their_numbers_when_they_go_and_come_back():
    numbers = MessageNumbers()
    numbers.add("ab")
    numbers.drop("ax")
    numbers.add("c")
    assert (numbers.present(), numbers.name(1), numbers.number("a")) == ([2, 3], None, 1)
    numbers.add("a")
    assert (numbers.present(2), numbers.present(), numbers.next_number) == ([2, 3], [1, 2, 3], 4)


def test_what_has_long_gone_is_forgotten(monkeypatch):
    monkeypatch.setattr(message_numbers, "_REMEMBERED", 2)
    numbers = MessageNumbers()
    numbers.add("abcd")
    numbers.drop("abcd")
    assert [numbers.number(name) for name in "abcd"] == [None, None, 3, 4]
    numbers.add("a")
    assert numbers.present() == [5]
