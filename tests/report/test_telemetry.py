"""The parts put together: a start, a restart, a reload."""

import gc
import io
import logging

import pytest

from smtp_probe.model import OutcomeKind
from smtp_probe.report.log import LogForm, LogHandler
from smtp_probe.report.telemetry import Telemetry
from tests.report.samples import (
    START_NS,
    life_of,
    make_config,
    make_outcome,
    make_probe,
    make_telemetry,
    one_by_one,
    samples_of,
    tell,
)


async def test_before_the_journal_is_read_the_page_shows_no_counter_that_it_keeps():
    """Zero and then the old value would look to Prometheus like everything happening again."""
    telemetry = Telemetry(lambda: START_NS, with_process=False)
    telemetry.declare(make_config())
    before = samples_of(await telemetry.exposition.page())
    telemetry.totals.restore(())
    after = samples_of(await telemetry.exposition.page())

    assert 'smtp_probe_probes_total{route="example"}' not in before
    assert before['smtp_probe_mailbox_up{mailbox="inbox"}'] == 0.0
    assert after['smtp_probe_probes_total{route="example"}'] == 0.0


async def test_a_restart_recalls_what_was_last():
    outcomes = [make_outcome(kind, probe=make_probe(n)) for n, kind in enumerate(OutcomeKind)]
    running, restarted = make_telemetry(), make_telemetry()
    for outcome in outcomes:
        for event in life_of(outcome):
            running.observe(event)
    await restarted.recall(one_by_one(outcomes))

    assert restarted.history.probes() == running.history.probes()
    assert restarted.history.routes() == running.history.routes()
    assert samples_of(await restarted.exposition.page()) == samples_of(await running.exposition.page())


@pytest.mark.slow
async def test_a_reload_shows_what_it_declares_and_nothing_else():
    telemetry = make_telemetry()
    tell(telemetry, *life_of(make_outcome()))
    sender = {
        "host": "smtp.example.com",
        "tls": "implicit",
        "ehlo_name": "probe.example.net",
        "envelope_from": "probe@example.net",
    }
    telemetry.declare(
        make_config(
            senders={"other": sender},
            mailboxes={"box": {"host": "imap.example.com", "tls": "implicit"}},
            routes={"new": {"sender": "other", "recipient": "probe@example.org", "mailbox": "box"}},
        )
    )
    page = (await telemetry.exposition.page()).body.decode()

    assert 'route="new"' in page
    assert 'sender="other"' in page
    assert 'mailbox="box"' in page
    for gone in ('route="example"', 'sender="relay"', 'mailbox="inbox"', "smtp.example.net"):
        assert gone not in page


async def test_the_certificate_of_a_server_that_no_route_uses_any_more_is_shown_no_more():
    telemetry = make_telemetry()
    tell(telemetry, *life_of(make_outcome()))
    shown = (await telemetry.exposition.page()).body.decode()
    old = make_config()
    other = old.senders["relay"].model_copy(update={"host": "smtp.example.com"})
    route = old.routes["example"].model_copy(update={"sender": "other"})
    telemetry.declare(
        old.model_copy(update={"senders": {**old.senders, "other": other}, "routes": {"example": route}})
    )
    page = (await telemetry.exposition.page()).body.decode()

    assert 'endpoint="smtp.example.net:587"' in shown
    assert "smtp.example.net" not in page


async def test_log_lines_are_on_the_page():
    log = LogHandler(LogForm.LOGFMT, io.StringIO())
    telemetry = make_telemetry(log=log)
    log.handle(logging.makeLogRecord({"levelname": "WARNING", "levelno": logging.WARNING}))
    samples = samples_of(await telemetry.exposition.page())

    assert samples['smtp_probe_log_messages_total{level="warning"}'] == 1.0


async def test_what_is_asked_for_is_asked_before_each_page():
    telemetry = make_telemetry()
    counts = iter((3, 5))
    telemetry.before_page = lambda: telemetry.observations.in_flight("example", next(counts), START_NS)
    pages = [samples_of(await telemetry.exposition.page()) for _ in range(2)]

    assert [page['smtp_probe_messages_in_flight{route="example"}'] for page in pages] == [3.0, 5.0]


async def test_warming_renders_beforehand_and_frees_the_collector_of_what_stands():
    telemetry = make_telemetry()
    gc.unfreeze()
    try:
        await telemetry.warm()
        frozen = gc.get_freeze_count()
    finally:
        gc.unfreeze()

    assert frozen > 0
    assert b"smtp_probe_probes" in (await telemetry.exposition.page()).body
