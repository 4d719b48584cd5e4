"""A content filter behind a queue, as virus scanners are: takes a message, takes its time, and hands the message back."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session


class _Scanner:
    def __init__(self, seconds: float, back: tuple[str, int]) -> None:
        self._seconds = seconds
        self._back = back

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self._seconds)
        await asyncio.to_thread(self._hand_back, envelope)
        return "250 2.0.0 clean"

    def _hand_back(self, envelope: Envelope) -> None:
        assert isinstance(envelope.content, bytes)
        with smtplib.SMTP(*self._back, local_hostname="localhost", timeout=20) as server:
            server.sendmail(envelope.mail_from or "", envelope.rcpt_tos, envelope.content)


@contextmanager
def scanning_filter(seconds: float, port: int, back: tuple[str, int]) -> Iterator[None]:
    """A filter at work on this port of the loopback, in a thread of its own."""
    controller = Controller(_Scanner(seconds, back), hostname="127.0.0.1", port=port, decode_data=False)
    controller.start()
    try:
        yield
    finally:
        controller.stop()
