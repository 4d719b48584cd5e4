"""Providers at which a person's consent takes the place of a password: how tokens are had there, and what to do first.

In: a server's host. Out: a `Recipe`, or None where nothing is known. The client is one that the administrator registers.
"""

from __future__ import annotations

from dataclasses import dataclass

from smtp_probe.policy.discovery.providers import PROVIDERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How tokens of a provider are had; the names are those of `config.credentials`."""

    grant: str
    token_url: str
    consent_key: str
    consent_url: str
    scope: str
    advice: str
    """What a person does whose password is not taken."""


_MICROSOFT = "https://login.microsoftonline.com/common/oauth2/v2.0"
_RECIPES = {
    "gmail": Recipe(
        grant="authorization_code",
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
        consent_key="authorization_url",
        consent_url="https://accounts.google.com/o/oauth2/v2/auth",
        scope="https://mail.google.com/",
        advice="Google takes app passwords (myaccount.google.com/apppasswords), or tokens: register a client of the kind "
        '"desktop" (console.cloud.google.com), and give --oauth-client-id and --oauth-client-secret-file',
    ),
    "microsoft365": Recipe(
        grant="device_code",
        token_url=f"{_MICROSOFT}/token",
        consent_key="device_authorization_url",
        consent_url=f"{_MICROSOFT}/devicecode",
        scope="https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access",
        advice="Microsoft takes tokens alone: register a public client (entra.microsoft.com, App registrations) with the delegated "
        "permissions IMAP.AccessAsUser.All and SMTP.Send, and give --oauth-client-id",
    ),
}


def find_recipe(host: str) -> Recipe | None:
    """What is known of the provider whose server this is."""
    for provider in PROVIDERS:
        if host.lower() in (provider.smtp[0], provider.imap[0]) and provider.profile is not None:
            return _RECIPES.get(provider.profile)
    return None
