"""The names around the cases of SPF."""

from __future__ import annotations

from typing import Any

from smtp_probe.model import DnsStatus
from tests.policy.scripted import mx

_NIBBLES = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
SENDER = "first-user@e.test"
HELO = "helo.test"

ZONE: dict[str, Any] = {
    "e.test": {"A": ("192.0.2.21",), "MX": mx("10 mx1.test")},
    "a.test": {"A": ("192.0.2.1",), "AAAA": ("2001:db8::1",)},
    "four.test": {"A": ("192.0.2.4",)},
    "six.test": {"AAAA": ("2001:db8::6",)},
    "many.test": {"A": tuple(f"192.0.2.{number}" for number in range(200, 215))},
    "alias.test": {"CNAME": ("a.test",)},
    "m.test": {"MX": mx("10 mx1.test", "20 mx2.test")},
    "mx1.test": {"A": ("192.0.2.11",)},
    "mx2.test": {"A": ("192.0.2.12",), "AAAA": ("2001:db8::12",)},
    "nullmx.test": {"MX": mx("0 .")},
    "brokenhost.test": {"MX": mx("10 broken.test")},
    "ten.test": {"MX": mx(*(f"{number} t{number}.test" for number in range(1, 11)))},
    "eleven.test": {"MX": mx(*(f"{number} t{number}.test" for number in range(1, 12)))},
    **{f"t{number}.test": {"A": (f"198.51.100.{number}",)} for number in range(1, 12)},
    "broken.test": DnsStatus.SERVER_FAILED,
    "pass.test": {"TXT": ("v=spf1 +all",)},
    "fail.test": {"TXT": ("v=spf1 -all",)},
    "soft.test": {"TXT": ("v=spf1 ~all",)},
    "neutral.test": {"TXT": ("v=spf1 ?all",)},
    "empty.test": {"TXT": ("v=spf1",)},
    "perm.test": {"TXT": ("v=spf1 foo",)},
    "two.test": {"TXT": ("v=spf1 +all", "v=spf1 -all")},
    "ip.test": {"TXT": ("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all",)},
    "five.test": {"TXT": ("v=spf1 a:a.test a:a.test a:a.test a:a.test a:a.test -all",)},
    "loop.test": {"TXT": ("v=spf1 include:loop2.test -all",)},
    "loop2.test": {"TXT": ("v=spf1 include:loop.test -all",)},
    "redirecting.test": {"TXT": ("v=spf1 redirect=pass.test",)},
    "macro.test": {"TXT": ("v=spf1 exists:%{d}.d.test -all",)},
    "macro.test.d.test": {"A": ("127.0.0.2",)},
    "text.test": {"TXT": ("%{i} is not one of %{d}'s, says %{r} about %{c}",)},
    "first-user.users.test": {"TXT": ("v=spf1 +all",)},
    "192.0.2.1.list.test": {"A": ("127.0.0.2",)},
    "%.percent.test": {"A": ("127.0.0.2",)},
    "%20.space.test": {"A": ("127.0.0.2",)},
    "first-user@e.test.s.test": {"A": ("127.0.0.2",)},
    "first-user.l.test": {"A": ("127.0.0.2",)},
    "e.test.o.test": {"A": ("127.0.0.2",)},
    "helo.test.h.test": {"A": ("127.0.0.2",)},
    "in-addr.v.test": {"A": ("127.0.0.2",)},
    "ip6.v.test": {"A": ("127.0.0.2",)},
    "1.2.0.192.in-addr.rev.test": {"A": ("127.0.0.2",)},
    f"{_NIBBLES}.ip6.rev.test": {"A": ("127.0.0.2",)},
    "a.test.p.test": {"A": ("127.0.0.2",)},
    "unknown.p.test": {"A": ("127.0.0.2",)},
    "2.0.192.r3.test": {"A": ("127.0.0.2",)},
    "2.1.i2.test": {"A": ("127.0.0.2",)},
    "first.user.dash.test": {"A": ("127.0.0.2",)},
    "first.first.test": {"A": ("127.0.0.2",)},
    "first-user.plus.test": {"A": ("127.0.0.2",)},
    "first-user%40e.test.upper.test": {"A": ("127.0.0.2",)},
    "test.d1.test": {"A": ("127.0.0.2",)},
    "1.2.0.192.in-addr.arpa": {"PTR": ("a.test",)},
    f"{_NIBBLES}.ip6.arpa": {"PTR": ("a.test",)},
    "31.2.0.192.in-addr.arpa": {"PTR": ("mail.parent.test",)},
    "mail.parent.test": {"A": ("192.0.2.31",)},
    "32.2.0.192.in-addr.arpa": {"PTR": ("liar.test",)},
    "liar.test": {"A": ("192.0.2.1",)},
    "33.2.0.192.in-addr.arpa": DnsStatus.SERVER_FAILED,
    "77.100.51.198.in-addr.arpa": {
        "PTR": (*(f"x{number}.test" for number in range(10)), "deep.e.test"),
    },
    **{f"x{number}.test": {"A": ("192.0.2.1",)} for number in range(10)},
    "deep.e.test": {"A": ("198.51.100.77",)},
}
