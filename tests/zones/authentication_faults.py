"""Every fault of DKIM, DMARC, BIMI and block lists, one domain each, and the finding that it has to give."""

from __future__ import annotations

from tests.policy.dkim.keys import fill
from tests.zones.domains import Domain

LIST_ZONES = """
2.0.0.127.bl.test. A 127.0.0.2
test.dbl.test. A 127.0.1.2
2.0.0.127.ended.test. TXT "no more"
*.wild.test. A 127.0.0.2
2.0.0.127.refusing.test. A 127.255.255.254
"""
"""Block lists, as lines of a domain."""


def dkim(name: str, record: str, *expect: str) -> Domain:
    """A domain with this key."""
    return Domain(
        name=f"dkim-{name}", expect=expect, without=("s1._domainkey",), plus=_txt("s1._domainkey", record)
    )


def dmarc(
    name: str, record: str, *expect: str, plus: str = "", about: dict[str, str] | None = None
) -> Domain:
    """A domain with this policy."""
    text = f"{_txt('_dmarc', record)}\n{plus}"
    return Domain(name=f"dmarc-{name}", expect=expect, without=("_dmarc",), plus=text, about=about or {})


def bimi(name: str, record: str, *expect: str) -> Domain:
    """A domain with this record."""
    return Domain(name=f"bimi-{name}", expect=expect, plus=_txt("default._bimi", record))


def listed(name: str, owner: str, data: str, *expect: str, **about: str) -> Domain:
    """A domain, and an entry of a block list."""
    known = {"egress": "{ip}", "ehlo": "mail.{domain}", "sender": "user@{domain}", **about}
    return Domain(name=f"bl-{name}", expect=expect, plus=f"{owner} {data}" if owner else "", about=known)


def _txt(owner: str, record: str) -> str:
    record = fill(record)
    text = " ".join(f'"{record[at : at + 250]}"' for at in range(0, len(record), 250))
    return f"{owner} TXT {text}"


_GOOD = "v=DMARC1; p=reject; rua=mailto:d@{domain}"
_LOGO = "v=BIMI1; l=https://e.test/logo.svg; a=https://e.test/mark.pem"

AUTHENTICATION_FAULTS = [
    Domain(name="all-is-well"),
    # DKIM.
    dkim("rsa", "v=DKIM1; k=rsa; p={rsa2048}"),
    Domain(
        name="dkim-dated",
        expect=("dkim_selector_old",),
        about={"selector": "mail20200131"},
        plus=_txt("mail20200131._domainkey", "v=DKIM1; k=rsa; p={rsa2048}"),
    ),
    Domain(name="dkim-missing", expect=("dkim_key_missing",), without=("s1._domainkey",)),
    Domain(
        name="dkim-two",
        expect=("dkim_key_multiple",),
        plus='s1._domainkey TXT "v=DKIM1; p="',
    ),
    Domain(
        name="dkim-alias",
        without=("s1._domainkey",),
        plus=f"s1._domainkey CNAME key\n{_txt('key', 'v=DKIM1; p={rsa2048}')}",
    ),
    dkim("other", "v=spf1 -all", "dkim_key_missing"),
    dkim("revoked", "v=DKIM1; k=rsa; p=", "dkim_key_revoked"),
    dkim("syntax", "v=DKIM1; p=%%%", "dkim_key_syntax"),
    dkim("cut", "v=DKIM1; p={rsa_cut}", "dkim_key_syntax"),
    dkim("version", "v=DKIM2; p={rsa2048}", "dkim_key_syntax"),
    dkim("twice", "v=DKIM1; p={rsa2048}; p={rsa2048}", "dkim_key_syntax"),
    dkim("type", "v=DKIM1; k=dsa; p={rsa2048}", "dkim_key_algorithm"),
    dkim("sha1", "v=DKIM1; h=sha1; p={rsa2048}", "dkim_key_algorithm"),
    dkim("service", "v=DKIM1; s=tlsrpt; p={rsa2048}", "dkim_key_service"),
    dkim("weak", "v=DKIM1; p={tiny768}", "dkim_key_weak"),
    dkim("short", "v=DKIM1; p={rsa1024}", "dkim_key_short"),
    dkim("long", "v=DKIM1; p={tiny8192}", "dkim_key_long"),
    dkim("testing", "v=DKIM1; t=y; p={rsa2048}", "dkim_key_testing"),
    # DMARC.
    dmarc("quarantine", _GOOD.replace("reject", "quarantine")),
    Domain(name="dmarc-missing", expect=("dmarc_missing",), without=("_dmarc",)),
    Domain(name="dmarc-two", expect=("dmarc_multiple",), plus='_dmarc TXT "v=DMARC1; p=none"'),
    dmarc("case", "v=dmarc1; p=reject", "dmarc_syntax"),
    dmarc("value", _GOOD.replace("reject", "block"), "dmarc_syntax"),
    dmarc("mode", _GOOD + "; adkim=strict", "dmarc_syntax"),
    dmarc("bare", "v=DMARC1; rua=mailto:d@{domain}", "dmarc_no_policy"),
    dmarc("none", _GOOD.replace("reject", "none"), "dmarc_policy_none"),
    dmarc("sp", _GOOD + "; sp=none", "dmarc_subdomain_weaker"),
    dmarc("np", _GOOD + "; np=quarantine", "dmarc_subdomain_weaker"),
    dmarc("testing", _GOOD + "; t=y", "dmarc_testing"),
    dmarc("silent", "v=DMARC1; p=reject", "dmarc_no_reports"),
    dmarc("address", _GOOD + ",d@{domain}", "dmarc_report_address"),
    dmarc("size", _GOOD + "!10m", "dmarc_report_address"),
    dmarc("external", "v=DMARC1; p=reject; rua=mailto:d@reports.test", "dmarc_report_not_authorised"),
    dmarc(
        "authorised",
        "v=DMARC1; p=reject; rua=mailto:d@reports.test",
        plus='{domain}._report._dmarc.reports.test. TXT "v=DMARC1;"',
    ),
    dmarc("pct", _GOOD + "; pct=50", "dmarc_tag_removed"),
    dmarc("unknown", _GOOD + "; policy=reject", "dmarc_tag_unknown"),
    Domain(
        name="dmarc-sender",
        expect=("dmarc_spf_not_aligned",),
        about={"sender": "user@all-is-well.test"},
    ),
    # BIMI.
    bimi("good", _LOGO),
    bimi("declined", "v=BIMI1; l=; a="),
    bimi("syntax", "v=bimi1; l=https://e.test/logo.svg", "bimi_syntax"),
    bimi("nothing", "v=BIMI1; a=https://e.test/mark.pem", "bimi_syntax"),
    bimi("http", _LOGO.replace("https://e.test/logo", "http://e.test/logo"), "bimi_location"),
    bimi("png", _LOGO.replace(".svg", ".png"), "bimi_location"),
    bimi("plain", "v=BIMI1; l=https://e.test/logo.svg", "bimi_no_certificate"),
    Domain(
        name="bimi-two",
        expect=("bimi_multiple",),
        plus=f"{_txt('default._bimi', _LOGO)}\n{_txt('default._bimi', 'v=BIMI1; l=')}",
    ),
    Domain(
        name="bimi-policy",
        expect=("bimi_policy", "dmarc_policy_none"),
        without=("_dmarc",),
        plus=f"{_txt('_dmarc', _GOOD.replace('reject', 'none'))}\n{_txt('default._bimi', _LOGO)}",
    ),
    # Block lists.
    listed("clean", "", ""),
    listed("address", "{reversed}.bl.test.", "A 127.0.0.4", "dnsbl_listed"),
    listed("address6", "{reversed6}.bl.test.", "A 127.0.0.4", "dnsbl_listed", egress="{ip6}"),
    listed("domain", "{domain}.dbl.test.", "A 127.0.1.4", "dnsbl_listed"),
    listed("ehlo", "mail.{domain}.dbl.test.", "A 127.0.1.4", "dnsbl_listed"),
]
