"""What is shown of a queue: everything after a good look, and nothing of it after one that failed."""

from dataclasses import replace

from smtp_probe.mail.queue_listing.states import POSTFIX_STATES
from smtp_probe.mail.queue_listing.survey import QueueCount
from smtp_probe.model import QueuedRecipient, QueueEntry, QueueFailure, QueueLook, QueueState, RetryLook
from smtp_probe.report import metrics
from tests.report.golden_page import RETRIES
from tests.report.samples import make_config, make_telemetry

NS = 10**9
CONFIG = make_config(queues={"out": {"kind": "postfix", "labels": {"team": "post"}}})


def survey(*ages):
    count = QueueCount(10_000, POSTFIX_STATES, top_destinations=2)
    for age in ages:
        recipient = QueuedRecipient("a@example.org", "Connection refused")
        count.add(
            QueueEntry(
                queue_id="A",
                state=QueueState.DEFERRED,
                arrived_seconds=10_000 - age,
                size_bytes=5,
                sender="",
                recipients=(recipient,),
            )
        )
    return count.total()


def good(*ages, queue="out"):
    return QueueLook(
        queue=queue, at_ns=10_000 * NS, duration_seconds=0.5, survey=survey(*ages), growth_per_second=-0.5
    )


RETRIES_OF_OUT = replace(RETRIES, queue="out")
FAILED = QueueLook(queue="out", at_ns=10_060 * NS, duration_seconds=20.0, failure=QueueFailure.TIMEOUT)


def shown(telemetry):
    series = telemetry.series
    names = [metric for metric in metrics.METRICS if metric.group_label == "queue"]
    return {
        (metric.name.removeprefix("smtp_probe_queue_"), *labels[1:]): value
        for metric in names
        for labels, value in series.all(metric)
        if isinstance(value, float)
    }


def test_before_the_first_look_only_the_failures_are_known():
    assert set(shown(make_telemetry(CONFIG)).values()) == {0.0}
    assert {key[0] for key in shown(make_telemetry(CONFIG))} == {"read_failures_total"}


def test_a_good_look_is_shown_whole():
    telemetry = make_telemetry(CONFIG)
    telemetry.queues.show(good(100, 300))
    seen = shown(telemetry)

    assert seen["up",] == 1.0
    assert (seen["messages", "deferred"], seen["messages", "hold"]) == (2.0, 0.0)
    assert seen["size_bytes", "deferred"] == 10.0
    assert seen["oldest_message_timestamp_seconds", "deferred"] == 9_700.0
    assert ("oldest_message_timestamp_seconds", "hold") not in seen
    assert 280 < seen["message_age_seconds", "deferred", "99"] < 320
    assert (seen["deferred_messages", "network"], seen["deferred_messages", "dns"]) == (2.0, 0.0)
    assert seen["deferred_destination_messages", "example.org"] == 2.0
    assert seen["growth_messages_per_second",] == -0.5
    assert seen["last_read_timestamp_seconds",] == 10_000.0
    assert seen["probes",] == 0.0


def test_a_failed_look_takes_away_what_is_no_longer_known():
    telemetry = make_telemetry(CONFIG)
    telemetry.queues.show(good(100))
    telemetry.queues.show(FAILED)
    seen = shown(telemetry)

    assert seen["up",] == 0.0
    assert seen["read_failures_total", "timeout"] == 1.0
    assert seen["last_read_timestamp_seconds",] == 10_000.0
    assert {key[0] for key in seen} == {"up", "read_failures_total", "last_read_timestamp_seconds"}


def test_findings_and_waits_stand_as_long_as_the_server_says_so():
    telemetry = make_telemetry(CONFIG)
    telemetry.queues.show(RETRIES_OF_OUT)
    seen = shown(telemetry)

    assert (seen["retry_schedule_up",], seen["retry_schedule_seconds", "first"]) == (1.0, 30.0)
    assert seen["finding", "retry_too_soon", "warning"] == 1.0

    telemetry.queues.show(RetryLook(queue="out", at_ns=1, failure=QueueFailure.MISSING))
    seen = shown(telemetry)
    assert seen["retry_schedule_up",] == 0.0
    assert {key[0] for key in seen} == {"retry_schedule_up", "read_failures_total"}


def test_a_destination_that_is_gone_is_shown_no_more():
    telemetry = make_telemetry(CONFIG)
    telemetry.queues.show(good(100))
    telemetry.queues.show(good())

    assert ("deferred_destination_messages", "example.org") not in shown(telemetry)


def test_a_queue_that_is_not_configured_is_ignored():
    telemetry = make_telemetry(CONFIG)
    telemetry.queues.show(good(1, queue="elsewhere"))

    assert {key[0] for key in shown(telemetry)} == {"read_failures_total"}
