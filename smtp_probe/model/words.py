"""The bounded words of labels, said as people say them: the one place that knows how.

In: a member of one of the enumerations, or a cause as text. Out: words for a sentence, without an underscore. Labels, and the
fields of JSON and logs, keep the value itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from smtp_probe.model.arrival import Stamp
from smtp_probe.model.credential import TokenResult
from smtp_probe.model.failure import Cause

_CAUSES: Mapping[StrEnum, str] = {
    Cause.RESOLVER_FAILED: "our resolver did not answer",
    Cause.CONNECT_REFUSED: "connection refused",
    Cause.CONNECT_TIMEOUT: "no connection in time",
    Cause.NO_ROUTE: "this machine has no route to it",
    Cause.LOCAL_ADDRESS: "our own source address cannot be used",
    Cause.TLS_FAILED: "TLS failed",
    Cause.STARTTLS_NOT_OFFERED: "STARTTLS is not offered",
    Cause.AUTH_NOT_OFFERED: "our way of authentication is not offered",
    Cause.REPLY_PERMANENT: "refused",
    Cause.REPLY_TEMPORARY: "refused for now",
    Cause.PROTOCOL_ERROR: "the server did not speak its protocol",
    Cause.TIMEOUT: "no answer in time",
    Cause.CREDENTIAL: "we have nothing to log in with",
    Cause.AUTH_REFUSED: "the login was refused",
    Cause.FOLDER_MISSING: "a folder is missing",
    Cause.ACCESS_DENIED: "the system does not let us read a file",
    Cause.DISK_FAILED: "the disk failed",
    Cause.MAILBOX_UNWATCHED: "the mailbox was not watched",
    Cause.JOURNAL: "the journal cannot be written",
    Cause.SHUTDOWN: "smtp-probe was stopped",
    Cause.INTERNAL: "an error in smtp-probe",
}
_TOKENS: Mapping[StrEnum, str] = {
    TokenResult.INVALID_GRANT: "there is no valid grant",
    TokenResult.INVALID_CLIENT: "our client name or secret is not accepted",
    TokenResult.NETWORK: "the authorization server was not reached",
    TokenResult.PROTOCOL: "the authorization server gave no token",
    TokenResult.LOCAL: "it cannot be used as it is here",
}
_STAMPS: Mapping[StrEnum, str] = {
    Stamp.GUID: "by the store's X-GUID, to the microsecond",
    Stamp.FILE_NAME: "by the name of its file, to the microsecond",
    Stamp.FILE_TIME: "by the time of its file, to a hundredth of a second",
    Stamp.GMAIL: "by Gmail's message id, to the millisecond",
    Stamp.INTERNALDATE: "by the store's clock, whole seconds",
    Stamp.SEEN: "when we saw it, on our clock",
}
_WORDS: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    Cause: _CAUSES,
    TokenResult: _TOKENS,
    Stamp: _STAMPS,
}
"""Only those whose name is not what people say."""


def in_words(value: StrEnum) -> str:
    """Say a bounded word."""
    return _WORDS.get(type(value), {}).get(value) or spaced(value.value)


def cause_in_words(cause: str) -> str:
    """Say a cause, or a word like one (`model.Failure.cause`)."""
    return in_words(Cause(cause)) if cause in tuple(Cause) else spaced(cause)


def say_why(cause: str, *details: str) -> str:
    """Say a cause and what more is known of it, but nothing twice."""
    words, told = cause_in_words(cause), [detail for detail in details if detail]
    is_told = any(words.lower() in detail.lower() for detail in told)
    return ": ".join(told if is_told else [words, *told])


def spaced(name: str) -> str:
    """Say the name of something, such as a flag or a reason, that has no other words."""
    return name.replace("_", " ")
