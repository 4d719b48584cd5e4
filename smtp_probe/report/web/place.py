"""Where the pages are: the path that they have here, and the address by which others know them.

In: `--web.route-prefix` and `--web.external-url`. Out: a path with a slash at both ends, and an address that ends with one.
Raises ConfigError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from smtp_probe.errors import ConfigError, ConfigProblem

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


@dataclass(frozen=True, slots=True)
class Place:
    """The path of the pages, and their address; without an external URL that is the path."""

    base: str = "/"
    base_url: str = "/"


def find_place(route_prefix: str | None, external_url: str | None) -> Place:
    """Read the two options. The prefix is the path of the external URL, where it is not given."""
    url = _read_url(external_url) if external_url else ""
    path = urlsplit(url).path if route_prefix is None else "/" + route_prefix.strip("/")
    if not _PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        raise _problem("--web.route-prefix", "expected a path such as /smtp-probe")
    base = "/" + path.strip("/") + "/" if path.strip("/") else "/"
    return Place(base, url or base)


def _read_url(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise _problem(
            "--web.external-url", "expected an address such as https://monitoring.example.org/smtp-probe"
        )
    if not _PATH.fullmatch(parts.path):
        raise _problem("--web.external-url", "its path has characters that a path of pages cannot have")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _problem(option: str, message: str) -> ConfigError:
    return ConfigError((ConfigProblem(message, path=option),))
