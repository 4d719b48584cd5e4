from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from smtp_probe.config.anatomy import entry_of, keys_of, section_of
from smtp_probe.config.endpoints import StoredSecret
from smtp_probe.config.engine import EngineAuth
from smtp_probe.config.settings import Config, Credential, MetricsSettings, ResolverSettings, Route, Schedule
from smtp_probe.mail.addresses import tag_address
from smtp_probe.mail.tag import TagKey, make_tag

ROUTE = {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox"}


def is_refused(model, **settings):
    try:
        model(**settings)
    except ValidationError:
        return True
    return False


def models(model=Config) -> set[type[BaseModel]]:
    """Every section of the settings."""
    found = {model}
    for field in keys_of(model).values():
        below = section_of(field.annotation) or section_of(entry_of(field.annotation))
        if below is not None:
            found |= models(below)
    return found


ALL_MODELS = pytest.mark.parametrize(
    "model", sorted(models(), key=str), ids=lambda model: str(model.__name__)
)


@ALL_MODELS
def test_every_section_is_frozen_closed_and_described(model):
    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["hide_input_in_errors"]
    for key, field in keys_of(model).items():
        assert field.description, key
        assert field.description.endswith(".")


@ALL_MODELS
def test_every_required_setting_has_an_example_that_is_allowed(model):
    required = {key: field.examples for key, field in keys_of(model).items() if field.is_required()}
    example: dict[str, Any] = {key: (examples or [None])[0] for key, examples in required.items()}
    example |= {"password_env": "X"} if "username" in required or model is StoredSecret else {}
    example |= {"client_secret": {"password_env": "X"}} if model is Credential else {}
    example |= {"credentials_file": "x"} if model is EngineAuth else {}
    model.model_validate(example)


def test_a_route_gives_up_after_its_deadline():
    assert is_refused(Route, **ROUTE, deadline="2h", give_up_after="1h")
    assert not is_refused(Route, **ROUTE, deadline="2h", give_up_after="2h")


@pytest.mark.parametrize("label", ["route", "sender", "mailbox", "interval", "labels"])
def test_a_label_does_not_take_the_name_of_a_setting(label):
    assert is_refused(Route, **ROUTE, labels={label: "x"})


def test_who_answers_is_told_of_an_echo_route_only():
    route = {"sender": "s", "recipient": "user@example.net", "mailbox": "m"}
    assert is_refused(Route, **route, echo_from=["example.net"])
    assert Route(**route, echo=True).echo_authors == ("example.net",)
    assert Route(**route, echo=True, echo_from=["echo@example.org"]).echo_authors == ("echo@example.org",)


def test_labels_are_few():
    assert not is_refused(Route, **ROUTE, labels={f"l{n}": "x" for n in range(8)})
    assert is_refused(Route, **ROUTE, labels={f"l{n}": "x" for n in range(9)})


@pytest.mark.parametrize("local", ["a", "a" * 15, "a" * 16, "a" * 40, '"a'])
def test_plus_addressing_is_allowed_where_a_tag_fits(local):
    """The room that the settings count with is the room that the tag really leaves."""
    recipient = f"{local}@example.org"
    tag = make_tag([TagKey(b"k" * 32)], "route", 1, 1, recipient)
    try:
        tag_address(recipient, tag.token)
        fits = True
    except ValueError:
        fits = False
    assert is_refused(Route, **ROUTE | {"recipient": recipient}, plus_address=True) is not fits
    assert not is_refused(Route, **ROUTE | {"recipient": recipient})


@pytest.mark.parametrize(
    ("domain", "is_one"),
    [
        ("example.org", True),
        ("localhost", True),
        ("a_b.example.org", True),
        ("[192.0.2.1]", True),
        ("[IPv6:2001:db8::1]", True),
        ("example..org", False),
        (".example.org", False),
        ("example.org.", False),
        ("-example.org", False),
        ("example.org:25", False),
    ],
)
def test_an_address_has_a_domain_that_can_be_one(domain, is_one):
    assert is_refused(Route, **ROUTE | {"recipient": f"probe@{domain}"}) is not is_one


@pytest.mark.parametrize("size", [1023, 10_485_761, "2048", 2048.0, True])
def test_a_message_has_a_size_that_can_be_sent(size):
    assert is_refused(Route, **ROUTE, message_size=size)


def test_limits_of_the_other_sections():
    assert is_refused(Schedule, backoff_minimum="2h")
    assert is_refused(ResolverSettings, timeout="9s")
    assert is_refused(ResolverSettings, nameservers=["dns.example.org"])
    assert is_refused(MetricsSettings, delivery_buckets=[1, 1])
    assert is_refused(MetricsSettings, delivery_buckets=[2, 1])
    assert is_refused(MetricsSettings, delivery_buckets=[])
    assert is_refused(MetricsSettings, delivery_buckets=[float("inf")])
    assert MetricsSettings(delivery_buckets=["50ms", 1, "1m"]).delivery_buckets == (0.05, 1, 60)
