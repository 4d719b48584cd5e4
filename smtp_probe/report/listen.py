"""Where the HTTP server listens: addresses as Prometheus programs write them, and their sockets.

In: `:10925`, `127.0.0.1:10925`, `[::1]:10925`. Out: bound sockets. What cannot be read or bound is a ConfigError with
a text for people. Port 0 lets the system choose.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from smtp_probe.errors import ConfigError, ConfigProblem

OPTION = "--web.listen-address"
_REASONS = {
    errno.EADDRINUSE: "the address is in use: is another smtp-probe running?",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
    errno.EACCES: "not permitted: ports below 1024 need a privilege",
}


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """One address. An empty host means all addresses of this machine, IPv4 and IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        """The address as it is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_listen_address(text: str) -> ListenAddress:
    """Read one address. Raises ConfigError."""
    host, colon, port = text.strip().rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise _problem(text, "not an address: write it like :10925, 127.0.0.1:10925 or [::1]:10925")
    if is_bracketed != (":" in host):
        raise _problem(text, "write an IPv6 address in brackets, like [::1]:10925")
    return ListenAddress(host[1:-1] if is_bracketed else host, int(port))


def open_socket(address: ListenAddress) -> socket.socket:
    """Bind and listen. Raises ConfigError."""
    try:
        return _bind(address)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise _problem(str(address), f"cannot listen there: {reason}") from error


def _bind(address: ListenAddress) -> socket.socket:
    if address.host:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((address.host, address.port), family=family, backlog=128)
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", address.port), family=socket.AF_INET6, backlog=128, dualstack_ipv6=True
            )
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
    return socket.create_server(("", address.port), backlog=128)


def bound_address(bound: socket.socket) -> ListenAddress:
    """Give the address that a socket really has."""
    if bound.family not in (socket.AF_INET, socket.AF_INET6):
        return ListenAddress(str(bound.getsockname()), 0)
    host, port = bound.getsockname()[:2]
    return ListenAddress(str(host), int(port))


def _problem(address: str, message: str) -> ConfigError:
    return ConfigError((ConfigProblem(f"{address!r}: {message}", path=OPTION),))
