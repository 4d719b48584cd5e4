"""What delivered probes show of a domain's mail, as its checks are given it."""

from __future__ import annotations

from smtp_probe.model import DomainUnderCheck, SeenMail
from smtp_probe.probes.seen_mail import SeenByDomain

SUBJECT = DomainUnderCheck(domain="e.test")


def _seen(number: int = 1, *selectors: str) -> SeenMail:
    return SeenMail(
        address=f"192.0.2.{number}",
        ehlo_name=f"out{number}.e.test",
        sender="probe@e.test",
        selectors=selectors,
    )


def test_several_egress_hosts_are_all_seen_each_with_its_name() -> None:
    seen = SeenByDomain()
    assert seen.note("daily", "e.test", _seen(1))
    assert seen.note("daily", "e.test", _seen(2))
    assert not seen.note("daily", "e.test", _seen(1))
    found = seen.complete(SUBJECT)
    assert found.egress == ("192.0.2.1", "192.0.2.2")
    assert found.ehlo_of("192.0.2.2") == "out2.e.test"
    assert found.ehlo_names == ("out1.e.test", "out2.e.test")
    assert found.sender == "probe@e.test"


def test_what_is_configured_counts_more() -> None:
    seen = SeenByDomain()
    seen.note("daily", "e.test", _seen(1, "s2"))
    subject = DomainUnderCheck(
        domain="e.test",
        egress=("198.51.100.1",),
        ehlo_name="mail.e.test",
        sender="a@e.test",
        selectors=("s1",),
    )
    found = seen.complete(subject)
    assert found.egress == ("198.51.100.1", "192.0.2.1")
    assert found.ehlo_of("192.0.2.1") == "mail.e.test"
    assert (found.sender, found.selectors) == ("a@e.test", ("s1", "s2"))


def test_a_selector_that_is_used_no_more_is_soon_forgotten() -> None:
    seen = SeenByDomain()
    seen.note("daily", "e.test", _seen(1, "old"))
    for _ in range(6):
        seen.note("daily", "e.test", _seen(1, "new"))
    assert seen.complete(SUBJECT).selectors == ("new",)


def test_a_domain_that_is_gone_is_forgotten() -> None:
    seen = SeenByDomain()
    seen.note("daily", "e.test", _seen())
    seen.keep(())
    assert seen.complete(SUBJECT) == SUBJECT
