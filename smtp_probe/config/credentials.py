"""OAuth2 in the settings: which authorization server gives the access tokens, by which grant, and to whom.

Reads nothing. Secrets and keys are described by where they are kept, as those of `endpoints` are.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from smtp_probe.config.endpoints import StoredSecret
from smtp_probe.config.section import Settings, conflict
from smtp_probe.config.values import HttpsUrl, Line, Port, Seconds

MICROSOFT_TOKEN_PATH = "/oauth2/v2.0/token"  # noqa: S105 - a path
"""After the tenant."""


class Grant(StrEnum):
    """How access tokens are had."""

    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant
    DEVICE_CODE = "device_code"
    AUTHORIZATION_CODE = "authorization_code"
    CLIENT_CREDENTIALS = "client_credentials"
    JWT_BEARER = "jwt_bearer"

    @property
    def is_refreshed(self) -> bool:
        """Whether tokens are renewed by a refresh token, which is kept in the token file."""
        return self not in (Grant.CLIENT_CREDENTIALS, Grant.JWT_BEARER)


class Credential(Settings):
    """Access tokens of one account, from one authorization server (OAuth2)."""

    grant: Grant = Field(
        description="How tokens are had: by a refresh token (RFC 6749), by `smtp-probe login` with a code for another device (RFC 8628) or with a browser on this machine (RFC 8252), as the client itself (RFC 6749), or by a signed assertion (RFC 7523).",
        examples=[Grant.CLIENT_CREDENTIALS],
    )
    token_url: HttpsUrl = Field(
        description="The token endpoint.", examples=["https://login.example.org/oauth2/token"]
    )
    device_authorization_url: HttpsUrl | None = Field(
        None, description="The device authorization endpoint, for device_code."
    )
    authorization_url: HttpsUrl | None = Field(
        None, description="The authorization endpoint, where a browser asks a person, for authorization_code."
    )
    redirect_port: Port | None = Field(
        None,
        description="Port of 127.0.0.1 to which that browser comes back, where the server wants a certain one; default: any.",
    )
    client_id: Line = Field(
        description="Our name there: the client, or the issuer of the assertion of jwt_bearer.",
        examples=["smtp-probe"],
    )
    client_secret: StoredSecret | None = Field(
        None, description="Where the client's secret is kept; a public client has none."
    )
    client_authentication: Literal["basic", "post"] = Field(
        "basic", description="Whether the client's secret goes into the header or the form (RFC 6749 2.3.1)."
    )
    private_key_file: Path | None = Field(
        None,
        description="RSA or P-256 key with which assertions are signed (RFC 7523) instead of a client_secret: PEM, or the JSON key file of a Google service account.",
    )
    certificate_file: Path | None = Field(
        None,
        description="PEM certificate of that key, where the server knows it by its thumbprint (Microsoft).",
    )
    key_id: Line | None = Field(
        None, description="Name of that key (kid); of a JSON key file it is known by itself."
    )
    scope: Line | None = Field(None, description="What is asked for, separated by spaces.")
    subject: Line | None = Field(
        None, description="As whom, in the assertion of jwt_bearer: a user of a Google domain."
    )
    refresh_token: StoredSecret | None = Field(
        None, description="Where the first refresh token is kept, for the grant of this name."
    )
    token_file: Path | None = Field(
        None,
        description="Where tokens that are had are kept, mode 0600; default: credentials/NAME.json in the state directory.",
    )
    ca_file: Path | None = Field(
        None,
        description="PEM file of the authorities to trust instead of the system's; revocation lists in it are heeded.",
    )
    library: Literal["google-auth", "msal"] | None = Field(
        None,
        description="Let the provider's own library ask, of the extra `google` (grant jwt_bearer with the JSON key file of a service account) or `microsoft` (grant client_credentials with private_key_file and certificate_file); default: the standards path, which is good for any provider.",
    )
    timeout: Seconds = Field(30.0, le=300.0, description="Deadline of one request for a token.")

    @model_validator(mode="after")
    def _all_that_the_grant_needs(self) -> Self:
        needed = {
            Grant.REFRESH_TOKEN: ("refresh_token",),
            Grant.DEVICE_CODE: ("device_authorization_url",),
            Grant.AUTHORIZATION_CODE: ("authorization_url",),
            Grant.JWT_BEARER: ("private_key_file",),
            Grant.CLIENT_CREDENTIALS: (),
        }[self.grant]
        for key in needed:
            if getattr(self, key) is None:
                reason = f"grant: {self.grant} needs {key}"
                raise conflict(reason, key, "grant")
        if (
            self.grant is Grant.CLIENT_CREDENTIALS
            and self.client_secret is None
            and self.private_key_file is None
        ):
            raise conflict(
                "grant: client_credentials needs client_secret or private_key_file", "client_secret", "grant"
            )
        return self

    @model_validator(mode="after")
    def _what_the_library_can(self) -> Self:
        if self.library == "google-auth" and self.grant is not Grant.JWT_BEARER:
            raise conflict("library: google-auth needs grant: jwt_bearer", "library", "grant")
        if self.library != "msal":
            return self
        if self.grant is not Grant.CLIENT_CREDENTIALS:
            raise conflict("library: msal needs grant: client_credentials", "library", "grant")
        for key in ("private_key_file", "certificate_file", "scope"):
            if getattr(self, key) is None:
                reason = f"library: msal needs {key}"
                raise conflict(reason, key, "library")
        if not str(self.token_url).endswith(MICROSOFT_TOKEN_PATH):
            reason = f"library: msal needs a token_url that ends with {MICROSOFT_TOKEN_PATH}"
            raise conflict(reason, "token_url", "library")
        return self

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if self.client_secret is not None and self.private_key_file is not None:
            raise conflict(
                "client_secret and private_key_file exclude each other", "client_secret", "private_key_file"
            )
        if self.certificate_file is not None and self.private_key_file is None:
            raise conflict("certificate_file needs private_key_file", "certificate_file", "private_key_file")
        if self.refresh_token is not None and self.grant is not Grant.REFRESH_TOKEN:
            reason = f"grant: {self.grant} has no use for refresh_token"
            raise conflict(reason, "refresh_token", "grant")
        return self
