"""The caps: so many label values, then `other`; and no strangers' text can make more."""

from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.report.increments import Increment
from smtp_probe.report.label_caps import MAX_HOSTS, MAX_PATHS, REPLIES_BY_DETAIL, LabelCaps
from smtp_probe.report.metrics import BOUNCES, HOP_DURATION, PROBES, SMTP_REPLIES


def hop(by):
    return Increment(HOP_DURATION.name, (by,), 1.0)


def reply(code, route="example"):
    return Increment(SMTP_REPLIES.name, (route, "rcpt", str(code)))


def labels_of(increments):
    return [increment.labels for increment in increments]


@given(st.lists(st.text(max_size=3), max_size=300))
def test_hosts_are_never_more_than_the_cap_and_none_changes_its_label(names):
    caps = LabelCaps()
    first = labels_of(caps.admit(map(hop, names)))
    second = labels_of(caps.admit(map(hop, names)))

    assert len(set(first)) <= MAX_HOSTS
    assert first == second


def test_a_host_is_looked_up_under_the_label_it_is_counted_with():
    caps = LabelCaps()
    caps.admit(hop(f"mx{number}") for number in range(MAX_HOSTS + 10))

    assert caps.host_label("mx3") == "mx3"
    assert caps.host_label(f"mx{MAX_HOSTS + 5}") == "other"


def test_a_host_whose_clock_disagrees_is_named_although_it_is_never_counted():
    caps = LabelCaps()

    assert caps.host_label("fast.example.net") == "fast.example.net"
    assert labels_of(caps.admit([hop("fast.example.net")])) == [("fast.example.net",)]


def test_each_route_has_its_own_few_replies():
    caps = LabelCaps()
    one = labels_of(caps.admit(reply(code) for code in (550, 551, 450, 552, 550)))
    two = labels_of(caps.admit([reply(250, "two")]))

    assert one == [
        ("example", "rcpt", "550"),
        ("example", "other", "other"),
        ("example", "other", "other"),
        ("example", "other", "other"),
        ("example", "rcpt", "550"),
    ]
    assert two == [("two", "rcpt", "250")]


def test_a_route_that_is_greylisted_first_has_its_acceptances_told_apart():
    caps = LabelCaps()
    codes = [labels[-1] for labels in labels_of(caps.admit(reply(code) for code in (451, 250, 451, 250)))]

    assert codes == ["other", "250", "other", "250"]


def test_a_temporary_reply_that_was_told_apart_by_an_earlier_version_stays_so():
    caps = LabelCaps()
    caps.remember(SMTP_REPLIES.name, ("example", "rcpt", "451"))

    assert labels_of(caps.admit([reply(451)])) == [("example", "rcpt", "451")]


def test_full_detail_tells_more_replies_apart():
    caps = LabelCaps()
    caps.detail = "full"

    assert len(set(labels_of(caps.admit(map(reply, range(400, 500)))))) == REPLIES_BY_DETAIL["full"]


def bounce(status_class, category):
    return Increment(BOUNCES.name, ("example", status_class, category))


def test_a_route_has_few_kinds_of_bounces_also_after_a_restart():
    """A category is named `other` too; it is one of the few like any, and takes no further room later."""
    caps = LabelCaps()
    first = labels_of(caps.admit([bounce("5", "other"), bounce("5", "policy")]))
    again = LabelCaps()
    for labels in first:
        again.remember(BOUNCES.name, labels)

    assert first == [("example", "5", "other"), ("example", "other", "other")]
    assert labels_of(again.admit([bounce("4", "expired"), bounce("5", "other")])) == first[::-1]


def test_what_exists_is_told_apart_even_over_the_cap():
    """After a restart with a lower detail the samples of before go on."""
    caps = LabelCaps()
    for code in range(400, 420):
        caps.remember(SMTP_REPLIES.name, ("example", "rcpt", str(code)))

    assert labels_of(caps.admit([reply(419), reply(420)])) == [
        ("example", "rcpt", "419"),
        ("example", "other", "other"),
    ]


def test_other_metrics_pass_unchanged():
    increment = Increment(PROBES.name, ("example",))

    assert LabelCaps().admit([increment]) == (increment,)


def test_ways_are_capped_for_each_route():
    caps = LabelCaps()
    labels = [caps.path_label("example", f"{number:08x}") for number in range(100)]

    assert len(set(labels)) == MAX_PATHS
    assert labels[-1] == "other"
    assert caps.path_label("example", "00000003") == caps.path_label("two", "00000003") == "00000003"
