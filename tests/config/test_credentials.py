"""Credentials of OAuth2: what each grant needs, and names that point at something."""

import json

import pytest
from pydantic import ValidationError

from smtp_probe.config.credentials import Credential
from tests.config.samples import SOUND, problems, write_sound

SECRET = {"password_env": "SECRET"}
SHORT = {"token_url": "https://login.example.org/token", "client_id": "probe"}


def complaint(**settings):
    with pytest.raises(ValidationError) as caught:
        Credential.model_validate({**SHORT, **settings})
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"grant": "refresh_token"}, "needs refresh_token"),
        ({"grant": "device_code"}, "needs device_authorization_url"),
        ({"grant": "authorization_code"}, "needs authorization_url"),
        ({"grant": "jwt_bearer"}, "needs private_key_file"),
        ({"grant": "client_credentials"}, "needs client_secret or private_key_file"),
        (
            {"grant": "jwt_bearer", "private_key_file": "k", "refresh_token": SECRET},
            "no use for refresh_token",
        ),
        ({"grant": "client_credentials", "private_key_file": "k", "client_secret": SECRET}, "exclude"),
        (
            {"grant": "client_credentials", "client_secret": SECRET, "certificate_file": "c"},
            "needs private_key_file",
        ),
        ({"grant": "client_credentials", "client_secret": {}}, "exactly one of"),
        ({"grant": "client_credentials", "client_secret": SECRET, "token_url": "http://x/"}, "pattern"),
        ({"grant": "client_credentials", "client_secret": SECRET, "token_url": "https://a:b@x/"}, "pattern"),
    ],
)
def test_what_does_not_fit_is_refused(settings, words):
    assert words in complaint(**settings)


def use(folder, oauth="account", mechanism="xoauth2", **changes):
    credential = {
        **SHORT,
        "grant": "client_credentials",
        "client_secret": {"password_file": "relay.password"},
    }
    text = SOUND.replace("password_file: relay.password", f"oauth: {oauth}\n      mechanism: {mechanism}")
    credentials = {"account": {**credential, **changes}}
    return problems(write_sound(folder, f"{text}credentials: {json.dumps(credentials)}\n"))


def test_a_login_with_a_credential_loads(tmp_path):
    assert use(tmp_path) == []


def test_a_name_that_points_at_nothing_is_told(tmp_path):
    (problem,) = use(tmp_path, oauth="acount")

    assert "senders.relay.auth.oauth: 'acount' is not one of credentials: account" in problem


def test_a_token_is_no_password(tmp_path):
    (problem,) = use(tmp_path, mechanism="plain")

    assert "oauth needs mechanism: xoauth2 or oauthbearer" in problem


def test_every_file_of_a_credential_is_tried(tmp_path):
    found = use(tmp_path, client_secret={"password_file": "missing"}, ca_file="nowhere.pem")

    assert any("credentials.account.client_secret.password_file" in problem for problem in found)
    assert any("credentials.account.ca_file" in problem for problem in found)
