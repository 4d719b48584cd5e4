"""Names and addresses of hosts, as mail headers write them.

In: a name from a header, in whatever spelling. Out: an address in its canonical spelling, or a short name that is
fit to be a metric label: few characters, bounded length, and one name for each large provider, whose hosts change
with every message. Looks nothing up.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

MAX_LABEL_CHARACTERS = 64
_MAX_ADDRESS_CHARACTERS = 64
_MAX_NAME_CHARACTERS = 255
"""RFC 1035 section 2.3.4."""

_PROVIDERS = {
    suffix: provider
    for provider, suffixes in {
        "google.com": "google.com gmail.com googlemail.com googlegroups.com 1e100.net",
        "outlook.com": "outlook.com office365.com exchangelabs.com hotmail.com onmicrosoft.com live.com",
        "amazonses.com": "amazonses.com",
        "yahoo.com": "yahoo.com yahoodns.net aol.com",
        "sendgrid.net": "sendgrid.net sendgrid.com",
        "mailgun.org": "mailgun.org mailgun.net mailgun.com mailgun.us postgun.com",
        "zoho.com": "zoho.com zoho.eu zoho.in zohomail.com zohomail.eu zohocorp.com",
        "icloud.com": "icloud.com me.com mac.com",
        "mimecast.com": "mimecast.com mimecast.co.za",
        "pphosted.com": "pphosted.com ppops.net ppe-hosted.com",
        "barracudanetworks.com": "barracudanetworks.com barracuda.com cudaops.com",
        "messagelabs.com": "messagelabs.com",
        "iphmx.com": "iphmx.com",
        "messagingengine.com": "messagingengine.com fastmail.com",
        "mailchimp.com": "mandrillapp.com mcsv.net rsgsv.net mcdlv.net mailchimpapp.net",
        "postmarkapp.com": "postmarkapp.com mtasv.net",
        "sparkpostmail.com": "sparkpostmail.com sparkpost.com",
        "mailjet.com": "mailjet.com",
        "brevo.com": "brevo.com sendinblue.com sender-sib.com",
        "gmx.net": "gmx.net gmx.com web.de kundenserver.de",
        "yandex.net": "yandex.net yandex.ru yandex.com",
        "mail.ru": "mail.ru",
        "proton.me": "proton.me proton.ch protonmail.ch",
        "qq.com": "qq.com",
        "163.com": "163.com 126.com",
    }.items()
    for suffix in suffixes.split()
}
# Hosts of providers that bear no name of the provider's own, or a name that customers' hosts have as well. All of
# them have a hyphen.
_PROVIDER_HOSTS = (
    (re.compile(r"(?:inbound|email)-smtp(?:-fips)?(?:\.[a-z0-9-]+)*\.amazonaws\.com"), "amazonses.com"),
    (re.compile(r"geopod-ismtpd-[a-z0-9-]+"), "sendgrid.net"),
    (re.compile(r"(?:filterdrecv-[a-z0-9]+|recvd)-[0-9a-f]+-[a-z0-9]{5}"), "sendgrid.net"),
    (re.compile(r"hermes-[a-z0-9-]*production-[a-z0-9-]+"), "yahoo.com"),
)
_HOST_NAME = re.compile(
    r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?){0,126}"
)
_PLAIN_LABEL = re.compile(
    r"(?=.{1,64}\Z)[a-z0-9]++(?:-++[a-z0-9]++)*(?:\.[a-z0-9]++(?:-++[a-z0-9]++)*)*(?<=[a-z])"
)
"""What is a label as it stands, as most names are."""
_FOREIGN = re.compile(r"[^a-z0-9.-]+")
_REPEATED = re.compile(r"-*+\.[.-]*+")
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}(?!\d)", re.ASCII)
_PORT = re.compile(r"[:.]\d{1,5}", re.ASCII)


def normalise_by(name: str | None) -> str:
    """Make a label value of the name of a receiving host.

    At most 64 characters of `[a-z0-9.-]`. `address` stands for any address, `unknown` for what has no name in it.
    A name that is too long keeps its end, which says whose host it is.
    """
    return _make_label((name or "")[-_MAX_NAME_CHARACTERS:])


@lru_cache(maxsize=1024)  # every message of a route bears the same names, or nearly so
def _make_label(name: str) -> str:
    lowered = name.strip().strip("<>\"'").lower()
    if _PLAIN_LABEL.fullmatch(lowered):
        return find_provider(lowered) or lowered
    if read_address(lowered) is not None:
        return "address"
    host = _REPEATED.sub(".", _FOREIGN.sub("-", lowered)).strip(".-")
    label = find_provider(host) or host[-MAX_LABEL_CHARACTERS:].strip(".-")
    if read_address(label) is not None:
        return "address"
    return label or "unknown"


def as_host_name(text: str | None) -> str | None:
    """Give a name in lower case without its final dot, if it can be that of a host (RFC 1123); else None.

    An underscore is let pass, as resolvers do. A name given as an address literal is none.
    """
    name = (text or "").rstrip(".").lower()
    is_name = len(name) <= _MAX_NAME_CHARACTERS and _HOST_NAME.fullmatch(name) is not None
    return name if is_name and read_address(name) is None else None


def find_provider(host: str) -> str | None:
    """Give the one name of the large provider whose host this is. The name is to be in lower case."""
    suffix = host
    while suffix:
        if suffix in _PROVIDERS:
            return _PROVIDERS[suffix]
        suffix = suffix.partition(".")[2]
    if "-" not in host:
        return None
    return next((provider for pattern, provider in _PROVIDER_HOSTS if pattern.fullmatch(host)), None)


def read_address(text: str) -> str | None:
    """Give the IPv4 or IPv6 address that the text is, in canonical spelling; None where it is none.

    Accepted are brackets, also with blanks in them, the tag `IPv6:` (RFC 5321 section 4.1.3), a port behind the
    address, a zone index, which is left out, and IPv4 in its IPv6 spelling, which becomes IPv4.
    """
    is_like_one = ":" in text or text[-1:] == "]" or text[-1:].isdecimal()
    if not is_like_one or len(text) > _MAX_ADDRESS_CHARACTERS:
        return None
    inner, closed, port = text.removeprefix("[").partition("]")
    inner = inner.strip() if closed else inner
    if closed != ("]" if text.startswith("[") else "") or (port and not _PORT.fullmatch(port)):
        return None
    if inner[:5].lower() == "ipv6:":
        inner = inner[5:]
    match = _IPV4.match(inner)
    if match is not None and (match.end() == len(inner) or _PORT.fullmatch(inner, match.end())):
        return match[0]
    return _read_ipv6(inner) if ":" in inner else None


@lru_cache(maxsize=512)  # the mails of one route bear the same addresses every time, and this is slow
def _read_ipv6(text: str) -> str | None:
    try:
        # The zone index behind a percent sign means something only on the host that wrote it (RFC 4007).
        address = IPv6Address(text.partition("%")[0])
    except AddressValueError:
        return None
    mapped: IPv4Address | None = address.ipv4_mapped
    return str(mapped or address)
