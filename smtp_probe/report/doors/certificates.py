"""TLS of the HTTP server, with certificates that are renewed while it runs.

In: `tls_server_config`. Out: a context that asks for the one in use at each handshake: certificate, key, authorities of
clients, versions. Connections that stand keep what they have.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from smtp_probe.config.web_file import CIPHERS, CURVES, TlsServer
from smtp_probe.errors import ConfigError, ConfigProblem

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_VERIFY = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


class RenewedContext(ssl.SSLContext):
    """A context that hands each connection to the one that is in use then."""

    current: Callable[[], ssl.SSLContext]

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """Begin one connection."""
        return self.current().wrap_bio(*arguments, **named)


def renewed(current: Callable[[], ssl.SSLContext]) -> RenewedContext:
    """Give a context that asks `current` at each handshake."""
    context = RenewedContext(ssl.PROTOCOL_TLS_SERVER)
    context.current = current
    return context


def make_context(settings: TlsServer) -> ssl.SSLContext:
    """Read certificate, key and authorities. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[settings.min_version]
    context.maximum_version = _VERSIONS[settings.max_version]
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if settings.prefer_server_cipher_suites:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    try:
        if settings.cipher_suites:
            context.set_ciphers(":".join(CIPHERS[name] for name in settings.cipher_suites))
    except (ssl.SSLError, ValueError) as error:
        raise _problem("cipher_suites", f"this OpenSSL does not have it: {error}") from error
    _choose_curve(context, settings)
    _load_certificate(context, settings)
    _load_authorities(context, settings)
    context.verify_mode = _VERIFY[settings.client_auth_type]
    return context


def _choose_curve(context: ssl.SSLContext, settings: TlsServer) -> None:
    for name in settings.curve_preferences:
        try:
            context.set_ecdh_curve(CURVES[name])
        except (ssl.SSLError, ValueError) as error:  # X25519 with Debian's Python 3.11.2
            hint = "leave the setting out, and X25519 comes first" if name == "X25519" else "choose another"
            raise _problem(
                "curve_preferences", f"this Python cannot have {name} as the only curve: {hint}"
            ) from error


def is_allowed(certificate: Mapping[str, Any] | None, allowed: Sequence[str]) -> bool:
    """Say whether a client's certificate has one of these subject alternative names."""
    if certificate is None:
        return False
    return any(_plain_name(kind, value) in allowed for kind, value in certificate.get("subjectAltName", ()))


def _plain_name(kind: str, value: str) -> str:
    try:
        return str(ip_address(value)) if kind == "IP Address" else value
    except ValueError:
        return value


def _load_certificate(context: ssl.SSLContext, settings: TlsServer) -> None:
    key = settings.key.get_secret_value()
    try:
        if settings.cert_file is not None and settings.key_file is not None:
            context.load_cert_chain(settings.cert_file, settings.key_file, password=_refuse_password)
            return
        # OpenSSL reads files only: an inline key goes through one that nobody else can open, for an instant.
        with tempfile.TemporaryDirectory() as folder:
            certificate, secret = (os.path.join(folder, name) for name in ("cert", "key"))  # noqa: PTH118
            _write(certificate, settings.cert)
            _write(secret, key)
            context.load_cert_chain(
                settings.cert_file or certificate, settings.key_file or secret, password=_refuse_password
            )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise _problem("cert_file", f"certificate and key cannot be used: {reason}") from None


def _load_authorities(context: ssl.SSLContext, settings: TlsServer) -> None:
    if not settings.client_ca and settings.client_ca_file is None:
        return
    try:
        context.load_verify_locations(cafile=settings.client_ca_file, cadata=settings.client_ca or None)
    except (OSError, ValueError) as error:
        raise _problem("client_ca_file", f"the authorities of clients cannot be read: {error}") from None


def _write(path: str, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(text)


def _refuse_password() -> str:
    message = "the key has a password"
    raise ValueError(message)


def _problem(key: str, message: str) -> ConfigError:
    return ConfigError((ConfigProblem(message, path=f"tls_server_config.{key}"),))
