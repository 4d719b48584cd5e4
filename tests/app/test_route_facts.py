"""What is known of routes can be put together mailbox by mailbox."""

from smtp_probe.app.route_facts import facts_by_mailbox, put_together
from smtp_probe.mail.tag import hash_route
from tests.report.samples import make_config


def make_routes(**changes):
    config = make_config()
    route, mailbox = next(iter(config.routes.values())), next(iter(config.mailboxes.values()))
    routes = {
        f"r{number}": route.model_copy(update={"mailbox": f"box{number % 2}", **changes})
        for number in range(4)
    }
    mailboxes = {f"box{number}": mailbox for number in range(2)}
    return config.model_copy(update={"routes": routes, "mailboxes": mailboxes})


def test_the_parts_make_the_whole_and_none_has_what_is_anothers():
    facts = facts_by_mailbox(make_routes(authentication=True))
    whole, one = put_together(facts, facts), put_together(facts, ["box1", "unknown"])

    assert set(whole.identities) == {hash_route(f"r{number}") for number in range(4)}
    assert set(whole.paths) == set(whole.verdicts) == {f"r{number}" for number in range(4)}
    assert set(one.paths) == set(one.verdicts) == {"r1", "r3"}
    assert {identity.name for identity in one.identities.values()} == {"r1", "r3"}
    assert put_together(facts, ()).identities == {}


def test_verdicts_are_formed_where_that_is_asked_for_and_a_message_is_the_senders():
    silent = put_together(facts := facts_by_mailbox(make_routes(authentication=False)), facts)
    echo = put_together(facts := facts_by_mailbox(make_routes(authentication=True, echo=True)), facts)

    assert silent.verdicts == echo.verdicts == {}
    assert len(silent.identities) == len(echo.identities) == 4
    assert all(identity.echo is not None for identity in echo.identities.values())
    assert all(identity.echo is None for identity in silent.identities.values())


def test_the_author_is_the_address_of_the_from_header():
    config = make_routes()
    sender = next(iter(config.senders))
    named = config.senders[sender].model_copy(update={"from_": "The Prober <prober@example.test>"})
    facts = facts_by_mailbox(config.model_copy(update={"senders": {**config.senders, sender: named}}))

    authors = {each.author for each in put_together(facts, facts).identities.values()}
    assert authors == {"prober@example.test"}
