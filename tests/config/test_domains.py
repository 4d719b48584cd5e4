"""Domains in a configuration: their names, and what may not be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from smtp_probe.config.domains import Domain
from tests.report.samples import make_config


@pytest.mark.parametrize("name", ["example.org", "xn--bcher-kva.example", "a.b.c.example.org"])
def test_a_domain_is_named_as_in_dns(name: str) -> None:
    assert list(make_config(domains={name: {}}).domains) == [name]


@pytest.mark.parametrize(
    "name", ["", "org", "Example.org", "example.org.", "a_b.example.org", "user@example.org"]
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        make_config(domains={name: {}})


@pytest.mark.parametrize(
    "settings",
    [
        {"interval": "20m", "exchanger_interval": "5m"},
        {"egress": ["mail.example.org"]},
        {"selectors": ["a b"]},
        {"selector": ["a"]},
    ],
)
def test_what_contradicts_itself_or_is_none_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Domain.model_validate(settings)


def test_nothing_needs_to_be_said() -> None:
    domain = Domain.model_validate({})
    assert (domain.interval, domain.exchanger_interval, domain.relay_test) == (300.0, 900.0, False)
