"""From a probe's facts to an observation: whose clock stamped the store, and what is left out."""

import base64
from dataclasses import replace

from smtp_probe.mail.clocks.domains import ClockDomain
from smtp_probe.mail.clocks.observation import Surroundings, observe_probe
from smtp_probe.mail.trace import read_trace
from smtp_probe.model import Arrival, Disposition, Location, Placement, Stamp, Submission
from tests.mail.lines import chain, line

NS = 1_000_000_000
DOT_NS = 1_788_249_600 * NS  # 1 September 2026, 08:00:00
AROUND = Surroundings(mailbox=ClockDomain(name="mailbox:inbox"))
HEADER = chain(("a.example.org", "08:00:00"), ("b.example.net", "08:00:02"))


def submission(final_dot_ns=DOT_NS):
    return Submission(disposition=Disposition.ACCEPTED, started_ns=DOT_NS - NS, final_dot_ns=final_dot_ns)


def arrival(header=HEADER, **facts):
    given = {
        "seen_ns": DOT_NS + 5 * NS,
        "stored_ns": DOT_NS + 4 * NS,
        "stamp": Stamp.GUID,
        "stamp_resolution_seconds": 1e-6,
        "clock_ns": DOT_NS + 4 * NS,
        "clock_resolution_seconds": 1e-6,
        **facts,
    }
    location = Location(mailbox="inbox", folder="INBOX", uidvalidity=1, uid=1)
    return Arrival(location=location, placement=Placement.INBOX, trace=read_trace(header), **given)


def test_the_store_is_stamped_by_the_mailbox_server():
    seen = observe_probe(submission(), arrival(), AROUND)

    assert seen is not None
    assert [hop.label for hop in seen.hops] == ["a.example.org", "b.example.net"]
    assert seen.store is not None
    assert (seen.store.domain, seen.store.at_ns, seen.store.resolution_ns) == (
        *("mailbox:inbox", DOT_NS + 4 * NS, 1000),
    )
    assert seen.is_store_believed


def test_a_stamp_outside_of_its_window_is_used_and_not_believed():
    seen = observe_probe(submission(), arrival(stamp=Stamp.SEEN, clock_ns=DOT_NS + 99 * NS), AROUND)

    assert seen is not None
    assert seen.store is not None
    assert not seen.is_store_believed


def lmtp(host_hash, guid_hash):
    """A line of Dovecot's LMTP server and the X-GUID of the message, each with the hash of its host's name."""
    raw = (DOT_NS % NS).to_bytes(4, "little") + (DOT_NS // NS).to_bytes(4, "little") + b"\1\0\0\0"
    session = base64.b64encode(raw + host_hash).decode().rstrip("=")
    header = line("b.example.net", "08:00:00", with_="LMTP", id_=session)
    return header, (raw + guid_hash).hex()


def test_a_mailbox_on_the_host_of_the_last_hop_has_its_clock():
    header, guid = lmtp(b"host", b"host")
    same = observe_probe(submission(), arrival(header, guid=guid), AROUND)
    header, guid = lmtp(b"host", b"else")
    other = observe_probe(submission(), arrival(header, guid=guid), AROUND)

    assert same is not None
    assert other is not None
    assert same.store is not None
    assert other.store is not None
    assert (same.store.domain, other.store.domain) == ("b.example.net", "mailbox:inbox")


def test_a_stamp_of_whole_seconds_is_no_event_where_we_had_just_looked():
    coarse = arrival(clock_resolution_seconds=1.0, stamp=Stamp.SEEN)
    looked = observe_probe(submission(), replace(coarse, absent_ns=coarse.seen_ns - NS // 10), AROUND)
    waited = observe_probe(submission(), replace(coarse, absent_ns=coarse.seen_ns - 3 * NS), AROUND)

    assert looked is not None
    assert waited is not None
    assert looked.store is None
    assert [(each.earliest_ns, each.latest_ns) for each in looked.sightings] == [(DOT_NS, coarse.seen_ns)]
    assert waited.store is not None


def test_lines_that_are_not_ours_are_skipped():
    seen = observe_probe(submission(), arrival(), replace(AROUND, skipped=1, begins_at_peer=False))

    assert seen is not None
    assert [hop.label for hop in seen.hops] == ["b.example.net"]
    assert not seen.begins_at_peer


def test_without_a_final_dot_nothing_can_be_measured():
    assert observe_probe(submission(None), arrival(), AROUND) is None
    unstamped = observe_probe(submission(), arrival(clock_ns=None, clock_resolution_seconds=None), AROUND)
    assert unstamped is not None
    assert unstamped.store is None
