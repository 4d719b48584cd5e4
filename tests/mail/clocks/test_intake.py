"""From a probe's facts to what is estimated from."""

from smtp_probe.mail.clocks.domains import ClockDomain, DomainRule
from smtp_probe.mail.clocks.facts import ClockStamp, HopStamp
from smtp_probe.mail.clocks.intake import read_dialogue, stamp_clock, stamp_hops
from smtp_probe.model import Disposition, Hop, Phase, PhaseTiming, Submission

SECOND_NS = 1_000_000_000


def test_a_hop_with_a_name_and_a_time_has_a_stamp():
    hop = Hop(by="MX.example.com", at_ns=5 * SECOND_NS, resolution_seconds=1e-6, stamp_event="rcpt")

    assert stamp_hops([hop]) == (
        HopStamp(
            label="mx.example.com",
            stamp=ClockStamp(
                domain="mx.example.com", at_ns=5 * SECOND_NS, resolution_ns=1000, event="rcpt", looseness_ns=0
            ),
        ),
    )


def test_a_hop_without_a_time_or_a_name_has_none():
    hops = [Hop(by="mx.example.com"), Hop(at_ns=5), Hop(by="localhost", at_ns=5)]

    assert [(each.label, each.stamp) for each in stamp_hops(hops)] == [
        ("mx.example.com", None),
        ("unknown", None),
        ("localhost", None),
    ]


def test_a_filter_on_localhost_is_known_by_the_name_beside_it():
    (hop,) = stamp_hops([Hop(by="localhost", by_host="mx.example.com", at_ns=5)])

    assert hop.stamp is not None
    assert hop.stamp.domain == "mx.example.com"
    assert hop.stamp.resolution_ns == SECOND_NS


def test_rules_for_domains_are_heeded():
    rules = (DomainRule(suffix="example.com", domain=ClockDomain(name="site", looseness_ns=7)),)

    (hop,) = stamp_hops([Hop(by="mx.example.com", at_ns=5)], rules)

    assert hop.stamp is not None
    assert (hop.stamp.domain, hop.stamp.looseness_ns) == ("site", 7)


def test_a_resolution_finer_than_a_nanosecond_is_one():
    assert stamp_clock(ClockDomain(name="a"), 5, 1e-12, None).resolution_ns == 1


def submission(*phases, final_dot_ns=9 * SECOND_NS):
    timings = tuple(
        PhaseTiming(phase=phase, started_ns=start * SECOND_NS, duration_seconds=seconds)
        for phase, start, seconds in phases
    )
    return Submission(
        disposition=Disposition.ACCEPTED,
        started_ns=0,
        phases=timings,
        final_dot_ns=final_dot_ns,
        accepted_ns=10 * SECOND_NS,
    )


def test_the_dialogue_has_the_instants_of_the_phases():
    talk = read_dialogue(
        submission((Phase.CONNECT, 1, 0.5), (Phase.MAIL, 4, 0.25), (Phase.RCPT, 5, 0.5), (Phase.DATA, 7, 2.0))
    )

    assert talk is not None
    assert (talk.connect_ns, talk.mail_ns, talk.mail_reply_ns) == (SECOND_NS, 4 * SECOND_NS, 4_250_000_000)
    assert (talk.rcpt_ns, talk.rcpt_reply_ns) == (5 * SECOND_NS, 5_500_000_000)
    assert (talk.data_ns, talk.final_dot_ns, talk.accepted_ns) == (
        7 * SECOND_NS,
        9 * SECOND_NS,
        10 * SECOND_NS,
    )


def test_what_was_not_measured_is_not_known():
    talk = read_dialogue(submission())

    assert talk is not None
    assert (talk.connect_ns, talk.mail_ns, talk.data_ns) == (None, None, None)


def test_there_is_no_dialogue_without_a_final_dot():
    assert read_dialogue(submission(final_dot_ns=None)) is None
