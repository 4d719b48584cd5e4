"""What happens to mail in the lab is what its README says."""

import re
import socket
import ssl

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.reversename
import pytest

from .client import look, mailbox, send, trust, wait_for_bounce, wait_for_mail, write
from .lab import MailLab

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("implicit_tls", [False, True])
def test_a_mail_takes_the_whole_path(lab: MailLab, implicit_tls: bool) -> None:
    """Four servers have stamped it, it is signed, and the signature was verified."""
    sent = send(lab, write("probe2+tag@example.test"), implicit_tls=implicit_tls)
    (mail,) = wait_for_mail(lab, "probe2", sent)
    received = [re.findall(r"\sby (\S+)", header)[0] for header in mail.get_all("Received", [])]
    assert received == [f"{host}.example.test" for host in ("imap", "mx1", "relay", "submit")]
    assert "d=example.test" in mail["DKIM-Signature"]
    assert "dkim=pass" in mail["Authentication-Results"]


def test_imap_speaks_starttls(lab: MailLab) -> None:
    """The other IMAP port leads to the same mailbox."""
    with mailbox(lab, "probe3", starttls=True) as box:
        assert box.select("Junk")[0] == "OK"


def test_idle_is_told_of_new_mail_at_once(lab: MailLab) -> None:
    """Dovecot waits half a second on purpose; without inotify it would be half a minute."""
    with mailbox(lab, "probe3") as box:
        box.select("INBOX")
        box.send(b"i1 IDLE\r\n")
        assert box.readline().startswith(b"+")
        box.socket().settimeout(5)
        send(lab, write("probe3@example.test"))
        assert box.readline().endswith(b" EXISTS\r\n")
        box.socket().settimeout(None)
        box.send(b"DONE\r\n")
        while not box.readline().startswith(b"i1 "):
            pass


@pytest.mark.parametrize(
    ("recipient", "subject"),
    [("spam@example.test", "plain"), ("probe2@example.test", "a [spam-test] of ours")],
)
def test_spam_is_filed_in_junk(lab: MailLab, recipient: str, subject: str) -> None:
    """By the recipient, or by the flag that the MX sets."""
    sent = send(lab, write(recipient, subject))
    user = recipient.partition("@")[0]
    wait_for_mail(lab, user, sent, "Junk")
    with mailbox(lab, user) as box:
        assert look(box, "INBOX", ("HEADER", "Message-ID", sent)) == []


@pytest.mark.parametrize(("recipient", "dsn"), [("nobody", "5.1.1"), ("full", "5.2.2")])
def test_a_bounce_comes_back(lab: MailLab, recipient: str, dsn: str) -> None:
    """An unknown user is refused at the MX, a full mailbox by LMTP."""
    sent = send(lab, write(f"{recipient}@example.test"))
    report = wait_for_bounce(lab, "probe1", sent)
    assert report.get_content_type() == "multipart/report"
    status = [part for part in report.walk() if part.get_content_type() == "message/delivery-status"]
    assert dsn in status[0].as_string()


def test_dup_alias_and_blackhole(lab: MailLab) -> None:
    """Two copies; another's mailbox; nowhere."""
    dup, alias, gone = (send(lab, write(f"{who}@example.test")) for who in ("dup", "alias", "blackhole"))
    assert len(wait_for_mail(lab, "probe1", dup, count=2)) == 2
    wait_for_mail(lab, "probe2", alias)
    journey = lab.mail_log().wait_for(
        gone, lambda it: it.hops and it.hops[-1].instance == "mx" and it.hop("mx").sent_at_ns
    )
    assert "silently" in journey.hop("mx").deliveries[0].reply
    assert journey.stored == []


@pytest.mark.parametrize("seconds", [0.4, 1.2])
def test_the_delay_can_be_set(lab: MailLab, seconds: float) -> None:
    """The relay holds the mail as long as it is told."""
    lab.set_delay(seconds)
    sent = send(lab, write("delayed@example.test"))
    wait_for_mail(lab, "probe1", sent)
    journey = lab.mail_log().wait_for(sent, lambda it: it.hops[1:] and it.hop("relay").sent_at_ns)
    relay = journey.hop("relay")
    assert relay.sent_at_ns is not None
    assert relay.queued_at_ns is not None
    assert seconds <= (relay.sent_at_ns - relay.queued_at_ns) / 1e9 < seconds + 2


def test_slow_recipient(lab: MailLab) -> None:
    """The MX lets the relay wait for its answer to RCPT."""
    lab.set_number("slowrcpt_seconds", 0.5)
    sent = send(lab, write("slowrcpt@example.test"))
    wait_for_mail(lab, "probe1", sent)
    journey = lab.mail_log().journey(sent)
    assert journey.hop("mx").opened_at_ns - (journey.hop("relay").queued_at_ns or 0) >= 0.5e9


@pytest.mark.parametrize("recipient", ["greylisted", "greyattempts", "postgrey+once"])
def test_greylisted_mail_arrives_late(lab: MailLab, recipient: str) -> None:
    """It is deferred first, and comes with a later try."""
    lab.set_number("grey_seconds", 1)
    sent = send(lab, write(f"{recipient}@example.test"))
    wait_for_mail(lab, "probe1", sent)
    journey = lab.mail_log().wait_for(sent, lambda it: it.hops[1:] and it.hop("relay").removed_at_ns)
    *before, last = (each.status for each in journey.hop("relay").deliveries)
    assert (set(before), last) == ({"deferred"}, "sent")


def test_tempfail_is_deferred_again_and_again(lab: MailLab) -> None:
    """It stays in the relay's queue."""
    sent = send(lab, write("tempfail@example.test"))
    journey = lab.mail_log().wait_for(
        sent, lambda it: len(it.hops) == 2 and len(it.hop("relay").deliveries) == 2
    )
    assert {each.status for each in journey.hop("relay").deliveries} == {"deferred"}
    assert journey.hop("relay").removed_at_ns is None


def test_the_log_tells_each_instant(lab: MailLab) -> None:
    """The stamps are in the order of the path, and a queue id leads to the same journey."""
    sent = send(lab, write("probe2@example.test"))
    log = lab.mail_log()
    journey = log.wait_for(sent, lambda it: it.stored and it.hops[-1].removed_at_ns)
    assert [hop.instance for hop in journey.hops] == ["submit", "relay", "mx"]
    assert [hop.deliveries[0].next_queue_id for hop in journey.hops[:2]] == [
        hop.queue_id for hop in journey.hops[1:]
    ]
    for hop in journey.hops:
        stamps = [hop.opened_at_ns, hop.queued_at_ns, hop.sent_at_ns, hop.removed_at_ns]
        assert stamps == sorted(filter(None, stamps))
    opened, sent_on = (
        [getattr(hop, name) for hop in journey.hops] for name in ("opened_at_ns", "sent_at_ns")
    )
    assert opened == sorted(opened)
    assert sent_on == sorted(sent_on)
    (copy,) = journey.stored
    assert (copy.user, copy.mailbox) == ("probe2", "INBOX")
    assert copy.lmtp_id in journey.hop("mx").deliveries[0].reply
    assert log.wait_for(journey.hops[1].queue_id, lambda it: it.stored) == journey


@pytest.mark.parametrize("kind", ["expired", "wrong_name", "untrusted", "soon"])
def test_a_server_can_present_a_bad_certificate(lab: MailLab, kind: str) -> None:
    """The client refuses what is wrong with it; the one that ends soon is still good."""
    lab.use_certificate("dovecot", kind)
    try:
        with socket.create_connection((lab.imap.host, lab.imap.tls_port)) as plain:
            why = None
            try:
                trust(lab).wrap_socket(plain, server_hostname=lab.imap.server_name).close()
            except ssl.SSLCertVerificationError as error:
                why = error.verify_message
    finally:
        lab.use_certificate("dovecot", "good")
    expected = {
        "expired": "expired",
        "wrong_name": "Hostname mismatch",
        "untrusted": "self-signed certificate",
    }
    assert (why is None) if kind == "soon" else (why is not None and expected[kind] in why)


def _ask(lab: MailLab, name: str, kind: str) -> dns.message.Message:
    return dns.query.udp(dns.message.make_query(name, kind), lab.dns.host, port=lab.dns.port, timeout=2)


def test_names_and_addresses_agree(lab: MailLab) -> None:
    """Forward and reverse zones name each other."""
    for host in ("submit", "relay", "mx1", "mx2", "imap", "mta-sts"):
        name = f"{host}.example.test."
        address = _ask(lab, name, "A").answer[0][0].to_text()
        assert address == lab.layout.address(host)
        assert (
            _ask(lab, dns.reversename.from_address(address).to_text(), "PTR").answer[0][0].to_text() == name
        )


def test_every_zone_is_served_and_nothing_else_exists(lab: MailLab) -> None:
    """No query leaves the machine: what is not in a zone is an authoritative no."""
    zones = [path.name.removesuffix(".zone") for path in lab.layout.path("dns").glob("*.zone")]
    assert len(zones) > 10
    for zone in zones:
        assert _ask(lab, "." if zone == "root" else zone, "SOA").answer
    assert _ask(lab, "example.org", "MX").rcode() == dns.rcode.NXDOMAIN
