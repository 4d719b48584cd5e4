"""What is asked and told without a server."""

import pytest
import typer

from smtp_probe.app.login_test import LoginResult
from smtp_probe.cli.questions import Questions
from smtp_probe.model import AccountProtocol, Cause, Failure
from smtp_probe.policy.discovery.service_records import Person

PERSON = Person("probe", "example.test")
QUESTIONS = Questions(is_terminal=False, accepts_foreign=False)


def ends(code, ask, *arguments, **more):
    with pytest.raises(typer.Exit) as caught:
        ask(*arguments, **more)
    return caught.value.exit_code == code


@pytest.mark.parametrize(
    "text", ["", "probe", "a b@example.test", "@example.test", "probe@", "a\n@example.test", "a@b..c", "a@.b"]
)
def test_an_address_that_is_none_is_refused(text):
    assert ends(2, QUESTIONS.person, text or " ")


def test_a_domain_beyond_ascii_is_written_as_dns_and_servers_know_it():
    assert QUESTIONS.person("probe@Bücher.example") == Person("probe", "xn--bcher-kva.example")
    assert QUESTIONS.address("probe@bücher.example") == "probe@xn--bcher-kva.example"
    assert ends(2, QUESTIONS.person, "probe@bü cher.example")


def test_an_address_is_taken_apart():
    assert QUESTIONS.person("Pro.Be@Example.TEST") == Person("Pro.Be", "example.test")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("mail.test", [(993, True), (143, False)]),
        ("mail.test:993", [(993, True)]),
        ("mail.test:1143", [(1143, False)]),
        ("192.0.2.1:993", [(993, True)]),
        ("2001:db8::1", [(993, True), (143, False)]),
    ],
)
def test_a_named_server_is_a_place_or_two(text, places):
    found = QUESTIONS.server(AccountProtocol.IMAP, text, PERSON)

    assert [(each.port, each.is_implicit_tls) for each in found] == places
    assert all(each.is_vouched for each in found)


@pytest.mark.parametrize("text", ["", "mail.test:", "mail.test:0", "mail.test:99999", "a b", "mail.test:x"])
def test_a_named_server_that_is_none_is_refused(text):
    assert ends(2, QUESTIONS.server, AccountProtocol.IMAP, text, PERSON)


@pytest.mark.parametrize(
    ("server", "said"), [("outlook.office365.com:993", "--oauth-client-id"), ("imap.example.test:993", "is the password right")]
)  # fmt: skip
def test_a_refused_password_is_told_with_what_the_provider_wants(server, said, capsys):
    failure = Failure(stage="login", cause=Cause.AUTH_REFUSED.value)
    last = LoginResult(kind="mailbox", name="x", server=server, failure=failure)
    assert ends(1, QUESTIONS.give_up, AccountProtocol.IMAP, last)
    assert said in capsys.readouterr().err


def test_without_a_terminal_nothing_is_asked(tmp_path, capsys):
    assert ends(2, QUESTIONS.person, None)
    assert ends(2, QUESTIONS.password, None, tmp_path)
    assert ends(2, QUESTIONS.password, tmp_path / "none", tmp_path)
    assert ends(2, QUESTIONS.nameservers, ["ns.example.test"])
    assert "--password-file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stage", "cause", "code"),
    [
        ("auth", Cause.AUTH_REFUSED, 1),
        ("connect", Cause.CONNECT_REFUSED, 1),
        ("resolve", Cause.RESOLVER_FAILED, 3),
        ("connect", Cause.NO_ROUTE, 3),
    ],
)
def test_whose_fault_it_is_makes_the_exit_code(stage, cause, code):
    last = LoginResult(
        kind="mailbox", name="inbox", server="a", failure=Failure(stage=stage, cause=cause.value)
    )

    assert ends(code, QUESTIONS.give_up, AccountProtocol.IMAP, last)
