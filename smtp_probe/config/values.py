"""The kinds of value that a setting may have: durations, names, hosts, addresses.

In: what a YAML file or an environment variable says, as plain data. Out: annotated types for `settings`, which
refuse everything else with a sentence that says what is allowed. Nothing is converted by guessing: a number in
quotes is text, and `true` is no number. Reads nothing.
"""

from __future__ import annotations

import math
import re
from ipaddress import ip_address
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?", re.ASCII)
_UNIT_SECONDS = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_LONGEST_SECONDS = 366 * 86400.0
_DURATION_HELP = "expected a duration such as 250ms, 30s, 5m, 1h30m or 7d, or a number of seconds"
_DURATION_SCHEMA = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "maximum": _LONGEST_SECONDS},
        {
            "type": "string",
            "pattern": r"^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m(?!s))?([0-9]+(\.[0-9]+)?s)?([0-9]+ms)?$",
        },
    ],
}


def parse_duration(value: object) -> object:
    """Turn `1h30m`, `45s` or `250ms` into seconds; numbers pass through. Raises PydanticCustomError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) and 0 < len(value) <= 40 else None
    if match is None:
        raise PydanticCustomError("wrong_kind", _DURATION_HELP)
    return sum(float(part) * unit for part, unit in zip(match.groups(), _UNIT_SECONDS, strict=True) if part)


def format_duration(seconds: float) -> str:
    """Write a duration as a person would: `1h30m`, `5ms`. What is not whole milliseconds is written in seconds."""
    rest = round(seconds * 1000)
    if not math.isclose(rest, seconds * 1000, rel_tol=1e-9) or rest == 0:
        return f"{seconds:g}s"
    parts = []
    for unit, milliseconds in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, milliseconds)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)


def _accept_version_number(value: object) -> object:
    """Read `1.2` without quotes, which YAML takes for a number, as the text that is meant."""
    return str(value) if isinstance(value, float) else value


def _require_ip(value: str) -> str:
    try:
        ip_address(value)
    except ValueError:
        raise PydanticCustomError("not_allowed", "expected an IPv4 or IPv6 address") from None
    return value


Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Flag = Annotated[bool, Strict()]
Seconds = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(gt=0, le=_LONGEST_SECONDS, allow_inf_nan=False),
    WithJsonSchema(_DURATION_SCHEMA),
]

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_HOST_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST_END = r"(?:[0-9]*[A-Za-z_]|[0-9]+-[0-9-]*[A-Za-z0-9_])(?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"  # no number
_HOST_NAME = rf"(?:{_HOST_LABEL}\.)*{_HOST_END}\.?"
_IPV6 = r"(?:[0-9A-Fa-f.]*:){2}[0-9A-Fa-f:.]*"  # two colons at least: with one it is a name and a port
_HOST = rf"^(?:{_HOST_NAME}|{_OCTET}(?:\.{_OCTET}){{3}}|{_IPV6}|\[(?:[Ii][Pp][Vv]6:)?[0-9A-Fa-f:.]+\])$"
_MAIL_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_MAIL_DOMAIN = rf"(?:{_MAIL_LABEL}(?:\.{_MAIL_LABEL})*|\[[A-Za-z0-9.:]+\])"
_ADDR_SPEC = rf"[!-;=?A-~]{{1,64}}@{_MAIL_DOMAIN}"  # ASCII, as long as we send without SMTPUTF8
_ADDRESS = rf"^{_ADDR_SPEC}$"
_AUTHOR = rf"^(?:[^\x00-\x1f\x7f]*<{_ADDR_SPEC}>|{_ADDR_SPEC})$"
_ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
_NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"
_LABEL = r"^[a-z][a-z0-9_]{0,30}$"
_DOMAIN = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$"
_SELECTOR = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
_REPLY_CODES = r"^[45]\d{0,2}(?: [45]\d{0,2}){0,15}$"
_STATUS_PREFIX = r"^[245](?:\.\d{1,3}){0,2}$"
_HTTPS_URL = r"^https://[A-Za-z0-9._:\[\]-]+(?:/[!-~]*)?$"
_TOKEN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,30}$"  # noqa: S105 - a word of a subject, no secret
_NATS_URL = r"^(?:nats|tls)://[A-Za-z0-9._\[\]:-]+$"
_CREDENTIAL = r"^[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,127}$"


class PatternHelp(NamedTuple):
    """What a pattern allows, in words: a regular expression is no answer to an administrator."""

    noun: str
    rule: str


PATTERN_HELP = {
    _NAME: PatternHelp(
        "name",
        "a name has at most 63 letters, digits, '_', '.' and '-', and begins with a letter or a digit",
    ),
    _HOST: PatternHelp(
        "host name or address", "expected a host name or an address, without a scheme, a port or spaces"
    ),
    _ADDRESS: PatternHelp("mail address", "expected a mail address in ASCII, such as probe@example.org"),
    _AUTHOR: PatternHelp(
        "mail address with or without a name",
        "expected a mail address in ASCII, or a name with one: Mail probe <probe@example.org>",
    ),
    _ONE_LINE: PatternHelp("text", "expected one line of text without control characters"),
    _NO_CONTROL: PatternHelp("text", "expected text without control characters"),
    _LABEL: PatternHelp(
        "label", "a label has at most 31 small letters, digits and '_', and begins with a letter"
    ),
    _DOMAIN: PatternHelp(
        "domain", "expected a domain name in small letters, such as example.org, without a final dot"
    ),
    _SELECTOR: PatternHelp("DKIM selector", "expected a DKIM selector, such as 2026a"),
    _VARIABLE: PatternHelp(
        "name of a variable",
        "expected the name of an environment variable (letters, digits, '_'), not the secret itself",
    ),
    _REPLY_CODES: PatternHelp(
        "reply codes", "expected SMTP reply codes of class 4 or 5, or how they begin, such as 550 554"
    ),
    _STATUS_PREFIX: PatternHelp("status code", "expected a status code such as 5.1.1, or how it begins: 5.1"),
    _HTTPS_URL: PatternHelp(
        "https address", "expected an address that begins with https://, without a user, a password or spaces"
    ),
    _TOKEN: PatternHelp(
        "word", "expected at most 31 letters, digits, '_' and '-', beginning with a letter or a digit"
    ),
    _NATS_URL: PatternHelp(
        "nats address", "expected nats:// or tls:// with host and port, without a user or a password"
    ),
    _CREDENTIAL: PatternHelp(
        "name of a credential",
        "expected the name of a systemd credential, not a path and not the secret itself",
    ),
}

Name = Annotated[str, Field(pattern=_NAME)]
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=_HOST)]
Port = Annotated[Whole, Field(ge=1, le=65535)]
_LONGEST_LOCAL_PART = 64
_ROOM_FOR_TAG = (
    _LONGEST_LOCAL_PART - 49
)  # a plus sign and the tag, as `mail.addresses.tag_address` puts it there
NO_ROOM_FOR_TAG = (
    f"leaves room for {_ROOM_FOR_TAG} characters before the @ (RFC 5321 section 4.5.3.1.1), "
    "and none of them may be a quotation mark"
)


def fits_tag(address: str) -> bool:
    """Whether an address can take a tag into its local part."""
    local = address.rpartition("@")[0]
    return len(local) <= _ROOM_FOR_TAG and '"' not in local


Address = Annotated[str, Field(max_length=254, pattern=_ADDRESS)]
Author = Annotated[str, Field(max_length=400, pattern=_AUTHOR)]
AuthservId = Annotated[str, Field(min_length=1, max_length=255, pattern=_ONE_LINE)]
IpAddress = Annotated[str, AfterValidator(_require_ip)]
FolderName = Annotated[str, Field(min_length=1, max_length=255, pattern=_ONE_LINE)]
LabelName = Annotated[str, Field(pattern=_LABEL)]
LabelText = Annotated[str, Field(max_length=64, pattern=_NO_CONTROL)]
DomainName = Annotated[str, Field(max_length=253, pattern=_DOMAIN)]
Selector = Annotated[str, Field(pattern=_SELECTOR)]
VariableName = Annotated[str, Field(pattern=_VARIABLE)]
ReplyCodes = Annotated[str, Field(pattern=_REPLY_CODES)]
StatusPrefix = Annotated[str, Field(pattern=_STATUS_PREFIX)]
HttpsUrl = Annotated[str, Field(max_length=2000, pattern=_HTTPS_URL)]
Line = Annotated[str, Field(min_length=1, max_length=2000, pattern=_ONE_LINE)]
Token = Annotated[str, Field(pattern=_TOKEN)]
NatsUrl = Annotated[str, Field(max_length=270, pattern=_NATS_URL)]
CredentialName = Annotated[str, Field(pattern=_CREDENTIAL)]
TlsVersion = Annotated[
    Literal["1.2", "1.3"],
    BeforeValidator(_accept_version_number),
    WithJsonSchema({"enum": ["1.2", "1.3", 1.2, 1.3]}),
]
