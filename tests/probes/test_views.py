"""Views of mailboxes: by name and account, and who waits for one."""

import dataclasses

from smtp_probe.model import Probe
from smtp_probe.probes.views import MailboxView, Views, bounces_of, inbox_of

PROBE = Probe(
    probe_id="p", route="r", sequence=1, sender="s", mailbox="inbox", bounce_mailbox=None, recipient="u@example.test",
    scheduled_ns=0, created_ns=0, deadline_seconds=1, give_up_after_seconds=2, mailbox_account="new",
)  # fmt: skip


def view(covered_ns, account=""):
    return MailboxView(lambda: covered_ns, lambda: None, lambda _: None, account)


def make_views():
    views = Views()
    views.current = {"inbox": view(100, "new"), "bounces": view(None, "b")}
    views.former = {("inbox", "old"): view(50, "old")}
    return views


def test_a_mailbox_is_found_by_its_name_and_account():
    views = make_views()

    assert views.covered_ns(("inbox", "new")) == 100
    assert views.covered_ns(("inbox", "old")) == 50
    assert views.covered_ns(("inbox", "older")) is None
    assert views.covered_ns(("inbox", "")) == 100  # written down before accounts were
    assert views.covered_ns(None) is None
    assert (views.account_of("inbox"), views.account_of("gone"), views.account_of(None)) == ("new", "", "")


def test_a_probe_names_its_mailboxes():
    assert inbox_of(PROBE) == ("inbox", "new")
    assert bounces_of(PROBE) is None
    with_bounces = dataclasses.replace(PROBE, bounce_mailbox="bounces", bounce_account="b")
    assert bounces_of(with_bounces) == ("bounces", "b")


def test_who_waits_is_named_once_when_all_mailboxes_are_known_far_enough():
    views = make_views()
    views.wait("late", (("inbox", "new"),), 101)
    views.wait("early", (("inbox", "new"),), 99)
    views.wait("both", (("inbox", "new"), ("bounces", "b")), 10)

    assert list(views.seen()) == ["early"]
    assert list(views.seen()) == []
    assert views.is_waited_for
    views.current = {"inbox": view(200, "new"), "bounces": view(10, "b")}
    assert sorted(views.seen()) == ["both", "late"]
    assert not views.is_waited_for


def test_a_mailbox_without_room_is_named_and_one_that_is_both_is_named_once():
    views, full = Views(), dataclasses.replace(view(100, "new"), shortage=lambda: "9 of 9 KiB used")
    views.current = {"inbox": full, "bounces": dataclasses.replace(full, account="b")}
    with_bounces = dataclasses.replace(PROBE, bounce_mailbox="bounces", bounce_account="b")
    with_one = dataclasses.replace(PROBE, bounce_mailbox="inbox", bounce_account="new")

    assert (
        views.lack_of_room(with_one)
        == views.lack_of_room(PROBE)
        == "the mailbox has no room, 9 of 9 KiB used"
    )
    assert views.lack_of_room(with_bounces).endswith("; the bounce mailbox has no room, 9 of 9 KiB used")
    assert views.lack_of_room(dataclasses.replace(PROBE, mailbox="gone")) == ""


def test_a_mailbox_that_is_being_read_says_so():
    views = make_views()
    views.current = {"inbox": dataclasses.replace(view(None), is_looking=lambda: True), "b": view(1)}

    assert views.is_looking(("inbox", ""))
    assert not views.is_looking(("b", ""))
    assert not views.is_looking(("unknown", ""))
    assert not views.is_looking(None)
