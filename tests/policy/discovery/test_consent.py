"""How tokens are had at providers that are known: each recipe is one that the settings take."""

import pytest

from smtp_probe.config.credentials import Credential
from smtp_probe.policy.discovery.consent import find_recipe


@pytest.mark.parametrize(
    "host", ["smtp.gmail.com", "imap.gmail.com", "smtp.office365.com", "Outlook.office365.com"]
)
def test_the_settings_take_what_is_known(host):
    recipe = find_recipe(host)
    settings = {
        "grant": recipe.grant,
        "token_url": recipe.token_url,
        recipe.consent_key: recipe.consent_url,
        "client_id": "x",
        "scope": recipe.scope,
    }
    assert Credential.model_validate(settings).grant.is_refreshed
    assert "--oauth-client-id" in recipe.advice


@pytest.mark.parametrize("host", ["imap.mail.yahoo.com", "imap.example.test", "evil.smtp.gmail.com.example"])
def test_of_others_nothing_is_known(host):
    assert find_recipe(host) is None
