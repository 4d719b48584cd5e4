"""The shape that a transaction asks for is the one that the library's adapter has."""

from __future__ import annotations

import pytest

from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.smtp_dialogue import Dialogue
from smtp_probe.network.submission import SmtpDialogue


async def test_a_dialogue_that_was_never_opened_refuses_every_step() -> None:
    dialogue: Dialogue = SmtpDialogue("probe.test", ReferenceClock())
    assert not dialogue.is_open
    assert not dialogue.extensions
    assert not dialogue.mechanisms
    for step in (dialogue.read_greeting, dialogue.say_hello):
        with pytest.raises(ConnectionError):
            await step()
    with pytest.raises(ConnectionError):
        await dialogue.command(b"NOOP")
    with pytest.raises(ConnectionError):
        await dialogue.send_message(b".\r\n")
    dialogue.abort()


async def test_a_word_with_a_line_end_in_it_is_never_sent() -> None:
    dialogue = SmtpDialogue("probe.test", ReferenceClock())
    with pytest.raises((ValueError, ConnectionError)):
        await dialogue.command(b"MAIL", b"FROM:<a@b.test>\r\nDATA")
