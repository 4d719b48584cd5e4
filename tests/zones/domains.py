"""A healthy domain as records, and the same with a change: each a domain of its own in one zone.

A domain is made of lines `NAME TYPE DATA`, in which `@` is the domain, a name without a final dot is below it, and
`{ip}` and `{ip6}` are addresses of its own. The names of the reverse zones are written as addresses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

HEALTHY = """
@ MX 10 mx1
@ MX 20 mx2
mx1 A {ip}
mx1 AAAA {ip6}
mx2 A {other}
@ TXT "v=spf1 mx ip4:{ip} -all"
mail A {ip}
mail AAAA {ip6}
mail TXT "v=spf1 a -all"
{ip} PTR mail
{ip6} PTR mail
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@{domain}"
@ CAA 0 issue "ca.test"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"
s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
"""
TTL = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One domain: the healthy one, without the lines that begin with one of `without`, and with others."""

    name: str
    expect: tuple[str, ...] = ()
    """Ids of all findings that the checks have to give, and no other."""
    without: tuple[str, ...] = ()
    plus: str = ""
    ttl: int = TTL
    about: dict[str, str] = field(default_factory=dict)
    """What the command line says: `ehlo`, `egress`, `sender`, in which `{ip}` and `{domain}` are filled in."""
    is_absent: bool = False


def fill(text: str, domain: Domain, number: int) -> str:
    """Put a domain's own addresses and name into a text."""
    high, low = divmod(number, 250)
    facts = {
        "ip": f"198.18.{high}.{low + 1}",
        "other": f"198.19.{high}.{low + 1}",
        "ip6": f"2001:db8:{number:x}::19",
        "domain": f"{domain.name}.test",
        "reversed": f"{low + 1}.{high}.18.198",
        "reversed6": ip_address(f"2001:db8:{number:x}::19").reverse_pointer.removesuffix(".ip6.arpa"),
    }
    for name, value in facts.items():
        text = text.replace("{" + name + "}", value)
    return text


def write_zone(domains: list[Domain]) -> str:
    """All domains in one zone of the root, as a master file."""
    lines = [". 3600 IN SOA ns.test. admin.test. 1 3600 600 86400 300", ". 3600 IN NS ns.test."]
    lines += ["ns.test. 3600 IN A 127.0.0.1"]
    for number, domain in enumerate(domains):
        if not domain.is_absent:
            lines += _lines(domain, number)
    return "\n".join(dict.fromkeys(lines)) + "\n"


def write_zones(domains: list[Domain]) -> dict[str, str]:
    """Each domain in a zone of its own, and the names of addresses in another, by the names of the zones: nothing above them."""
    lines = write_zone(domains).splitlines()
    zones = {"arpa.": [line for line in lines if line.split(" ")[0].endswith(".arpa.")]}
    for domain in domains:
        name = f"{domain.name}.test."
        zones[name] = [line for line in lines if f".{line.split(' ')[0]}".endswith(f".{name}")]
    head = "{0} 3600 IN SOA ns.{0} admin.{0} 1 3600 600 86400 300\n{0} 3600 IN NS ns.{0}\nns.{0} 3600 IN A 127.0.0.1\n"
    return {name: head.format(name) + "\n".join(own) + "\n" for name, own in zones.items()}


def _lines(domain: Domain, number: int) -> list[str]:
    wanted = [line for line in HEALTHY.strip().splitlines() if not line.startswith(domain.without or ("\0",))]
    lines = []
    for line in [*wanted, *domain.plus.strip().splitlines()]:
        owner, kind, data = fill(line.strip(), domain, number).split(" ", 2)
        base = f"{domain.name}.test."
        if kind in ("MX", "CNAME", "PTR", "NS"):
            *before, target = data.split(" ")
            data = " ".join([*before, target if target.endswith(".") else f"{target}.{base}"])
        lines.append(f"{_owner(owner, base)} {domain.ttl} IN {kind} {data}")
    return lines


def _owner(text: str, base: str) -> str:
    try:
        return f"{ip_address(text).reverse_pointer}."
    except ValueError:
        pass
    return base if text == "@" else text if text.endswith(".") else f"{text}.{base}"
