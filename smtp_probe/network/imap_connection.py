"""One IMAP connection, on aioimaplib: the only file that imports it, and the fence around it.

Duty: send one command at a time and give its whole answer; keep count of what is in the selected folder; end every
wait. In: a connected socket and commands. Out: answers, or `errors.MailboxError`. It does not know what is looked
for, when to look or when to connect again.

aioimaplib 2.0.3 brings the commands, their states and their tags. What is wrong with it for us, and where it is
repaired (the numbers are used in the tests):

1. It reads by recursion: a few hundred lines at once end it. -> `data_received` cuts answers with `imap_wire`.
2. A lost connection wakes nobody. -> `connection_lost` and `give_up` fail every waiter with the reason.
3. `idle_start` hangs when BYE comes instead of `+`. -> `idle` waits for either, within a deadline.
4. After a timeout the command stays pending and blocks all others. -> any timeout or cancellation closes.
5. EXISTS inside another command's answer is dropped. -> `_take_untagged` counts it, whoever is waiting.
6. It deletes every `* ` in a line, and takes any text that ends in `{3}` for a literal. -> answers stay whole.
7. It does not answer the challenge of a refused XOAUTH2, has no AUTHENTICATE PLAIN, and does not quote user names.
   -> `imap_login` plans each dialogue, `_take_continuation` leads it.
8. A greeting of BYE, and a tag that nobody sent, hang the caller. -> both end the connection, with the reason.
9. EXAMINE leaves it in a state without FETCH, a refused SELECT in one with it; SEARCH sends a CHARSET that servers
   refuse. -> `execute` sets the state; `search` sends none.
10. No STARTTLS, no ESEARCH, folder names unquoted, capabilities polluted, literals and answers without bound, a timer
    that each line winds up again, no close. -> here and in `imap_answers`.
11. Secrets in its debug lines, and in the `repr` of commands, which asyncio logs. -> nothing received or sent is
    logged, a login's `repr` is empty, and server texts that echo a secret are masked.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aioimaplib
from aioimaplib import aioimaplib as library

from smtp_probe.errors import MailboxError
from smtp_probe.mail.text import sanitise
from smtp_probe.model import Cause, TlsFacts
from smtp_probe.network.imap_answers import Status, parse_number, parse_status
from smtp_probe.network.imap_login import Dialogue
from smtp_probe.network.imap_wire import Answer, AnswerReader, WireError
from smtp_probe.network.tls import failed_tls_facts, tls_facts

T = TypeVar("T")

ANSWER_BYTES = 8 * 2**20
"""The most that one command's answer may hold: a hundred messages with 64 KiB of header each, and some."""
_MAXIMUM_EXISTS = 2**32 - 1
_MAXIMUM_CAPABILITIES = 300
_TAGGED = re.compile(rb"([^ ]+) (OK|NO|BAD)(?: (.*))?", re.DOTALL | re.IGNORECASE)
_CAPABILITY_WORD = re.compile(r"[!-~]{1,64}")
