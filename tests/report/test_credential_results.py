"""Requests for tokens as metrics and log lines: counted each, said once."""

import logging

from smtp_probe.model import TokenResult
from tests.report.samples import make_config, make_telemetry

NAME = "account"
CONFIG = make_config(
    mailboxes={
        "inbox": {
            "host": "imap.example.org",
            "tls": "implicit",
            "auth": {"username": "probe", "mechanism": "xoauth2", "oauth": NAME},
        }
    },
    credentials={
        NAME: {
            "grant": "client_credentials",
            "token_url": "https://login.example.org/token",
            "client_id": "probe",
            "client_secret": {"password_env": "SECRET"},
        }
    },
)


async def samples(telemetry):
    page = (await telemetry.exposition.page("")).body.decode()
    return [line for line in page.splitlines() if line.startswith("smtp_probe_credential")]


async def test_everything_exists_at_zero_and_the_expiry_not_before_it_is_known():
    lines = await samples(make_telemetry(CONFIG))

    assert len(lines) == len(TokenResult)
    assert all(line.endswith(" 0.0") for line in lines)


async def test_each_request_is_counted_and_the_end_of_the_token_shown():
    telemetry = make_telemetry(CONFIG)
    telemetry.credentials.show(NAME, TokenResult.RENEWED, "", 17_000_000_000)
    telemetry.credentials.show(NAME, TokenResult.NETWORK, "silent", 17_000_000_000)
    telemetry.credentials.show("gone", TokenResult.NETWORK, "silent", None)
    lines = await samples(telemetry)

    assert f'smtp_probe_credential_expiry_timestamp_seconds{{credential="{NAME}"}} 17.0' in lines
    assert f'smtp_probe_credential_refreshes_total{{credential="{NAME}",result="renewed"}} 1.0' in lines
    assert f'smtp_probe_credential_refreshes_total{{credential="{NAME}",result="network"}} 1.0' in lines
    assert not any("gone" in line for line in lines)

    telemetry.credentials.show(NAME, TokenResult.INVALID_GRANT, "gone", None)
    assert not any("expiry" in line for line in await samples(telemetry))


def test_a_failure_is_said_once_and_so_is_its_end(caplog):
    caplog.set_level(logging.INFO)
    telemetry = make_telemetry(CONFIG)
    for result in ("renewed", "network", "network", "invalid_grant", "invalid_grant", "renewed", "renewed"):
        telemetry.credentials.show(NAME, TokenResult(result), f"it was {result}", None)

    assert [record.getMessage() for record in caplog.records] == [
        "no access token: it was network",
        "no access token: it was invalid_grant",
        "access tokens are had again",
    ]


def test_a_token_that_was_taken_back_is_told_apart(caplog):
    caplog.set_level(logging.INFO)
    telemetry = make_telemetry(CONFIG)
    for result in ("renewed", "revoked", "renewed"):
        telemetry.credentials.show(NAME, TokenResult(result), "a mail server refused it", None)

    assert [record.getMessage() for record in caplog.records] == [
        "a mail server refused it: it may be revoked, and another is asked for",
        "access tokens are had again",
    ]
