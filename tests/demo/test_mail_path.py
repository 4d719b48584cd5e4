"""The whole path, from the submission port to the mailbox, seen by clients of the standard library."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import smtplib
import stat
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from smtp_probe.config.load import load
from smtp_probe.demo.mail_path import MailPath, group_by_clocks
from smtp_probe.demo.path_log import Happening
from smtp_probe.demo.scenarios import SCENARIOS, HopSettings, Scenario
from smtp_probe.network.clock import ReferenceClock
from tests.demo.plain_clients import (
    TOKEN,
    NamedSmtp,
    happened,
    open_raw_imap,
    read_config,
    read_folder,
    secret_of,
    submit,
    trust_of,
    wait_for,
    wait_until,
)
from tests.demo.reports import read_report

pytestmark = pytest.mark.slow

_EXIM_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_POSTFIX_DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_QUICK = HopSettings(delay_seconds=0.01)


def _quick(name: str, **changes: object) -> Scenario:
    """A scenario with its own behaviour and clocks, and hardly any delay."""
    scenario = SCENARIOS[name]
    first, second, third, fourth = (replace(hop, delay_seconds=0.01) for hop in scenario.hops)
    return replace(scenario, hops=(first, second, third, fourth), retry_seconds=0.4, **changes)  # type: ignore[arg-type]


def _true_seconds() -> float:
    """The time of day, on a clock of the same kind as the path's own."""
    return ReferenceClock().now_ns() / 1e9


def _number(text: str, digits: str, base: int) -> int:
    value = 0
    for character in text:
        value = value * base + digits.index(character)
    return value


def _postfix_seconds(queue_id: str) -> float:
    return _number(queue_id[:6], _POSTFIX_DIGITS, 52) + _number(queue_id[6:10], _POSTFIX_DIGITS, 52) / 1e6


def _exim_seconds(queue_id: str) -> float:
    seconds, _, fraction = queue_id.split("-")
    return _number(seconds, _EXIM_DIGITS, 62) + _number(fraction, _EXIM_DIGITS, 62) / 1e6


def _dovecot_seconds(queue_id: str) -> float:
    nanoseconds, seconds, _, _ = struct.unpack("<4I", base64.b64decode(queue_id + "=="))
    return seconds + nanoseconds / 1e9


def _received(raw: bytes) -> list[str]:
    """The Received headers, oldest first, unfolded."""
    return [re.sub(r"\s+", " ", text) for text in reversed(message_from_bytes(raw).get_all("Received", []))]


def _queue_ids(raw: bytes) -> list[str]:
    return [match[1] for text in _received(raw) if (match := re.search(r" id ([^ ;]+)", text))]


def _stamps(raw: bytes) -> tuple[float, float, float, float]:
    """What each of the four hosts says the time was: from its id, or, for Exchange, from its date."""
    first, second, _, fourth = _queue_ids(raw)
    exchange_date = _received(raw)[2].rpartition(";")[2]
    return (
        _postfix_seconds(first),
        _exim_seconds(second),
        parsedate_to_datetime(exchange_date).timestamp(),
        _dovecot_seconds(fourth),
    )


@pytest.fixture
async def quick_path(tmp_path: Path) -> AsyncIterator[MailPath]:
    scenarios = [_quick(name) for name in SCENARIOS]
    async with MailPath(scenarios, tmp_path / "demo") as path:
        yield path


async def test_a_message_bears_the_headers_of_four_servers_in_the_order_of_its_way(
    quick_path: MailPath,
) -> None:
    config = read_config(quick_path)
    answer = await submit(config, "on-time")
    await wait_for(quick_path, Happening.STORED, "on-time")
    (raw,) = await read_folder(config, "recipient", "INBOX")
    received = _received(raw)
    assert [re.search(r" by (\S+)", text)[1] for text in received] == [  # type: ignore[index]
        "submission.example.test",
        "relay.example.test",
        "filter.example.test",
        "store.example.test",
    ]
    signs = [
        "(Postfix) with ESMTPSA id",
        "(Exim 4.98.2)",
        "with Microsoft SMTP Server (version=TLS1_3,",
        "with LMTP id",
    ]
    assert all(sign in text for sign, text in zip(signs, received, strict=True))
    assert answer.code == 250
    assert answer.reply.endswith(f"queued as {_queue_ids(raw)[0]}"), (
        "the 250 names the id of the lowest header"
    )
    assert raw.endswith(b"\r\n\r\nfirst line\r\n.a line with a dot\r\n")


async def test_right_clocks_stamp_the_truth_in_order(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    before = _true_seconds()
    await submit(config, "on-time")
    await wait_for(quick_path, Happening.STORED, "on-time")
    after = _true_seconds()
    (raw,) = await read_folder(config, "recipient", "INBOX")
    first, second, third, fourth = _stamps(raw)
    assert before - 0.05 < first < second < fourth < after + 0.05
    assert before - 1 < third < after


async def test_wrong_clocks_are_wrong_by_what_the_scenario_says(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    before = _true_seconds()
    await submit(config, "skewed-clocks")
    await wait_for(quick_path, Happening.STORED, "skewed-clocks")
    elapsed = _true_seconds() - before
    (raw,) = await read_folder(config, "recipient", "INBOX")
    for stamp, hop, resolution in zip(
        _stamps(raw), SCENARIOS["skewed-clocks"].hops, (0, 0, 1, 0), strict=True
    ):
        error = stamp - before - hop.clock_offset_seconds
        assert -resolution - 0.05 <= error <= elapsed + 0.05
    assert ".skewed-clocks.example.test" in _received(raw)[1], "a wrong clock belongs to a host of its own"


async def test_a_slow_hop_shows_between_its_own_stamp_and_the_next(tmp_path: Path) -> None:
    slow = replace(SCENARIOS["slow-hop"], hops=(_QUICK, HopSettings(delay_seconds=0.7), _QUICK, _QUICK))
    async with MailPath([slow], tmp_path) as path:
        config = read_config(path)
        await submit(config, "slow-hop")
        (stored,) = await wait_for(path, Happening.STORED, "slow-hop")
        (raw,) = await read_folder(config, "recipient", "INBOX")
        _, relay, _, store = _stamps(raw)
    assert 0.7 <= store - relay < 2
    assert stored.host == "store.example.test"


async def test_junk_is_marked_by_the_filter_and_filed_by_the_store(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    await submit(config, "junked")
    await wait_for(quick_path, Happening.STORED, "junked")
    (raw,) = await read_folder(config, "recipient", "Junk")
    assert message_from_bytes(raw)["X-Spam-Flag"] == "YES"
    assert await read_folder(config, "recipient", "INBOX") == []


async def test_a_bounce_comes_back_with_the_envelope_id_and_the_header(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    answer = await submit(
        config,
        "bounced",
        mail_options=["RET=HDRS", "ENVID=Abc+2Bd+3D"],
        rcpt_options=["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;bounced@example.test"],
    )
    assert answer.code == 250, "the submission server takes it; only the next one does not"
    await wait_for(quick_path, Happening.STORED, "prober")
    (raw,) = await read_folder(config, "sender", "INBOX")
    report = read_report(raw)
    assert report.message["Return-Path"] == "<>"
    assert report.message["Auto-Submitted"] == "auto-replied"
    assert report.about_message["Original-Envelope-Id"] == "Abc+d="
    assert answer.reply.endswith(report.about_message["X-Postfix-Queue-ID"])
    assert report.about_recipient["Action"] == "failed"
    assert report.about_recipient["Status"] == "5.1.1"
    assert report.about_recipient["Original-Recipient"] == "rfc822;bounced@example.test"
    assert "550 5.1.1" in report.about_recipient["Diagnostic-Code"]
    assert TOKEN in report.returned_text
    assert await read_folder(config, "recipient", "INBOX") == []


async def test_no_bounce_for_a_sender_who_wants_none(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    await submit(config, "bounced", rcpt_options=["NOTIFY=NEVER"])
    await wait_for(quick_path, Happening.BOUNCED, "bounced")
    await submit(config, "on-time")
    await wait_for(quick_path, Happening.STORED, "on-time")
    assert happened(quick_path, Happening.RECEIVED, "prober") == []


async def test_greylisting_shows_the_wait_for_the_second_attempt(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    await submit(config, "greylisted")
    (stored,) = await wait_for(quick_path, Happening.STORED, "greylisted")
    (refused,) = happened(quick_path, Happening.REFUSED, "greylisted")
    assert refused.detail.startswith("451 4.7.1")
    assert (stored.at_ns - refused.at_ns) / 1e9 >= 0.4
    (raw,) = await read_folder(config, "recipient", "INBOX")
    _, relay, _, store = _stamps(raw)
    assert store - relay >= 0.4


async def test_every_message_is_greylisted_anew(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    for count in (1, 2):
        await submit(config, "greylisted")
        await wait_for(quick_path, Happening.STORED, "greylisted", times=count)
    assert len(happened(quick_path, Happening.REFUSED, "greylisted")) == 2


async def test_a_lost_message_is_taken_and_never_seen_again(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    assert (await submit(config, "lost")).code == 250
    (discarded,) = await wait_for(quick_path, Happening.DISCARDED, "lost")
    assert discarded.host == "filter.example.test"
    await submit(config, "on-time")
    await wait_for(quick_path, Happening.STORED, "on-time")
    (raw,) = await read_folder(config, "recipient", "INBOX")
    assert message_from_bytes(raw)["To"] == "on-time@example.test"
    assert await read_folder(config, "sender", "INBOX") == []


async def test_a_late_message_arrives_after_its_deadline(tmp_path: Path) -> None:
    late = replace(
        SCENARIOS["late"],
        hops=(_QUICK, HopSettings(delay_seconds=1.5), _QUICK, _QUICK),
        deadline_seconds=0.5,
    )
    async with MailPath([late], tmp_path) as path:
        config = read_config(path)
        sent = time.monotonic()
        await submit(config, "late")
        await asyncio.sleep(sent + config["routes"]["late"]["deadline"] - time.monotonic())
        assert await read_folder(config, "recipient", "INBOX") == []
        await wait_for(path, Happening.STORED, "late")
        assert time.monotonic() - sent > late.deadline_seconds
        assert len(await read_folder(config, "recipient", "INBOX")) == 1


def test_a_scripted_late_probe_lies_between_its_deadline_and_giving_up() -> None:
    late = SCENARIOS["late"]
    held = sum(hop.delay_seconds for hop in late.hops)
    assert late.deadline_seconds < held < late.give_up_after_seconds


async def test_forged_mail_has_the_form_of_a_tag_and_not_its_signature(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    await submit(config, "forged")
    await wait_for(quick_path, Happening.STORED, "forged", times=3)
    messages = [message_from_bytes(raw) for raw in await read_folder(config, "recipient", "INBOX")]
    by_sender = {message["Return-Path"]: message for message in messages}
    assert set(by_sender) == {
        "<prober@example.test>",
        "<forger@elsewhere.example>",
        "<news@elsewhere.example>",
    }
    forged = by_sender["<forger@elsewhere.example>"]["Subject"]
    token = re.search(r"spt1-[a-z2-7]{48}\b", forged)[0]  # type: ignore[index]
    assert token[:30] == TOKEN[:30]
    assert token != TOKEN
    assert "spt1-" not in by_sender["<news@elsewhere.example>"].as_string()


async def test_strangers_do_not_answer_each_other(quick_path: MailPath) -> None:
    config = read_config(quick_path)
    await submit(config, "forged")
    await wait_for(quick_path, Happening.STORED, "forged", times=3)
    await submit(config, "on-time")
    await wait_for(quick_path, Happening.STORED, "on-time")
    assert len(happened(quick_path, Happening.RECEIVED, "forged")) == 4 + 3 + 3


async def test_the_written_configuration_is_one_that_the_daemon_takes(
    quick_path: MailPath, tmp_path: Path
) -> None:
    config = load(quick_path.write_config(), {})
    assert set(config.routes) == set(SCENARIOS)
    assert set(config.senders) == {"submission", "submission-skewed-clocks"}
    assert config.state_directory.is_relative_to(tmp_path)
    assert {endpoint.host for endpoint in (*config.senders.values(), *config.mailboxes.values())} == {
        "127.0.0.1"
    }


async def test_secrets_are_in_files_that_only_their_owner_may_read(
    quick_path: MailPath, tmp_path: Path
) -> None:
    config_file = quick_path.write_config()
    private = [*(tmp_path / "demo").glob("*.secret"), *(tmp_path / "demo").glob("*.key")]
    assert len(private) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
    text = config_file.read_text(encoding="utf-8")
    assert all(file.read_text(encoding="ascii").strip() not in text for file in private)


async def test_the_configuration_can_be_written_while_the_path_runs_only(tmp_path: Path) -> None:
    path = MailPath([SCENARIOS["on-time"]], tmp_path)
    with pytest.raises(RuntimeError, match="not been started"):
        path.write_config()


async def test_passwords_reach_no_log(quick_path: MailPath, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    config = read_config(quick_path)
    await submit(config, "on-time")
    await read_folder(config, "recipient", "INBOX")
    endpoints = [*config["senders"].values(), *config["mailboxes"].values()]
    plain = [secret_of(endpoint) for endpoint in endpoints]
    encoded = [base64.b64encode(f"\0prober\0{secret}".encode()).decode() for secret in plain]
    assert not [secret for secret in plain + encoded if secret in caplog.text]


def _replies_of_a_stranger(config: dict) -> dict[str, int]:
    sender = config["senders"]["submission"]
    replies = {}
    with NamedSmtp(sender) as client:
        client.ehlo()
        replies["mail before tls"] = client.mail("prober@example.test")[0]
        client.starttls(context=trust_of(sender))
        client.ehlo()
        replies["mail before login"] = client.mail("prober@example.test")[0]
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login("prober", "wrong")
        replies["wrong password"] = refused.value.smtp_code
        client.login("prober", secret_of(sender))
        replies["another's address"] = client.mail("boss@example.test")[0]
        replies["own address"] = client.mail("prober@example.test")[0]
        replies["the world"] = client.rcpt("somebody@example.org")[0]
        replies["nobody"] = client.rcpt("nobody@example.test")[0]
        replies["plus address"] = client.rcpt("On-Time+abc123@EXAMPLE.test")[0]
    return replies


async def test_the_submission_server_takes_its_user_s_mail_for_its_own_domain_only(
    quick_path: MailPath,
) -> None:
    replies = await asyncio.to_thread(_replies_of_a_stranger, read_config(quick_path))
    assert replies == {
        "mail before tls": 530,
        "mail before login": 530,
        "wrong password": 535,
        "another's address": 553,
        "own address": 250,
        "the world": 550,
        "nobody": 550,
        "plus address": 250,
    }


async def test_leaving_ends_everything_at_once_though_clients_are_connected(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    path = MailPath([SCENARIOS["late"], SCENARIOS["skewed-clocks"]], tmp_path)
    async with path:
        config = read_config(path)
        await submit(config, "late")
        reader, writer = await asyncio.open_connection("127.0.0.1", config["senders"]["submission"]["port"])
        await reader.readline()
        async with open_raw_imap(config, "recipient") as client:
            await client.say("c IDLE", "+")
            left = time.monotonic()
            await path.__aexit__(None, None, None)
            assert time.monotonic() - left < 3
            assert (await client.line()).startswith("* BYE")
        writer.transport.abort()
    await wait_until(lambda: asyncio.all_tasks() <= before)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", config["mailboxes"]["recipient"]["port"])


def test_scenarios_with_equal_clocks_share_their_hosts() -> None:
    chains = group_by_clocks(SCENARIOS.values())
    assert set(chains) == {"example.test", "skewed-clocks.example.test"}
    assert len(chains["example.test"]) == len(SCENARIOS) - 1
