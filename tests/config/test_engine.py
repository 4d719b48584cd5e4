"""The section of the engine: what goes together, and no password in the clear."""

import pytest
from pydantic import ValidationError

from smtp_probe.config.engine import Engine

SERVERS = {"servers": ["tls://nats.example.org:4222"]}


def test_the_servers_are_enough():
    engine = Engine.model_validate(SERVERS)

    assert (engine.vantage, engine.vantages, engine.replicas) == ("default", ("default",), 3)


@pytest.mark.parametrize(
    "auth",
    [
        {"credentials_file": "prober.creds"},
        {"nkey_file": "prober.nk"},
        {"username": "prober", "password_file": "password"},
    ],
)
def test_there_are_three_ways_to_say_who_we_are(auth):
    assert Engine.model_validate({**SERVERS, "auth": auth}).auth is not None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"vantage": "fra"}, "vantage fra is not one of vantages"),
        ({"retention": "30m"}, "at least 1h"),
        ({"lease": "1s"}, "between 2s and 5m"),
        ({"auth": {}}, "exactly one of credentials_file"),
        ({"auth": {"credentials_file": "a", "nkey_file": "b"}}, "exactly one of credentials_file"),
        ({"auth": {"credentials_file": "a", "password_file": "b"}}, "the other ways need none"),
        ({"auth": {"username": "a"}}, "needs exactly one of password_file"),
        ({"servers": ["nats://h:1"], "auth": {"username": "a", "password_env": "P"}}, "unencrypted"),
        ({"servers": ["http://h:1"]}, "pattern"),
        ({"servers": []}, "at least 1 item"),
        ({"namespace": "a.b"}, "pattern"),
        ({"replicas": 2}, "1, 3 or 5"),
        ({"tls_options": {"certificate_file": "a.pem"}}, "belong together"),
    ],
)
def test_what_does_not_go_together_is_said(settings, words):
    with pytest.raises(ValidationError, match=words):
        Engine.model_validate({**SERVERS, **settings})


def test_a_password_may_go_over_a_plain_connection_where_that_is_said():
    settings = {"servers": ["nats://127.0.0.1:4222"], "allow_credentials_without_tls": True}

    assert Engine.model_validate({**settings, "auth": {"username": "a", "password_env": "P"}}).auth
