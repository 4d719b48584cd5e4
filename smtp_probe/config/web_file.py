"""The file of `--web.config.file`, as exporter-toolkit has it: TLS, client certificates, headers, users, rate limit.

In: the path of a file. Out: frozen settings, in which every path is taken from the file's folder. Raises ConfigError with
every problem and its line. What this program cannot do is refused with the reason, never passed over in silence; what
says the same for every server (`http2: true`) is accepted.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from smtp_probe.config.document import read_document
from smtp_probe.config.files import UnreadableFile, read_bounded
from smtp_probe.config.load import rebase
from smtp_probe.config.section import Settings, conflict
from smtp_probe.config.validation import Complaint
from smtp_probe.config.values import parse_duration
from smtp_probe.errors import ConfigError, ConfigProblem

_LARGEST_BYTES = 1_048_576
_BCRYPT = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}")
_DEAREST_COST = 18
CLIENT_AUTH = ("NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
HEADERS = (
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "X-XSS-Protection",
    "Strict-Transport-Security",
)
CIPHERS = {
    f"TLS_ECDHE_{key}_WITH_{suite}": f"ECDHE-{key}-{name}"
    for key in ("ECDSA", "RSA")
    for suite, name in (
        ("AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
        ("AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
        ("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305"),
    )
}
"""The suites of TLS 1.2 that keep past connections secret, by their registered names, and what OpenSSL calls them."""
VERSIONS = ("TLS12", "TLS13")
CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}


def _problem(message: str) -> PydanticCustomError:
    return PydanticCustomError("not_allowed", "{reason}", {"reason": message})


def _require_client_auth(value: str) -> str:
    if value in ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert"):
        raise _problem("takes any certificate, which proves nothing: use RequireAndVerifyClientCert")
    if value not in ("", *CLIENT_AUTH):
        reason = f"expected one of {', '.join(CLIENT_AUTH)}"
        raise _problem(reason)
    return value or "NoClientCert"


def _require_hash(value: SecretStr) -> SecretStr:
    match = _BCRYPT.fullmatch(value.get_secret_value())
    if match is None:
        raise _problem("not a bcrypt hash: make one with htpasswd -nBC 10 '' | tr -d ':\\n'")
    if not 4 <= int(match[1]) <= _DEAREST_COST:
        reason = f"its cost must be from 4 to {_DEAREST_COST}"
        raise _problem(reason)
    return value


def _require_header(headers: dict[str, str]) -> dict[str, str]:
    known = {name.lower(): name for name in HEADERS}
    for name, value in headers.items():
        if name.lower() not in known:
            reason = f"only these headers can be set: {', '.join(HEADERS)}"
            raise _problem(reason)
        if any(ord(character) < 32 or ord(character) > 126 for character in value):
            reason = f"{name} has a character in it that a header cannot have"
            raise _problem(reason)
    return {known[name.lower()]: value for name, value in headers.items()}


def _require_known(known: dict[str, str]) -> AfterValidator:
    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in known]
        if unknown:
            reason = f"expected some of {', '.join(known)}"
            raise _problem(reason)
        return names

    return AfterValidator(check)


def _require_version(value: str) -> str:
    if value not in VERSIONS:
        reason = f"expected one of {', '.join(VERSIONS)}: older ones are broken"
        raise _problem(reason)
    return value


_Version = Annotated[str, AfterValidator(_require_version)]


class TlsServer(Settings):
    """`tls_server_config`."""

    cert: str = ""
    key: SecretStr = SecretStr("")
    cert_file: Path | None = None
    key_file: Path | None = None
    client_ca: str = ""
    client_ca_file: Path | None = None
    client_auth_type: Annotated[str, AfterValidator(_require_client_auth)] = "NoClientCert"
    client_allowed_sans: tuple[str, ...] = ()
    min_version: _Version = "TLS12"
    max_version: _Version = "TLS13"
    cipher_suites: Annotated[tuple[str, ...], _require_known(CIPHERS)] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: Annotated[tuple[str, ...], _require_known(CURVES), Field(max_length=1)] = ()

    @property
    def is_enabled(self) -> bool:
        """Whether the server speaks TLS."""
        return bool(self.cert or self.cert_file)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        has_key = bool(self.key.get_secret_value() or self.key_file)
        has_authority = bool(self.client_ca or self.client_ca_file)
        is_verifying = self.client_auth_type != "NoClientCert"
        if self.is_enabled != has_key:
            missing = "key_file" if self.is_enabled else "cert_file"
            reason = f"{missing} is missing: certificate and key belong together"
            raise conflict(reason, "cert_file", "key_file")
        for text, file in (("cert", "cert_file"), ("key", "key_file"), ("client_ca", "client_ca_file")):
            if getattr(self, file) is not None and _plain(getattr(self, text)):
                reason = f"give {text} or {file}, not both"
                raise conflict(reason, file, text)
        if has_authority != is_verifying:
            reason = "client_ca_file and a client_auth_type that verifies belong together"
            raise conflict(reason, "client_auth_type", "client_ca_file")
        if is_verifying and not self.is_enabled:
            raise conflict("client certificates need cert_file and key_file", "client_auth_type")
        if self.client_allowed_sans and self.client_auth_type != "RequireAndVerifyClientCert":
            raise conflict("client_allowed_sans needs RequireAndVerifyClientCert", "client_allowed_sans")
        if self.min_version > self.max_version:
            raise conflict("min_version is above max_version", "min_version", "max_version")
        return self


class HttpServer(Settings):
    """`http_server_config`. HTTP/2 is not spoken, whatever is said of it."""

    http2: bool = True
    headers: Annotated[dict[str, str], AfterValidator(_require_header)] = Field(default_factory=dict)


class RateLimit(Settings):
    """`rate_limit`: off while the interval is zero."""

    interval: Annotated[float, BeforeValidator(parse_duration), Field(ge=0, le=86_400)] = 0.0
    burst: int = Field(0, ge=0, le=1_000_000)


class WebConfig(Settings):
    """A whole file."""

    tls_server_config: TlsServer = Field(default_factory=TlsServer)
    http_server_config: HttpServer = Field(default_factory=HttpServer)
    basic_auth_users: dict[str, Annotated[SecretStr, AfterValidator(_require_hash)]] = Field(
        default_factory=dict
    )
    rate_limit: RateLimit = Field(default_factory=RateLimit)
    client_rate_limit: RateLimit = Field(default_factory=RateLimit)
    """Our own addition to the format: the same for each client."""


def load_web_config(path: Path) -> WebConfig:
    """Read the file. Raises ConfigError with every problem."""
    try:
        text = read_bounded(path, _LARGEST_BYTES).decode("utf-8-sig")
    except UnreadableFile as error:
        raise ConfigError((ConfigProblem(str(error), path="--web.config.file"),)) from None
    except UnicodeDecodeError:
        raise ConfigError((ConfigProblem("not UTF-8 text", file=str(path)),)) from None
    root, problems = read_document(text, str(path))
    data: Any = root.plain()
    try:
        config = WebConfig.model_validate({} if data is None else data)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            wrong = Complaint.of(details)
            is_secret = {"key", "basic_auth_users"} & set(wrong.path) and details["type"] != "not_allowed"
            message = "expected text" if is_secret else wrong.message
            problems.append(
                ConfigProblem(message, ".".join(map(str, wrong.path)), str(path), root.line_of(wrong.path))
            )
        raise ConfigError(tuple(problems)) from None
    if problems:
        raise ConfigError(tuple(problems))
    rebased = rebase(config, path.absolute().parent)
    assert isinstance(rebased, WebConfig)
    return rebased


def _plain(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
