"""What a visit to an exchanger may ask, by the settings."""

from __future__ import annotations

import pytest

from smtp_probe.app.domain_looks import _terms
from smtp_probe.model import DomainUnderCheck
from tests.report.samples import make_config


@pytest.mark.parametrize(
    ("domain", "settings", "recipient"),
    [
        ("example.org", {}, None),
        ("example.org", {"route_recipient": True}, "probe@example.org"),
        ("example.org", {"route_recipient": True, "recipient": "a@example.org"}, "a@example.org"),
        ("example.net", {"route_recipient": True}, None),
    ],
)
def test_a_recipient_is_asked_for_only_where_that_is_allowed(
    domain: str, settings: dict[str, object], recipient: str | None
) -> None:
    config = make_config(domains={domain: settings})
    assert _terms(config.domains[domain], DomainUnderCheck(domain=domain), config).recipient == recipient
