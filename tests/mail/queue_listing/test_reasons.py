"""One word for each reason that real servers give."""

import pytest

from smtp_probe.mail.queue_listing.reasons import categorise


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("R=dnslookup defer (-1): host lookup did not complete", "dns"),
        ("unable to look up host mx.example.net", "dns"),
        (
            "host mx.example.net[192.0.2.1] said: 450 4.7.25 Client host rejected: cannot find your hostname",
            "authentication",
        ),
        ("connect to mx2.example.test[127.77.1.5]:25: Connection refused", "network"),
        ("connect to tls.example.org[192.0.2.1]:25: Connection timed out", "network"),
        (
            "lost connection with mx.example.org[192.0.2.1] while receiving the initial server greeting",
            "network",
        ),
        ("Connection refused", "network"),
        (
            "delivery temporarily suspended: connect to mx.example.org[192.0.2.1]:25: No route to host",
            "network",
        ),
        (
            "Host or domain name not found. Name service error for name=x.test type=MX: Host not found, try again",
            "dns",
        ),
        ("Cannot start TLS: handshake failure", "tls"),
        (
            "host mx.spamhaus.org[192.0.2.1] said: 450 4.2.0 Greylisted, see http://postgrey.example",
            "greylisted",
        ),
        ("host mx[192.0.2.1] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)", "mailbox_full"),
        ("host mx[192.0.2.1] said: 452 4.2.2 user has a problem", "mailbox_full"),
        ("host gmail-smtp-in.l.google.com said: 421-4.7.28 unusual rate of unsolicited mail", "rate_limited"),
        ("host mx[192.0.2.1] said: 450 4.7.1 Client blocked by Spamhaus", "reputation"),
        (
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
            "reputation",
        ),
        ("SASL authentication failed; cannot authenticate to server smtp.example.org", "authentication"),
        ("451 4.6.0 some trouble", "content"),
        ("mail transport unavailable", "local"),
        ("451 4.3.0 Temporary lookup failure", "other"),
        ("451 please come again", "other"),
        ("", "unknown"),
        ("   ", "unknown"),
        ("x" * 100_000, "other"),
    ],
)
def test_each_reason_has_its_word(text, word):
    assert categorise(text).value == word
