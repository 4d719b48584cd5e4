"""TLS towards servers: the context to connect with, and what a handshake showed, also when it failed.

In: a section's `TlsOptions`; an `SSLObject` after a handshake, or the exception that ended one. Out: an
`SSLContext`, `model.TlsFacts`, and the cause of a failure as one of `model.TlsFailure`. It opens no connection and
knows no mail protocol.

What the certificate said is wanted even when its verification is what failed. Python closes the connection then
and drops the certificate, so the contexts made here carry a witness: an `SSLObject` (`SSLContext.sslobject_class`)
that, when verification fails, ties the peer's chain to the exception. That is the very certificate which failed,
in the same handshake. The other ways are worse: a second, unverified connection may meet another server behind the
same name and doubles the load on one that is in trouble, and verifying by hand after an unverified handshake
would put our own code between a forged server and a password.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from asyncio import sslproto
from collections.abc import Iterator
from functools import lru_cache
from weakref import WeakValueDictionary

from smtp_probe.config.settings import TlsOptions
from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import TlsFacts, TlsFailure
from smtp_probe.policy.certificate_end import certificate_end_seconds

_BUFFER_BYTES = 32_768
sslproto.SSLProtocol.max_size = _BUFFER_BYTES
"""Every connection has such a buffer for what comes. It is 256 KiB by default, most of the memory of a watched mailbox; a record
of TLS has 16 KiB at most, and no pause of ours is shorter for a larger one."""
_MINIMUM_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

_VERIFY_CODES = {
    2: TlsFailure.UNKNOWN_ISSUER,  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT
    9: TlsFailure.NOT_YET_VALID,
    10: TlsFailure.EXPIRED,
    18: TlsFailure.SELF_SIGNED,  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
    19: TlsFailure.SELF_SIGNED,  # X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
    20: TlsFailure.UNKNOWN_ISSUER,  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: TlsFailure.UNKNOWN_ISSUER,  # X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
    23: TlsFailure.REVOKED,
    27: TlsFailure.UNKNOWN_ISSUER,  # X509_V_ERR_CERT_UNTRUSTED
    62: TlsFailure.NAME_MISMATCH,  # X509_V_ERR_HOSTNAME_MISMATCH
    64: TlsFailure.NAME_MISMATCH,  # X509_V_ERR_IP_ADDRESS_MISMATCH
}

_NO_TLS_REASONS = frozenset(
    {"HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "WRONG_VERSION_NUMBER"}
)
_SOURCES = re.compile(r"^\[[A-Z0-9_]+(?:: [A-Z0-9_]+)?\] |\s*\(_ssl\.c:\d+\)$")
"""What `str` of an `ssl.SSLError` has around its words."""

_VERSION_REASONS = frozenset(
    {
        "NO_PROTOCOLS_AVAILABLE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "UNSUPPORTED_SSL_VERSION",
        "VERSION_TOO_LOW",
    }
)

_LONGEST_CHAIN = 16


class _Witness(ssl.SSLObject):
    """Keeps the peer's certificates of a handshake whose verification failed."""

    def do_handshake(self) -> None:
        """Shake hands; on a verification failure, note the chain on the exception that is raised."""
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            error.presented_chain = self._presented_chain()  # type: ignore[attr-defined]
            raise

    def _presented_chain(self) -> tuple[bytes, ...]:
        """The certificates as they came, in DER, the server's own first; empty where OpenSSL < 3 has none."""
        # `SSLObject` has the method in public from Python 3.13; before that, its inner object has it.
        source = self if hasattr(self, "get_unverified_chain") else getattr(self, "_sslobj", None)
        read = getattr(source, "get_unverified_chain", None)
        chain = (read() if read is not None else None) or ()
        return tuple(_to_der(certificate) for certificate in chain[:_LONGEST_CHAIN])


def presented_chain(source: BaseException | ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates that the peer presented, in DER, its own first: after a handshake, or in the exception that ended
    one. Empty where none is known.
    """
    if isinstance(source, _Witness):
        return source._presented_chain()  # noqa: SLF001  # of this module
    links = _causes(source) if isinstance(source, BaseException) else ()
    return next((chain for link in links if (chain := getattr(link, "presented_chain", ()))), ())


def _to_der(certificate: bytes | object) -> bytes:
    """One element of the chain as DER: bytes in the public method, an `_ssl.Certificate` in the inner one."""
    if isinstance(certificate, bytes):
        return certificate
    pem = certificate.public_bytes()  # type: ignore[attr-defined]
    return ssl.PEM_cert_to_DER_cert(pem)


def client_context(options: TlsOptions) -> ssl.SSLContext:
    """Make the context for connections to one server.

    Trusts `ca_file` instead of the system's authorities where it is given, heeds the revocation lists in it, and verifies
    name and chain unless told not to. Blocks for some milliseconds, reading the authorities. Raises OSError (`ssl.SSLError` is one) when they
    cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and name from the start
    context.minimum_version = _MINIMUM_VERSIONS[options.minimum_version]
    context.sslobject_class = _Witness
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif options.ca_file is not None:
        context.load_verify_locations(cafile=options.ca_file)
        if context.cert_store_stats()["crl"]:  # heeded only where it is asked for
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def shared_context(options: TlsOptions) -> ContextSource:
    """The source of all endpoints with these options: thousands of mailboxes of one server need one context."""
    key = options.model_dump_json()
    source = _shared.get(key)
    if source is None:
        source = _shared[key] = ContextSource(options)
    return source


class ContextSource:
    """A context: made once, and made anew when the file of authorities has changed."""

    def __init__(self, options: TlsOptions) -> None:
        self._options = options
        path = options.ca_file or ssl.get_default_verify_paths().cafile
        self._path = str(path) if path and options.verify else None
        self._context: ssl.SSLContext | None = None
        self._version: tuple[int, int, int] | None = None
        self._making = asyncio.Lock()

    async def context(self) -> ssl.SSLContext:
        """The context, current. Raises OSError when it cannot be made and there is no earlier one to go on with."""
        try:
            version = self._file_version()
            if self._context is None or version != self._version:
                async with self._making:  # by one of those who came together
                    if self._context is None or version != self._version:
                        self._context = await asyncio.to_thread(client_context, self._options)
                        self._version = version
        except OSError:
            if self._context is None:
                raise
        return self._context

    def _file_version(self) -> tuple[int, int, int] | None:
        """What changes when the file is written or replaced."""
        if self._path is None:
            return None
        state = os.stat(self._path)  # noqa: PTH116  # on the way of every connection: no Path object for it
        return state.st_mtime_ns, state.st_ino, state.st_size


def server_name(options: TlsOptions, host: str) -> str:
    """The name to ask for (SNI) and to verify: the one configured, or the host without an address's brackets."""
    return options.server_name or host.removeprefix("[").removesuffix("]").removesuffix(".")


def tls_facts(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> TlsFacts:
    """Read version, cipher and the certificate's end from a connection whose handshake is done."""
    cipher = ssl_object.cipher()
    der = ssl_object.getpeercert(binary_form=True)
    return TlsFacts(
        version=ssl_object.version(),
        cipher=cipher[0] if cipher else None,
        not_after_ns=certificate_end_ns(der) if der else None,
    )


def failed_tls_facts(error: BaseException) -> TlsFacts:
    """What a failed handshake still shows: its cause, and the end of the certificate that was refused.

    When the cause is expiry, the earliest end in the chain is given: an intermediate certificate may be the old one.
    """
    failure = classify_tls_failure(error)
    ends = [end for end in map(certificate_end_ns, presented_chain(error)) if end is not None]
    if not ends:
        return TlsFacts(failure=failure)
    return TlsFacts(failure=failure, not_after_ns=min(ends) if failure is TlsFailure.EXPIRED else ends[0])


def classify_tls_failure(error: BaseException) -> TlsFailure:
    """Say what verification or the handshake found wrong; looks through exceptions that wrap the real one."""
    for link in _causes(error):
        if isinstance(link, ssl.SSLCertVerificationError):
            return _VERIFY_CODES.get(getattr(link, "verify_code", 0), TlsFailure.OTHER)
        if isinstance(link, ssl.SSLError):
            reason = getattr(link, "reason", None)  # an error that OpenSSL did not make has none
            return TlsFailure.PROTOCOL_VERSION if reason in _VERSION_REASONS else TlsFailure.HANDSHAKE
    return TlsFailure.OTHER


def say_tls_error(error: ssl.SSLError) -> str:
    """What went wrong, without what OpenSSL and Python say of their own sources. One sanitised line."""
    words = getattr(error, "verify_message", "") or _SOURCES.sub("", str(error))
    no_tls = (
        "what the server says here is not TLS: " if getattr(error, "reason", None) in _NO_TLS_REASONS else ""
    )
    return sanitise(f"{no_tls}{words}")


@lru_cache(maxsize=256)
def certificate_end_ns(der: bytes) -> int | None:
    """The end of a certificate's validity in nanoseconds since the epoch; None when it cannot be read."""
    try:
        return certificate_end_seconds(der) * 10**9
    except ValueError:
        return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and those it was raised from."""
    link: BaseException | None = error
    for _ in range(8):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__


_shared: WeakValueDictionary[str, ContextSource] = WeakValueDictionary()
