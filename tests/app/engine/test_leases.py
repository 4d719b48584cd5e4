"""Mailboxes that a route joins are watched by one."""

from smtp_probe.app.engine.leases import MOST_GROUPS, group_mailboxes
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


def test_many_mailboxes_are_thrown_together_and_stay_where_they_are():
    config = make_config()
    mailbox = next(iter(config.mailboxes.values()))

    def groups_of(count):
        names = [f"box{number}" for number in range(count)]
        return group_mailboxes(
            config.model_copy(update={"routes": {}, "mailboxes": dict.fromkeys(names, mailbox)})
        )

    few, many, more = groups_of(MOST_GROUPS), groups_of(5000), groups_of(5001)

    assert len(few) == len(many) == MOST_GROUPS
    assert set(few) == {f"box{number}" for number in range(MOST_GROUPS)}
    assert sum(map(len, many.values())) == 5000
    assert sum(many[key] != more[key] for key in many) == 1
    assert max(map(len, many.values())) < 2 * 5000 / MOST_GROUPS
