"""Reading how a message was handed over: protocol, TLS, authentication.

In: the clauses of a Received header. Out: the protocol as registered (RFC 3848, 6531, 8314 and the IANA registry of
mail parameters), or as it was written; the TLS version in one spelling (`TLSv1.3`); the cipher as it was written; and
whether the client had authenticated itself. What a header does not say stays None: an old OpenSSL's `TLSv1/SSLv3` is
the name of a group of ciphers, and says nothing of the version.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from smtp_probe.mail.received.clauses import Clauses

_MAX_PROTOCOL_CHARACTERS = 64

REGISTERED_PROTOCOLS = frozenset({"SMTP", "MMS"}) | {
    base + suffix for base in ("ESMTP", "LMTP", "UTF8SMTP", "UTF8LMTP") for suffix in ("", "A", "S", "SA")
}
_AUTHENTICATED_PROTOCOL = re.compile(r"(?:UTF8)?E?[SL]MTPS?A|ASMTP", re.IGNORECASE)
_AUTHENTICATED_COMMENT = re.compile(
    r"account (?!\[)|smtp-auth |AUTH: |auth=(?!no)|[Aa]uthenticated(?:$|: | (?!\[))|\S+ authenticated user "
    r"|user=\S+ mech="
)
"""A client whose reverse name is `authenticated` or `account` has its address in brackets behind it: that is not it."""

_VERSION = re.compile(r"(?:TLS\\?(?=TLS))?(TLS|SSL)[ _-]?v?(\d)(?:[._]?(\d))?", re.IGNORECASE)
"""SmarterMail writes `TLS\\Tls12`, of which a comment's quoting takes the backslash (RFC 5322 section 3.2.1)."""
_CIPHER = r"[A-Za-z0-9][A-Za-z0-9_+.-]{0,99}"
_TLS_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        # Postfix, Stalwart, Kerio: using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
        rf"(?:using )?(?P<version>\S+) with cipher (?P<cipher>{_CIPHER})",
        # Sendmail, Gmail, Exchange, Cyrus, Mimecast, SmarterMail: version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384
        rf"version=(?P<version>[^\s,]+),? cipher=(?P<cipher>{_CIPHER})",
        # Momentum, old Harakas: cipher=ECDHE-RSA-AES256-GCM-SHA384 (subject="/C=DE", or version=TLSv1.2 verify=NO)
        rf"cipher=(?P<cipher>{_CIPHER})(?: version=(?P<version>[^ ]+))?",
        # mox: TLS1.3 TLS_AES_128_GCM_SHA256
        rf"(?P<version>TLS\d\.\d) (?P<cipher>{_CIPHER})$",
        # Exim, OpenSMTPD, MDaemon: TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256
        rf"(?:Cipher )?(?P<version>(?:TLS|SSL)[\w.-]*):(?P<cipher>{_CIPHER})(?::\d+(?::[A-Z]+)?)?$",
        # Courier, McAfee: (AUTH: LOGIN user,) TLS: TLSv1.3,256bits,TLS_AES_256_GCM_SHA384
        rf"(?:AUTH: [^,]*, ?)?(?:TLS|SSL): (?P<version>[^\s,]+),\d+ ?bits,(?P<cipher>{_CIPHER})",
        # Exim from 4.93 on, which names the cipher in a clause of its own: TLS1.3; or with it: TLS 1.3, TLS_AES_256_GCM_SHA384
        rf"(?P<version>(?:TLS|SSL)[v ]?\d(?:\.\d)?)(?:, ?(?P<cipher>{_CIPHER}))?$",
        # Postini: using TLSv1
        r"[Uu]sing (?P<version>(?:TLS|SSL)v\d(?:\.\d)?)$",
        # qpsmtpd and patched qmails: ECDHE-RSA-AES256-GCM-SHA384 encrypted
        rf"(?P<cipher>{_CIPHER}) encrypted",
    )
)


_SAYS_TLS = re.compile(r"(?:[Uu]sing )?(?:TLS|SSL)$|encrypted$|Google Transport Security$")
"""Comments that tell no more: of Mimecast, Exchange, qmail, Gmail."""
_PROTOCOL_SAYS_TLS = re.compile(r"[/-](?:TLS|SSL)\b", re.IGNORECASE)


class Session(NamedTuple):
    """How a message was handed over."""

    protocol: str | None = None
    tls_version: str | None = None
    tls_cipher: str | None = None
    authenticated: bool | None = None
    says_tls: bool = False


class _Remark(NamedTuple):
    tls_version: str | None = None
    tls_cipher: str | None = None
    authenticated: bool = False


def read_session(clauses: Clauses) -> Session:
    """Read protocol, TLS and authentication from the clauses and comments of one header."""
    words = clauses.words.get("with", ())
    attributes = _read_attributes(clauses)
    written = " ".join(words) or attributes.get("P", "")
    protocol = _read_protocol(written)
    version = cipher = None
    said = attributes.get("auth") == "yes"
    for _, text in clauses.comments:
        remark = _read_remark(text)
        version, cipher = version or remark.tls_version, cipher or remark.tls_cipher
        said = said or remark.authenticated
    for text in (written, attributes.get("X", "")):
        version, cipher = version or _read_remark(text).tls_version, cipher or _read_remark(text).tls_cipher
    cipher = cipher or _read_cipher(clauses.word("tls") or "") or _read_cipher(_find_slashed_cipher(written))
    is_known = version is not None or cipher is not None
    says_tls = not is_known and _says_tls(clauses, written)
    return Session(protocol, version, cipher, _judge_authentication(protocol, said=said), says_tls)


def _says_tls(clauses: Clauses, written: str) -> bool:
    """Whether anything says that there was TLS.

    Microsoft writes `by HOST over TLS secured channel`, Mimecast `with ESMTP with STARTTLS`.
    """
    return (
        _PROTOCOL_SAYS_TLS.search(written) is not None
        or clauses.words.get("by", ())[1:3] == ("over", "TLS")
        or ("with", "STARTTLS") in clauses.repeated
        or any(_SAYS_TLS.match(text) for _, text in clauses.comments)
    )


def normalise_version(text: str) -> str | None:
    """Give a TLS version as `TLSv1.3`, `TLSv1`, `SSLv3`; None where the text names none, or more than one."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    minor = f".{match[3]}" if match[3] and match[3] != "0" else ""
    return f"{match[1].upper()}v{match[2]}{minor}"


def _read_attributes(clauses: Clauses) -> dict[str, str]:
    """Give the `key=value` words, as OpenSMTPD (`auth=yes`) and Exim in its log's style (`P=esmtps`) write them."""
    attributes: dict[str, str] = {}
    remarks = [text.split(" ") for _, text in clauses.comments if text.startswith(("P=", "X="))]
    clause_words = [words[1:] for keyword, words in clauses.words.items() if keyword != "from"]
    for words in (*clause_words, *remarks):
        for word in words:
            key, sign, value = word.partition("=")
            if sign and value:
                attributes.setdefault(key, value)
    return attributes


def _read_protocol(written: str) -> str | None:
    """Give the registered name for what was written, or what was written.

    Registered is `ESMTP` in `MailEnable ESMTP`, `RC4-SHA encrypted SMTP` and `ESMTP/TLS/AES128-GCM-SHA256`. Exim's and
    maddy's `UTF8ESMTPS` is the registered `UTF8SMTPS`, which is an extended one always (RFC 6531 section 4.3).
    """
    for part in (written.rpartition(" ")[2], written.partition("/")[0]):
        name = part.upper().replace("UTF8ESMTP", "UTF8SMTP")
        if name in REGISTERED_PROTOCOLS:
            return name
    return written[:_MAX_PROTOCOL_CHARACTERS] or None


def _find_slashed_cipher(written: str) -> str:
    """Give the cipher in Cisco's `ESMTP/TLS/TLS_AES_256_GCM_SHA384`, or nothing."""
    parts = written.split("/")
    return parts[2] if len(parts) == 3 and parts[1].upper() == "TLS" else ""


def _read_cipher(word: str) -> str | None:
    match = re.fullmatch(_CIPHER, word)
    return match[0] if match else None


@lru_cache(maxsize=256)  # the lines of one way bear the same comments, message after message
def _read_remark(text: str) -> _Remark:
    """Read what one comment, or the words behind `with`, say of TLS and authentication."""
    if text.startswith("envelope-"):
        return _Remark()
    said = _AUTHENTICATED_COMMENT.match(text) is not None
    match = _match_tls(text)
    if match is None:
        return _Remark(authenticated=said)
    parts = match.groupdict()
    return _Remark(normalise_version(parts.get("version") or ""), parts.get("cipher"), said)


def _match_tls(text: str) -> re.Match[str] | None:
    if "TLS" not in text and "SSL" not in text and "crypt" not in text and "cipher=" not in text:
        return None
    return next((match for form in _TLS_FORMS if (match := form.match(text))), None)


def _judge_authentication(protocol: str | None, *, said: bool) -> bool | None:
    if said or _AUTHENTICATED_PROTOCOL.fullmatch(protocol or ""):
        return True
    return False if protocol in REGISTERED_PROTOCOLS else None
