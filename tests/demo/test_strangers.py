from __future__ import annotations

import re
from email import message_from_bytes

from smtp_probe.demo.strangers import forge_token, forged_letter, ordinary_letter
from tests.demo.plain_clients import TOKEN

NOW_NS = 1_795_460_404 * 10**9


def test_a_forged_token_differs_in_its_signature_only() -> None:
    forged = forge_token(b"Subject: x\r\nMessage-ID: <" + TOKEN.encode() + b"@example.test>\r\n\r\n")
    assert re.fullmatch(r"spt1-[a-z2-7]{48}", forged)
    assert forged[:-20] == TOKEN[:-20]
    assert forged != TOKEN


def test_a_token_is_invented_where_there_is_none() -> None:
    assert re.fullmatch(r"spt1-[a-z2-7]{48}", forge_token(b"Subject: nothing\r\n\r\n"))


def test_a_forgery_claims_to_be_ours_wherever_we_look() -> None:
    message = message_from_bytes(forged_letter(TOKEN, "forged@example.test", NOW_NS).content)
    assert TOKEN in message["Message-ID"]
    assert TOKEN in message["Subject"]
    assert TOKEN in message.get_payload()


def test_ordinary_mail_has_nothing_of_ours() -> None:
    letter = ordinary_letter(7, "forged@example.test", NOW_NS)
    message = message_from_bytes(letter.content)
    assert message["To"] == letter.recipient == "forged@example.test"
    assert message["Date"] == "Mon, 23 Nov 2026 19:00:04 +0000"
    assert b"spt1" not in letter.content
