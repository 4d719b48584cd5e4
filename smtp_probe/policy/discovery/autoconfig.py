"""The autoconfig format of Thunderbird and its kin: an XML file in which a domain tells its users' programs its servers.

In: the bytes of a page that may be anybody's, and the person who asks. Out: servers. Raises `AutoconfigError`. What is
not of use is passed over: other protocols, servers without TLS, ways to log in that are no password.

The parser is bounded before it begins (bytes), and while it reads (depth, elements, text). A document type is refused as
it stands, and with it every entity but the five of XML: nothing is expanded, nothing is fetched.
"""

from __future__ import annotations

import xml.parsers.expat
from dataclasses import dataclass, field

from smtp_probe.mail.hostnames import as_host_name
from smtp_probe.model import AccountProtocol, FoundServer
from smtp_probe.policy.discovery.service_records import Person

LARGEST_BYTES = 65_536
_DEEPEST = 16
_MOST_ELEMENTS = 2_000
_LONGEST_TEXT = 1_000
_MOST_SERVERS = 4

_KINDS = {
    ("outgoingServer", "smtp"): AccountProtocol.SMTP,
    ("incomingServer", "imap"): AccountProtocol.IMAP,
}
_TLS = {"SSL": True, "STARTTLS": False}
_PASSWORDS = ("", "plain", "password-cleartext", "password-encrypted")
"""Names for a password, `plain` being an old one; a server without any name takes one as well."""


class AutoconfigError(Exception):
    """A page is no autoconfig file that can be used; says why, in words of ours."""


@dataclass
class _Element:
    kind: str
    attributes: dict[str, str]
    texts: dict[str, list[str]] = field(default_factory=dict)


class _Reader:
    """Takes the parser's events; keeps the servers' elements and nothing else."""

    def __init__(self) -> None:
        self.servers: list[_Element] = []
        self._path: list[str] = []
        self._open: _Element | None = None
        self._text = ""
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise AutoconfigError("it has too many elements")
        if len(self._path) >= _DEEPEST:
            raise AutoconfigError("its elements are nested too deeply")
        if not self._path and name != "clientConfig":
            raise AutoconfigError("it is no clientConfig")
        if self._path[1:] == ["emailProvider"] and (name, attributes.get("type")) in _KINDS:
            self._open = _Element(name, attributes)
        self._path.append(name)
        self._text = ""

    def end(self, name: str) -> None:
        self._path.pop()
        if self._open is None:
            return
        if name == self._open.kind:
            self.servers.append(self._open)
            self._open = None
        else:
            self._open.texts.setdefault(name, []).append(self._text.strip())
        self._text = ""

    def take_text(self, text: str) -> None:
        self._text += text
        if len(self._text) > _LONGEST_TEXT:
            raise AutoconfigError("it has a text that is too long")


def _refuse_document_type(*_: object) -> None:
    raise AutoconfigError("it has a document type, which is refused")


def read_autoconfig(page: bytes, person: Person, source: str) -> list[FoundServer]:
    """The servers of a file, in its order."""
    if len(page) > LARGEST_BYTES:
        raise AutoconfigError("it is larger than 64 KiB")
    reader = _Reader()
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.take_text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        parser.Parse(page, True)
    except xml.parsers.expat.ExpatError as error:
        message = f"it is no XML: {xml.parsers.expat.ErrorString(error.code)} (line {error.lineno})"
        raise AutoconfigError(message) from None
    except (LookupError, ValueError):  # an encoding that nobody has
        raise AutoconfigError("its encoding is unknown") from None
    found = [_to_server(element, person, source) for element in reader.servers]
    return [server for server in found if server is not None][:_MOST_SERVERS]


def _to_server(element: _Element, person: Person, source: str) -> FoundServer | None:
    """None for one that is of no use to us."""

    def first(name: str) -> str:
        return _fill((element.texts.get(name) or [""])[0], person)

    host, port = as_host_name(first("hostname")), first("port")
    is_implicit_tls = _TLS.get(first("socketType"))
    ways = element.texts.get("authentication", [""])
    if host is None or is_implicit_tls is None or not set(ways) & set(_PASSWORDS):
        return None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65_536):
        return None
    username = first("username")
    is_fit = 0 < len(username) <= 254 and username.isprintable() and "%" not in username
    return FoundServer(
        protocol=_KINDS[element.kind, element.attributes["type"]],
        host=host,
        port=int(port),
        is_implicit_tls=is_implicit_tls,
        usernames=(username,) if is_fit else person.usernames,
        source=source,
        is_vouched=True,
    )


def _fill(text: str, person: Person) -> str:
    for name, value in (
        ("%EMAILADDRESS%", person.address),
        ("%EMAILLOCALPART%", person.local),
        ("%EMAILDOMAIN%", person.domain),
    ):
        text = text.replace(name, value)
    return text
