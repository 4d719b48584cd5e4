"""What is learned over many messages, over a restart, and from messages that lie."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smtp_probe.mail.clocks.domains import ClockDomain
from smtp_probe.mail.path.division import Sides
from smtp_probe.mail.trace import read_trace
from smtp_probe.model import (
    Arrival,
    ClockSighting,
    Disposition,
    Echo,
    Leg,
    Location,
    Memo,
    Origin,
    Phase,
    PhaseTiming,
    Placement,
    Probe,
    Stamp,
    Submission,
)
from smtp_probe.probes.path_reading import PathReader, RoutePath
from tests.mail.lines import line

NS = 1_000_000_000
START_NS = 1_788_249_600 * NS
HOSTS = ("submit.example.org", "relay.example.org", "mx.example.net", "store.example.net")
OFFSETS = {HOSTS[0]: 3.2, HOSTS[1]: -0.7, HOSTS[2]: 86_400.0, HOSTS[3]: 0.4}


def date_of(instant_ns):
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant_ns // 1000)
    return at.strftime("%a, %d %b %Y %H:%M:%S.%f +0000")


class Way:
    """A path with scripted clocks: sends messages, and knows what truly happened."""

    def __init__(self, offsets=None, hosts=HOSTS, seed=1):
        self.offsets = {host: 0.0 for host in hosts} | (OFFSETS if offsets is None else offsets)
        self.hosts = hosts
        self.random = random.Random(seed)
        self.now_ns = START_NS
        self.number = 0
        self.truth = []

    def _passage_ns(self):
        return round((0.005 + self.random.lognormvariate(-3.5, 1.0)) * NS)

    def send(self, queue_id="q0", extra=b"", route="r"):
        """One message: the probe, its submission, its arrival."""
        self.number += 1
        self.now_ns += 60 * NS + round((self.number * 0.618 % 1) * NS)
        dot_ns = self.now_ns
        at_ns, lines, self.truth = dot_ns - NS // 1000, b"", [0]
        source = "probe.example.org"
        before_ns = dot_ns
        for place, host in enumerate(self.hosts):
            if place:
                at_ns = before_ns + self._passage_ns()
                self.truth.append(at_ns - before_ns)
                before_ns = at_ns
            shown_ns = at_ns + round(self.offsets[host] * NS)
            lines = line(host, date_of(shown_ns), source=source, id_=f"q{place}") + lines
            source = host
        stored_ns = before_ns + 2 * NS // 1000
        self.truth.append(stored_ns - before_ns)
        clock_ns = stored_ns + round(self.offsets[self.hosts[-1]] * NS) // 1000 * 1000
        seen_ns = stored_ns + 3 * NS // 1000
        probe = Probe(
            probe_id=f"p{self.number}", route=route, sequence=self.number, sender="s", mailbox="inbox",
            bounce_mailbox=None, recipient="u@example.net", scheduled_ns=dot_ns, created_ns=dot_ns,
            deadline_seconds=60.0, give_up_after_seconds=600.0,
        )  # fmt: skip
        data_ns = dot_ns - 2 * NS // 1000
        submission = Submission(
            disposition=Disposition.ACCEPTED,
            started_ns=dot_ns - NS // 100,
            phases=tuple(
                PhaseTiming(phase=phase, started_ns=data_ns, duration_seconds=0.002)
                for phase in (Phase.CONNECT, Phase.DATA)
            ),
            final_dot_ns=dot_ns,
            accepted_ns=dot_ns + NS // 1000,
            queue_id=queue_id,
        )
        arrival = Arrival(
            location=Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=self.number),
            placement=Placement.INBOX,
            seen_ns=seen_ns,
            stored_ns=seen_ns,
            stamp=Stamp.SEEN,
            stamp_resolution_seconds=1e-9,
            trace=read_trace(lines + extra),
            clock_ns=clock_ns,
            clock_stamp=Stamp.GUID,
            clock_resolution_seconds=1e-6,
            absent_ns=stored_ns - NS // 1000,
        )
        return probe, submission, arrival


def make_reader(memos=()):
    reader = PathReader()
    reader.routes = {
        "r": RoutePath(
            sides=Sides(sending=("example.org",), receiving=("example.net",)),
            mailbox=ClockDomain(name=HOSTS[3]),
        )
    }
    reader.restore(memos)
    return reader


def learn(reader, way, count):
    readings = []
    for _ in range(count):
        readings.append(reader.read(*way.send()))
        timing = readings[-1].timing
        assert sum(hop.span.took_ns for hop in timing.hops) == timing.delivery.took_ns
        for hop, true_ns in zip(timing.hops, way.truth, strict=True):
            assert hop.span.least_ns - 2_000 <= true_ns <= hop.span.most_ns + 2_000
            assert 0 <= hop.span.least_ns <= hop.span.took_ns <= hop.span.most_ns
    return readings


def test_hops_on_clocks_that_are_a_day_apart_are_read_to_milliseconds():
    way = Way()
    last = learn(make_reader(), way, 60)[-1]

    errors = [
        abs(hop.span.took_ns - true_ns) / 1e6
        for hop, true_ns in zip(last.timing.hops, way.truth, strict=True)
    ]
    assert max(errors) < 25
    assert {each.by: round(each.span.seconds, 1) for each in last.timing.offsets} == OFFSETS
    assert last.arrival.stored_ns == way.now_ns + last.timing.delivery.took_ns
    assert last.arrival.stamp is Stamp.GUID


def test_the_way_of_a_message_is_divided_and_its_legs_add_up():
    reading = learn(make_reader(), Way(), 3)[-1]

    assert [each.leg for each in reading.path.legs] == [Leg.OUTBOUND, Leg.TRANSPORT, Leg.INBOUND]
    assert sum(each.span.took_ns for each in reading.path.legs) == reading.timing.delivery.took_ns
    assert reading.path.origin is Origin.CONFIRMED
    assert reading.path.egress.ehlo_name == HOSTS[1]
    assert reading.path.identity.hosts == HOSTS
    assert reading.path.findings == ()


def test_what_was_learned_survives_in_pieces_and_nothing_else_is_needed():
    way, reader, kept = Way(), make_reader(), {}
    for reading in learn(reader, way, 40):
        kept.update({(memo.kind, memo.name): memo for memo in reader.memos(reading)})
    again = make_reader(kept.values())
    probe, submission, arrival = way.send()

    known = again.read(probe, submission, arrival)
    before = reader.read(probe, submission, arrival)
    anew = make_reader().read(probe, submission, arrival)

    widths = [max(hop.span.uncertainty_seconds for hop in each.timing.hops) for each in (before, known, anew)]
    assert widths[0] <= widths[1] <= widths[0] + 0.1
    assert widths[1] < widths[2]
    for one, other in zip(known.timing.offsets, before.timing.offsets, strict=True):
        assert one.span.seconds == pytest.approx(other.span.seconds, abs=0.02)
    assert known.path.identity == before.path.identity
    assert known.path.change is None


def test_a_clock_that_was_set_is_found_and_named_once():
    way, reader = Way(), make_reader()
    learn(reader, way, 20)
    way.offsets = {**way.offsets, HOSTS[2]: way.offsets[HOSTS[2]] + 5.0}
    steps = [step for reading in learn(reader, way, 5) for step in reading.timing.steps]

    assert [step.by for step in steps] == [HOSTS[2]]
    assert steps[0].shift_ns / NS == pytest.approx(5.0, abs=0.2)


def test_lines_that_somebody_put_beneath_ours_are_no_part_of_the_way():
    way = Way()
    forged = line("forged.example.com", date_of(START_NS - 3600 * NS), id_="z")
    reading = make_reader().read(*way.send(extra=forged))

    assert reading.path.origin is Origin.ABOVE
    assert reading.path.findings[0].check == "origin"
    assert reading.path.identity.hosts == HOSTS
    assert reading.timing.hops[0].first == 2
    assert reading.timing.hops[-1].by == "store"


def test_a_chain_without_the_line_of_our_server_does_not_begin_in_our_dialogue():
    way = Way()
    reading = make_reader().read(*way.send(queue_id="other"))

    assert reading.path.origin is Origin.MISSING
    assert sum(hop.span.took_ns for hop in reading.timing.hops) == reading.timing.delivery.took_ns


def test_a_message_without_lines_is_all_store():
    probe, submission, arrival = Way().send()
    reading = make_reader().read(probe, submission, replace(arrival, trace=read_trace(b"")))

    assert [hop.by for hop in reading.timing.hops] == ["store"]
    assert reading.path.identity.hosts == ()
    assert reading.path.egress is None


def test_without_a_final_dot_there_is_a_way_and_no_time():
    probe, submission, arrival = Way().send()
    reading = make_reader().read(probe, replace(submission, final_dot_ns=None), arrival)

    assert reading.timing is None
    assert reading.arrival == arrival
    assert len(reading.path.roles) == len(HOSTS)


def test_damaged_memos_are_learned_anew():
    memos = [
        Memo(kind="clock", name="a", text="{"),
        Memo(kind="clock", name="b", text="[]"),
        Memo(kind="path", name="r", text='{"current": 1}'),
        Memo(kind="else", name="r", text="1"),
    ]
    reading = make_reader(memos).read(*Way().send())

    assert reading.path.change is None
    assert reading.timing is not None


def test_a_reading_of_the_mailbox_servers_clock_narrows_its_bounds_and_is_written_down():
    way, reader, other = Way(), make_reader(), make_reader()
    first = way.send()
    wide = reader.read(*first).timing.offsets[-1].span
    other.read(*first)
    offset_ns = round(OFFSETS[HOSTS[-1]] * NS)
    now_ns = way.now_ns + NS
    for seconds in range(20):
        at_ns = now_ns + seconds * NS
        reader.sight(
            "inbox",
            ClockSighting(
                at_ns=at_ns + offset_ns,
                resolution_seconds=1e-6,
                earliest_ns=at_ns - 1000,
                latest_ns=at_ns + 1000,
            ),
        )
    second = way.send()
    with_sight, without = reader.read(*second), other.read(*second)
    narrow = with_sight.timing.offsets[-1].span

    assert narrow.least_ns <= offset_ns <= narrow.most_ns
    assert narrow.most_ns - narrow.least_ns < wide.most_ns - wide.least_ns
    assert narrow.uncertainty_seconds <= without.timing.offsets[-1].span.uncertainty_seconds
    assert {memo.kind for memo in reader.memos(with_sight)} == {"clock"}


def test_a_way_is_written_down_when_it_is_new_and_not_with_every_message():
    way, reader = Way(), make_reader()
    first, second = (reader.read(*way.send()) for _ in range(2))

    assert [{memo.kind for memo in reader.memos(reading)} for reading in (first, second)] == [
        {"clock", "path"},
        {"clock"},
    ]


def test_a_reading_before_any_arrival_belongs_to_no_clock_yet():
    reader = make_reader()
    reader.sight("inbox", ClockSighting(at_ns=0, resolution_seconds=1.0, earliest_ns=0, latest_ns=1))

    assert reader.read(*Way().send()).timing is not None


def test_the_way_of_an_echo_begins_at_our_server_only_where_it_is_quoted():
    way, reader = Way(), make_reader()
    probe, submission, arrival = way.send(queue_id="q0")
    quoted = reader.read(probe, submission, replace(arrival, echo=Echo(outbound_hops=2)))
    assert quoted.path.origin is Origin.CONFIRMED
    assert [role.leg for role in quoted.path.roles] == [Leg.OUTBOUND] * 2 + [Leg.RETURN] * (
        len(way.hosts) - 2
    )
    assert quoted.path.egress is None or not quoted.path.egress.is_trusted
    assert sum(leg.span.took_ns for leg in quoted.path.legs) == quoted.timing.delivery.took_ns

    probe, submission, arrival = way.send(queue_id="q0")
    unquoted = reader.read(probe, submission, replace(arrival, echo=Echo(outbound_hops=0)))
    assert unquoted.path.origin is None
    assert unquoted.path.egress is None
    assert unquoted.path.findings == ()
