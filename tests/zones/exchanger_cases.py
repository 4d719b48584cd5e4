"""What exchangers and web servers do wrong, one case each, and the finding that it has to give."""

from __future__ import annotations

from tests.network.hostile_smtp import Behaviour, Deed
from tests.zones.broken_servers import POLICY, Case, page

_RECIPIENT = {"recipient": "user@mail.test"}
_RELAY = {"tests_relay": True}
_NO_RELAY = {"RCPT": b"554 5.7.1 no\r\n"}


def smtp(name: str, check: str, **answers: Behaviour) -> Case:
    """A host that answers so."""
    return Case(name=name, expect=(check,) if check else (), answers=answers)


def sts(name: str, *expect: str, body: str = POLICY, **more: str) -> Case:
    """A policy, or what is served in its place."""
    return Case(name=f"sts-{name}", expect=expect, policy=page(body, **more))


CASES = [
    Case(name="healthy"),
    Case(name="healthy-all", terms={**_RECIPIENT}, tlsa=("3 1 1 {key}", "2 0 1 {ca}"), policy=page()),
    # The dialogue.
    Case(name="nobody", expect=("exchanger_unreachable",), is_there=False),
    smtp("refusing", "exchanger_refusing", GREETING=b"554 5.7.1 go away\r\n"),
    smtp("refusing-ehlo", "exchanger_refusing", EHLO=b"550 no\r\n"),
    smtp("deferring", "exchanger_deferring", GREETING=b"421 4.3.2 later\r\n"),
    smtp("deferring-ehlo", "exchanger_deferring", EHLO=b"451 4.3.0 later\r\n"),
    smtp("silent", "exchanger_silent", GREETING=Deed.HANG),
    smtp("silent-ehlo", "exchanger_silent", EHLO=Deed.HANG),
    smtp("cutting", "exchanger_broken", GREETING=Deed.CUT),
    smtp("resetting", "exchanger_broken", GREETING=Deed.RESET),
    smtp("ssh", "exchanger_broken", GREETING=b"SSH-2.0-OpenSSH_9.2\r\n"),
    smtp("http", "exchanger_broken", GREETING=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    smtp("slow", "exchanger_slow", GREETING=(0.5, b"220 ready at last\r\n")),
    smtp("long", "", GREETING=b"220-one\r\n220-two\r\n220 three\r\n"),
    # TLS.
    Case(name="plain", expect=("exchanger_no_starttls",), certificate="", is_grave=False),
    Case(
        name="helo",
        expect=("exchanger_no_starttls",),
        certificate="",
        answers={"EHLO": b"500 what?\r\n", "HELO": b"250 hello\r\n"},
    ),
    smtp("tls-refused", "exchanger_starttls_broken", STARTTLS=b"454 4.7.0 not now\r\n"),
    smtp("tls-cut", "exchanger_starttls_broken", HANDSHAKE=Deed.CUT),
    smtp("tls-garbage", "exchanger_starttls_broken", HANDSHAKE=(0.1, b"no TLS\r\n" * 20)),
    Case(name="expired", expect=("exchanger_certificate_expired",), certificate="expired"),
    Case(name="early", expect=("exchanger_certificate_not_yet_valid",), certificate="early"),
    Case(name="soon", expect=("exchanger_certificate_expiring",), certificate="soon"),
    Case(name="other", expect=("exchanger_certificate_name",), certificate="other"),
    Case(
        name="stranger", expect=("exchanger_certificate_untrusted",), certificate="stranger", is_grave=False
    ),
    Case(name="revoked", expect=("exchanger_certificate_revoked",), certificate="revoked"),
    # Recipients.
    Case(
        name="unknown",
        expect=("exchanger_recipient_refused",),
        terms=_RECIPIENT,
        answers={"RCPT": b"550 5.1.1 who?\r\n"},
    ),
    Case(
        name="unwanted",
        expect=("exchanger_recipient_refused",),
        terms=_RECIPIENT,
        answers={"MAIL": b"553 5.7.1 not from you\r\n"},
    ),
    Case(
        name="greylisting",
        expect=("exchanger_recipient_deferred",),
        terms=_RECIPIENT,
        answers={"RCPT": b"451 4.7.1 in five minutes\r\n"},
    ),
    Case(
        name="cutting-rcpt",
        expect=("exchanger_broken",),
        terms=_RECIPIENT,
        answers={"RCPT": Deed.CUT},
    ),
    # The second host, which is the same for all, relays as well.
    Case(name="relay", expect=("exchanger_open_relay", "exchanger_open_relay"), terms=_RELAY),
    Case(name="no-relay", expect=("exchanger_open_relay",), terms=_RELAY, answers=_NO_RELAY),
    Case(
        name="telling",
        expect=("exchanger_vrfy", "exchanger_open_relay"),
        terms=_RELAY,
        answers={**_NO_RELAY, "VRFY": b"250 Post Master <postmaster@mail.test>\r\n"},
    ),
    # DANE.
    Case(name="dane", tlsa=("3 1 1 {key}", "3 1 1 {none}")),
    Case(name="dane-rollover", expect=("dane_rollover",), tlsa=("3 1 1 {key}",)),
    Case(name="dane-mismatch", expect=("dane_mismatch",), tlsa=("3 1 1 {none}",)),
    Case(name="dane-plain", expect=("dane_no_starttls",), tlsa=("3 1 1 {none}",), certificate=""),
    Case(name="dane-ta", tlsa=("2 0 1 {ca}",)),
    Case(name="dane-ta-other", expect=("dane_certificate",), tlsa=("2 0 1 {ca}",), certificate="other"),
    Case(name="dane-ta-expired", expect=("dane_certificate",), tlsa=("2 0 1 {ca}",), certificate="expired"),
    Case(name="dane-ee-expired", tlsa=("3 1 1 {key}", "3 1 1 {none}"), certificate="expired"),
    Case(name="dane-ee-stranger", tlsa=("3 1 1 {key}", "3 1 1 {none}"), certificate="stranger"),
    # MTA-STS.
    sts("enforced"),
    sts("lf", body=POLICY.replace("\r\n", "\n")),
    Case(name="sts-nohost", expect=("mta_sts_no_host",), policy=page(), policy_address=None),
    Case(name="sts-nobody", expect=("mta_sts_unreachable",), policy=page(), policy_address="127.81.255.9"),
    Case(name="sts-ssh", expect=("mta_sts_unreachable",), policy=b"SSH-2.0-OpenSSH_9.2\r\n"),
    Case(name="sts-cut", expect=("mta_sts_unreachable",), policy=b""),
    *(
        Case(name=f"sts-{kind}", expect=("mta_sts_certificate",), policy=page(), policy_certificate=kind)
        for kind in ("expired", "early", "other", "stranger", "revoked")
    ),
    sts("missing", "mta_sts_status", status="404 Not Found"),
    sts("moved", "mta_sts_status", status="301 Moved Permanently\r\nLocation: https://mta-sts.sts-lf.test/"),
    sts("failing", "mta_sts_status", status="500 Internal Server Error"),
    sts("large", "mta_sts_too_large", body=POLICY + "x-filler: y\r\n" * 6_000),
    sts("empty", "mta_sts_policy", body=""),
    sts("page", "mta_sts_policy", body="<html>a page</html>"),
    sts("version", "mta_sts_policy", body=POLICY.replace("STSv1", "STSv2")),
    sts("mode", "mta_sts_policy", body=POLICY.replace("enforce", "on")),
    sts("ageless", "mta_sts_policy", body=POLICY.replace("max_age", "age")),
    sts("old", "mta_sts_policy", body=POLICY.replace("604800", "31557601")),
    sts("latin", "mta_sts_policy", body=POLICY + "x: \xe9\r\n"),
    sts("no-mx", "mta_sts_policy", body=POLICY.replace("mx:", "x:")),
    sts("html", "mta_sts_content_type", kind="text/html"),
    sts("charset", kind="text/plain; charset=utf-8"),
    sts("testing", "mta_sts_not_enforced", body=POLICY.replace("enforce", "testing")),
    sts("none", "mta_sts_not_enforced", body=POLICY.replace("enforce", "none")),
    sts("short", "mta_sts_short", body=POLICY.replace("604800", "3600")),
    sts("left-out", "mta_sts_mx_not_named", body=POLICY.replace("*.{domain}", "mx1.{domain}")),
    sts("both-named", body=POLICY.replace("*.{domain}", "mx1.{domain}\r\nmx: MX2.{domain}")),
    Case(name="sts-plain", expect=("exchanger_no_starttls",), policy=page(), certificate="", is_grave=True),
    Case(
        name="sts-distrusted",
        expect=("exchanger_certificate_untrusted",),
        policy=page(),
        certificate="stranger",
        is_grave=True,
    ),
]
