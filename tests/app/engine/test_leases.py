"""Mailboxes that a route joins are watched by one."""

from smtp_probe.app.engine.leases import group_mailboxes
from tests.report.samples import make_config


def test_what_bounces_join_is_one_group():
    config = make_config()
    route = next(iter(config.routes.values()))
    routes = {
        "a": route.model_copy(update={"mailbox": "one", "bounce_mailbox": "bounces"}),
        "b": route.model_copy(update={"mailbox": "two", "bounce_mailbox": "bounces"}),
        "c": route.model_copy(update={"mailbox": "three", "bounce_mailbox": None}),
    }

    mailbox = next(iter(config.mailboxes.values()))
    mailboxes = dict.fromkeys(("one", "two", "three", "bounces", "unused"), mailbox)

    groups = group_mailboxes(config.model_copy(update={"routes": routes, "mailboxes": mailboxes}))

    assert groups == {
        "bounces": frozenset({"one", "two", "bounces"}),
        "three": frozenset({"three"}),
        "unused": frozenset({"unused"}),  # a probe may still wait for it
    }
