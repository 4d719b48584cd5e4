"""Every fault that DNS alone shows, one domain each, and the finding that it has to give."""

from __future__ import annotations

from tests.zones.domains import Domain

IDENTITY = {"egress": "{ip}", "ehlo": "mail.{domain}", "sender": "user@{domain}"}
IDENTITY6 = {"egress": "{ip6}", "ehlo": "mail.{domain}", "sender": "user@{domain}"}


def spf(name: str, record: str, *expect: str, plus: str = "", about: dict[str, str] | None = None) -> Domain:
    """A domain with this SPF record."""
    text = " ".join(f'"{record[at : at + 250]}"' for at in range(0, len(record), 250))
    return Domain(
        name=f"spf-{name}", expect=expect, without=("@ TXT",), plus=f"@ TXT {text}\n{plus}", about=about or {}
    )


_A = "a1 A 192.0.2.1\na2 A 192.0.2.2\na3 A 192.0.2.3"
_DIGEST = "ab" * 32
_TEN = " ".join(f"a:a{number % 3 + 1}.{{domain}}" for number in range(10))

FAULTS = [
    # All is well.
    Domain(name="healthy"),
    Domain(name="healthy-egress", about=IDENTITY),
    Domain(
        name="healthy-egress6",
        about={**IDENTITY6},
        without=("@ TXT",),
        plus='@ TXT "v=spf1 mx ip4:{ip} -all"',
    ),
    # MX.
    Domain(name="absent", expect=("domain_missing",), is_absent=True),
    Domain(
        name="absent-known",
        expect=("domain_missing",),
        is_absent=True,
        about={"selector": "s1", "sender": "user@absent-known.test"},
    ),
    Domain(
        name="alias-gone",
        expect=("mx_missing", "spf_missing", "dmarc_missing"),
        without=("",),
        plus="@ CNAME gone.test.",
    ),
    Domain(
        name="txt-crowd", plus='@ TXT "v=other"\n' + "\n".join(f'@ TXT "{"x" * 250} {n}"' for n in range(40))
    ),
    Domain(name="txt-octets", plus='@ TXT "\\000\\200\\255 v=spf1"'),
    Domain(name="xn--bcher-kva"),
    Domain(name="mx-none", expect=("mx_missing",), without=("@ MX", "@ TXT"), plus='@ TXT "v=spf1 -all"'),
    Domain(
        name="mx-implicit",
        expect=("mx_implicit",),
        without=("@ MX", "@ TXT"),
        plus='@ A {ip}\n@ TXT "v=spf1 a -all"',
    ),
    Domain(
        name="mx-null", expect=("mx_null",), without=("@ MX", "@ TXT"), plus='@ MX 0 .\n@ TXT "v=spf1 -all"'
    ),
    Domain(
        name="mx-null-parked",
        expect=("mx_null",),
        without=("@ MX", "@ TXT", "mx", "mail", "s1."),
        plus='@ MX 0 .\n@ TXT "v=spf1  -ALL"',
    ),
    Domain(name="dkim-none", expect=("dkim_absent",), without=("s1.",)),
    Domain(name="mx-null-more", expect=("mx_null_with_others",), plus="@ MX 0 ."),
    Domain(name="mx-address", expect=("mx_is_address",), plus="@ MX 30 192.0.2.7."),
    Domain(name="mx-alias", expect=("mx_is_alias",), plus="@ MX 30 mx3\nmx3 CNAME mx1"),
    Domain(
        name="mx-gone",
        expect=("mx_unresolvable",),
        without=("@ TXT",),
        plus='@ MX 30 gone\n@ TXT "v=spf1 ip4:{ip} -all"',
    ),
    Domain(
        name="mx-dangling",
        expect=("mx_unresolvable",),
        without=("@ TXT",),
        plus='@ MX 30 mx3\nmx3 CNAME gone\n@ TXT "v=spf1 ip4:{ip} -all"',
    ),
    Domain(
        name="mx-noaddress",
        expect=("mx_unresolvable",),
        without=("@ TXT",),
        plus='@ MX 30 mx3\nmx3 TXT "x"\n@ TXT "v=spf1 ip4:{ip} -all"',
    ),
    Domain(
        name="mx-loop",
        expect=("mx_unresolvable",),
        plus="@ MX 30 loop1\nloop1 CNAME loop2\nloop2 CNAME loop1",
    ),
    Domain(
        name="mx-chain", expect=("mx_is_alias",), plus="@ MX 30 c1\nc1 CNAME c2\nc2 CNAME c3\nc3 CNAME mx1"
    ),
    Domain(
        name="mx-crowd",
        without=("@ TXT",),
        plus='@ TXT "v=spf1 ip4:{ip} -all"\n'
        + "\n".join(f"@ MX 30 h{n}\nh{n} A 192.0.2.{n}" for n in range(1, 61)),
    ),
    Domain(name="mx-apex", without=("@ MX 20",), plus="@ MX 20 {domain}.\n@ A {other}"),
    Domain(name="mx-badname", expect=("mx_bad_name",), plus="@ MX 30 mx_3\nmx_3 A 192.0.2.3"),
    Domain(name="mx-loopback", expect=("mx_unroutable_address",), plus="@ MX 30 mx3\nmx3 A 127.0.0.9"),
    Domain(name="mx-loopback6", expect=("mx_unroutable_address",), plus="@ MX 30 mx3\nmx3 AAAA ::1"),
    Domain(name="mx-private", expect=("mx_unroutable_address",), plus="@ MX 30 mx3\nmx3 A 10.1.2.3"),
    Domain(name="mx-private6", expect=("mx_unroutable_address",), plus="@ MX 30 mx3\nmx3 AAAA fd00::1"),
    Domain(name="mx-duplicate", expect=("mx_duplicate",), plus="@ MX 30 mx1"),
    Domain(name="mx-single", expect=("mx_single",), without=("@ MX 20",)),
    Domain(
        name="mx-same",
        expect=("mx_single",),
        without=("mx2",),
        plus="mx2 A {ip}\nmx2 AAAA {ip6}",
    ),
    Domain(name="mx-families", without=("mx1 AAAA", "mx2"), plus="mx2 AAAA {ip6}"),
    Domain(name="mx-long", expect=("mx_ttl_long", "mx_ttl_long", "mx_ttl_long"), ttl=604_800),
    Domain(name="mx-short", expect=("mx_ttl_short", "mx_ttl_short", "mx_ttl_short"), ttl=30),
    # SPF.
    spf("none", "something else", "spf_missing"),
    spf("lookalike", "v=spf1;-all", "spf_missing"),
    Domain(name="spf-two", expect=("spf_multiple",), plus='@ TXT "v=spf1 -all"'),
    spf("syntax", "v=spf1 ipv4:192.0.2.1 -all", "spf_syntax"),
    spf("cidr", "v=spf1 ip4:192.0.2.0/240 -all", "spf_syntax"),
    spf("macro", "v=spf1 exists:%{y}.{domain} -all", "spf_syntax"),
    spf("joined", "v=spf1 ip4:192.0.2.1-all", "spf_syntax"),
    spf("eleven", f"v=spf1 {_TEN} mx -all", "spf_too_many_lookups", plus=_A),
    spf("ten", f"v=spf1 {_TEN} -all", "spf_lookups_nearly_spent", plus=_A),
    spf("void", "v=spf1 a:x.{domain} a:y.{domain} a:z.{domain} -all", "spf_too_many_void_lookups"),
    spf("void1", "v=spf1 a:x.{domain} -all", "spf_void_lookup"),
    spf("include", "v=spf1 include:x.{domain} -all", "spf_include_missing"),
    spf("loop", "v=spf1 include:i.{domain} -all", "spf_loop", plus='i TXT "v=spf1 include:{domain} -all"'),
    spf("self", "v=spf1 redirect={domain}", "spf_loop"),
    spf("plus", "v=spf1 mx +all", "spf_pass_all"),
    spf("wide", "v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all", "spf_wide"),
    spf("neutral", "v=spf1 mx ?all", "spf_neutral_all"),
    spf("open", "v=spf1 mx", "spf_no_all"),
    spf("after", "v=spf1 -all mx", "spf_after_all"),
    spf("redirected", "v=spf1 mx -all redirect=x.{domain}", "spf_after_all"),
    spf("ptr", "v=spf1 ptr:{domain} -all", "spf_ptr"),
    spf("long", "v=spf1 " + "ip4:192.0.2.100 " * 40 + "-all", "spf_long"),
    spf(
        "crowd",
        "v=spf1 mx:many.{domain} -all",
        "spf_many_mx",
        plus="\n".join(
            f"many MX {number} m{number}\nm{number} A 192.0.2.{number}" for number in range(1, 12)
        ),
    ),
    spf(
        "permerror",
        "v=spf1 include:%{i}.senders.{domain} -all",
        "spf_permerror",
        about=IDENTITY,
    ),
    spf("case", "V=SPF1 Mx IP4:{ip} -ALL", about=IDENTITY),
    spf("pieces", "v=spf1 " + "ip4:192.0.2.100 " * 20 + "ip4:{ip} -all", about=IDENTITY),
    spf("egress", "v=spf1 ip4:192.0.2.1 -all", "spf_egress_not_allowed", about=IDENTITY),
    spf("soft", "v=spf1 ip4:192.0.2.1 ~all", "spf_egress_not_allowed", about=IDENTITY),
    spf("egress6", "v=spf1 ip4:{ip} -all", "spf_egress_not_allowed", about=IDENTITY6),
    Domain(
        name="spf-sender",
        expect=("spf_egress_not_named",),
        plus="bounce A {ip}",
        about={**IDENTITY, "sender": "user@bounce.{domain}"},
    ),
    Domain(
        name="spf-ehlo",
        expect=("spf_ehlo_not_allowed",),
        without=("mail TXT",),
        plus='mail TXT "v=spf1 -all"',
        about=IDENTITY,
    ),
    # Identity.
    Domain(name="ptr-none", expect=("ptr_missing",), without=("{ip} PTR",), about=IDENTITY),
    Domain(name="ptr-none6", expect=("ptr_missing",), without=("{ip6} PTR",), about=IDENTITY6),
    Domain(
        name="ptr-other",
        expect=("ptr_not_ehlo",),
        without=("{ip} PTR",),
        plus="{ip} PTR other\nother A {ip}",
        about=IDENTITY,
    ),
    Domain(
        name="ptr-lie",
        expect=("ptr_unconfirmed",),
        without=("{ip} PTR",),
        plus="{ip} PTR mx2",
        about=IDENTITY,
    ),
    Domain(
        name="ptr-dangling",
        expect=("ptr_unconfirmed",),
        without=("{ip} PTR",),
        plus="{ip} PTR gone",
        about=IDENTITY,
    ),
    Domain(name="ptr-two", expect=("ptr_several",), plus="{ip} PTR mx1", about=IDENTITY),
    Domain(
        name="ptr-generic",
        expect=("ptr_generic",),
        without=("{ip} PTR",),
        plus='{ip} PTR static-{ip}.pool\nstatic-{ip}.pool A {ip}\nstatic-{ip}.pool TXT "v=spf1 a -all"',
        about={**IDENTITY, "ehlo": "static-{ip}.pool.{domain}"},
    ),
    Domain(
        name="ehlo-gone",
        expect=("ehlo_unresolvable",),
        without=("mail",),
        about=IDENTITY,
    ),
    Domain(
        name="ehlo-elsewhere",
        expect=("ehlo_not_egress",),
        without=("mail A",),
        plus="mail A 192.0.2.9",
        about={**IDENTITY},
    ),
    Domain(
        name="ehlo-four",
        expect=("ehlo_not_egress",),
        without=("mail AAAA",),
        about=IDENTITY6,
    ),
    Domain(name="ehlo-literal", expect=("ehlo_literal",), about={**IDENTITY, "ehlo": "[{ip}]"}),
    Domain(name="ehlo-short", expect=("ehlo_not_a_name",), about={**IDENTITY, "ehlo": "localhost"}),
    Domain(
        name="egress-private",
        expect=("egress_unroutable",),
        without=("@ TXT",),
        plus='mail A 10.9.9.9\n@ TXT "v=spf1 ip4:10.9.9.9 -all"',
        about={**IDENTITY, "egress": "10.9.9.9"},
    ),
    # MTA-STS, TLS reports, DANE and CAA, as far as DNS shows them.
    Domain(name="sts", plus='_mta-sts TXT "v=STSv1; id=20260101T000000;"'),
    Domain(name="sts-other", plus='_mta-sts TXT "something else"'),
    Domain(
        name="sts-two",
        expect=("mta_sts_multiple",),
        plus='_mta-sts TXT "v=STSv1; id=1;"\n_mta-sts TXT "v=STSv1; id=2;"',
    ),
    Domain(name="sts-noid", expect=("mta_sts_record",), plus='_mta-sts TXT "v=STSv1;"'),
    Domain(name="sts-badid", expect=("mta_sts_record",), plus='_mta-sts TXT "v=STSv1; id=2026-01-01;"'),
    Domain(name="sts-version", expect=("mta_sts_record",), plus='_mta-sts TXT "v=STSv11; id=1;"'),
    Domain(
        name="rpt-two",
        expect=("tls_rpt_multiple",),
        plus='_smtp._tls TXT "v=TLSRPTv1; rua=mailto:x@{domain}"',
    ),
    Domain(
        name="rpt-norua",
        expect=("tls_rpt_record",),
        without=("_smtp._tls",),
        plus='_smtp._tls TXT "v=TLSRPTv1;"',
    ),
    Domain(
        name="rpt-bad",
        expect=("tls_rpt_record",),
        without=("_smtp._tls",),
        plus='_smtp._tls TXT "v=TLSRPTv1; rua=tls@{domain}"',
    ),
    Domain(name="rpt-none", without=("_smtp._tls",)),
    Domain(
        name="tlsa", plus=f"_25._tcp.mx1 TLSA 3 1 1 {_DIGEST}\n_25._tcp.mx2 TLSA 2 0 2 {_DIGEST}{_DIGEST}"
    ),
    Domain(name="tlsa-partial", expect=("dane_partial",), plus=f"_25._tcp.mx1 TLSA 3 1 1 {_DIGEST}"),
    Domain(
        name="tlsa-pkix",
        expect=("dane_unusable",),
        plus=f"_25._tcp.mx1 TLSA 1 1 1 {_DIGEST}\n_25._tcp.mx2 TLSA 3 1 1 {_DIGEST}",
    ),
    Domain(
        name="tlsa-short",
        expect=("dane_malformed",),
        plus=f"_25._tcp.mx1 TLSA 3 1 1 abcd\n_25._tcp.mx2 TLSA 3 1 1 {_DIGEST}",
    ),
    Domain(
        name="tlsa-numbers",
        expect=("dane_malformed",),
        plus=f"_25._tcp.mx1 TLSA 3 7 1 {_DIGEST}\n_25._tcp.mx2 TLSA 3 1 1 {_DIGEST}",
    ),
    Domain(name="caa-none", without=("@ CAA",)),
    Domain(name="caa-forbid", expect=("caa_forbids_all",), without=("@ CAA",), plus='@ CAA 0 issue ";"'),
    Domain(name="caa-critical", expect=("caa_unknown_critical",), plus='@ CAA 128 isue "ca.test"'),
    Domain(name="caa-issuer", expect=("caa_issuer",), plus='@ CAA 0 issue "https://ca.test/"'),
    Domain(name="caa-iodef", expect=("caa_iodef",), plus='@ CAA 0 iodef "admin@{domain}"'),
    Domain(name="caa-host", expect=("caa_forbids_all",), plus='mx1 CAA 0 issue ";"'),
]
