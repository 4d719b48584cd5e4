"""Which server is tried, as whom, how often; where no password goes. Real servers: tests/cli/test_init.py."""

from pathlib import Path

import pytest

from smtp_probe.app.account_setup import AccountSetup, SetupRequest, ehlo_name, endpoint
from smtp_probe.app.login_test import LoginResult
from smtp_probe.config.settings import Mailbox, Sender
from smtp_probe.model import AccountProtocol, Cause, Failure, FoundServer
from smtp_probe.policy.discovery.service_records import Person

PERSON = Person("probe", "example.test")
REQUEST = SetupRequest(person=PERSON, password_file=Path("/secret"))
REFUSED = Failure(stage="auth", cause=Cause.AUTH_REFUSED.value)
UNREACHABLE = Failure(stage="connect", cause=Cause.CONNECT_REFUSED.value)


def server(host, *usernames, is_vouched=True, protocol=AccountProtocol.IMAP):
    return FoundServer(
        protocol=protocol,
        host=host,
        port=993,
        is_implicit_tls=True,
        usernames=usernames or PERSON.usernames,
        source="a test",
        is_vouched=is_vouched,
    )


class Scripted(AccountSetup):
    """Answers logins from a table; everything else is the real thing."""

    def __init__(self, answers, *, request=REQUEST, accepts=lambda _: False):
        self.tried = []
        self.answers = answers
        super().__init__(request=request, accepts=accepts, on_trial=lambda *_: None)

    async def _try(self, server, username):
        self.tried.append((server.host, username))
        failure = self.answers.get((server.host, username), self.answers.get(server.host))
        return LoginResult(kind="mailbox", name="inbox", server=server.host, failure=failure)


async def choose(setup, *servers):
    return await setup.choose(AccountProtocol.IMAP, servers)


async def test_the_first_that_takes_the_login_is_chosen():
    setup = Scripted({"a": UNREACHABLE, ("b", "probe@example.test"): REFUSED})
    chosen = await choose(setup, server("a"), server("b"), server("c"))

    assert (chosen.server.host, chosen.username) == ("b", "probe")
    assert setup.tried == [("a", "probe@example.test"), ("b", "probe@example.test"), ("b", "probe")]


async def test_after_two_refusals_nobody_else_is_told_the_password():
    setup = Scripted({"a": REFUSED, "b": REFUSED, "c": None})

    assert await choose(setup, server("a"), server("b"), server("c")) is None
    assert setup.tried == [("a", "probe@example.test"), ("a", "probe")]
    assert setup.refused[AccountProtocol.IMAP].failure is REFUSED


async def test_servers_that_are_not_there_do_not_go_on_for_ever():
    setup = Scripted(dict.fromkeys("abcdefghij", UNREACHABLE))

    assert await choose(setup, *map(server, "abcdefghij")) is None
    assert len(setup.tried) == 6


@pytest.mark.parametrize("accepts", [True, False])
async def test_a_server_that_nobody_vouches_for_is_asked_about_first(accepts):
    setup = Scripted({}, accepts=lambda _: accepts)
    chosen = await choose(setup, server("foreign", is_vouched=False))

    assert bool(setup.tried) == (chosen is not None) == accepts


async def test_a_given_name_is_the_only_one():
    request = SetupRequest(person=PERSON, password_file=Path("/secret"), username="me")
    setup = Scripted({"a": REFUSED}, request=request)
    assert await choose(setup, server("a")) is None
    assert setup.tried == [("a", "me")]


async def test_nothing_is_searched_for_where_both_are_named():
    both = (server("a"), server("b", protocol=AccountProtocol.SMTP))
    request = SetupRequest(
        person=PERSON, password_file=Path("/secret"), given=both, nameservers=("192.0.2.1",)
    )

    assert (await Scripted({}, request=request).find()).servers == both


def test_settings_made_for_a_trial_are_those_of_a_configuration():
    request = SetupRequest(person=PERSON, password_file=Path("/secret"), ca_file=Path("/ca.pem"))
    Mailbox.model_validate(endpoint(server("a.test"), "me", request))
    sender = Sender.model_validate(endpoint(server("a.test", protocol=AccountProtocol.SMTP), "me", request))

    assert sender.tls_options.verify
    assert sender.envelope_from == "probe@example.test"


@pytest.mark.parametrize(
    ("own", "said"),
    [("host.lab.test", "host.lab.test"), ("localhost", "example.test"), ("x.localdomain", "example.test")],
)
def test_we_call_ourselves_by_a_whole_name(monkeypatch, own, said):
    monkeypatch.setattr("socket.getfqdn", lambda: own)

    assert ehlo_name(PERSON) == said
