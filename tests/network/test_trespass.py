"""Attempts at what must be refused: each goes as far as the answer that decides, and what it says is that answer."""

import asyncio
import base64

import pytest

from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.submission_terms import Terms
from smtp_probe.network.tls import ContextSource
from smtp_probe.network.trespass import SmtpTrespasser
from smtp_probe.ports import Trespass
from tests.network.hostile_smtp import Deed, HostileSmtp
from tests.network.submitting import SECRET, FixedResolver, sender

OWN = {"username": "probe", "password_env": "UNUSED"}
MESSAGE = b"From: a@sender.test\r\n\r\n.dot\r\n"


async def attempt(server, trespass, certificates=None, **settings):
    async with server.running(), asyncio.timeout(10):
        own = sender(server.port, certificates=certificates, **settings)
        terms = Terms(
            settings=own,
            resolver=FixedResolver("127.0.0.1"),
            clock=ReferenceClock(),
            contexts=ContextSource(own.tls_options),
            read_secret=lambda: SECRET,
        )
        return await SmtpTrespasser(terms, "nobody").attempt(trespass)


def relay(**more):
    return Trespass(check="relay", login="none", sender="a@sender.test", recipient="b@else.test", **more)


async def test_an_open_relay_is_asked_with_rcpt_and_gets_no_message():
    server = HostileSmtp()
    trial = await attempt(server, relay())

    assert (trial.check, trial.step, trial.reply.code) == ("relay", "RCPT", 250)
    assert server.verbs == [b"EHLO", b"MAIL", b"RCPT", b"RSET", b"QUIT"][: len(server.verbs)]
    assert server.messages == []


@pytest.mark.parametrize(("step", "code"), [("MAIL", 530), ("RCPT", 554), ("RCPT", 450)])
async def test_the_first_refusal_decides(step, code):
    server = HostileSmtp({step: b"%d 5.7.1 No\r\n" % code})
    trial = await attempt(server, relay(message=MESSAGE))

    assert (trial.step, trial.reply.code) == (step, code)
    assert b"DATA" not in server.verbs


async def test_a_message_is_sent_where_everything_was_taken_and_its_reply_decides():
    server = HostileSmtp({"DOT": b"554 5.7.1 Spam\r\n"})
    trial = await attempt(
        server, Trespass(check="gtube", sender="a@s.test", recipient="b@s.test", message=MESSAGE)
    )

    assert (trial.step, trial.reply.code) == ("the message", 554)
    assert len(server.messages) == 1


async def test_the_own_login_is_used_where_it_belongs_and_never_for_strangers(certificates):
    def make():
        return HostileSmtp(tls=certificates.good, offers=("AUTH PLAIN",))

    server = make()
    trespass = Trespass(check="gtube", sender="a@s.test", recipient="b@s.test", message=MESSAGE)
    trial = await attempt(server, trespass, certificates, tls="starttls", auth=OWN)
    assert trial.reply.code == 250
    assert any(
        SECRET.encode() in base64.b64decode(line.split()[-1]) for line in server.commands if b"AUTH" in line
    )

    server = make()
    await attempt(server, relay(), certificates, tls="starttls", auth=OWN)
    assert b"AUTH" not in server.verbs


async def test_a_wrong_login_is_nobodys(certificates):
    server = HostileSmtp({"AUTH": b"535 5.7.8 No\r\n"}, tls=certificates.good, offers=("AUTH PLAIN",))
    trespass = Trespass(check="wrong_auth", login="wrong")
    trial = await attempt(server, trespass, certificates, tls="starttls", auth=OWN)

    assert (trial.step, trial.reply.code) == ("AUTH", 535)
    (sent,) = [base64.b64decode(line.split()[-1]) for line in server.commands if line.startswith(b"AUTH")]
    assert sent.startswith(b"\0nobody\0")
    assert SECRET.encode() not in sent


async def test_auth_before_tls_is_tried_in_the_clear_with_nobodys_login(certificates):
    server = HostileSmtp(
        {"AUTH": b"530 5.7.0 STARTTLS first\r\n"}, tls=certificates.good, offers=("AUTH PLAIN",)
    )
    trespass = Trespass(check="auth_before_tls", login="wrong", is_secured=False)
    trial = await attempt(server, trespass, certificates, tls="starttls", auth=OWN)

    assert (trial.step, trial.reply.code, trial.detail) == ("AUTH", 530, "AUTH is offered")
    assert b"STARTTLS" not in server.verbs
    assert SECRET.encode() not in b"".join(server.commands)


@pytest.mark.parametrize(
    ("offers", "oversized", "said"),
    [
        (("SIZE 1000",), None, b"SIZE=1001"),
        (("SIZE 100000",), 5000, b"SIZE=5000"),
    ],
)
async def test_a_size_above_the_limit_is_only_said(offers, oversized, said):
    server = HostileSmtp({"MAIL": b"552 5.3.4 Too large\r\n"}, offers=offers)
    trespass = Trespass(
        check="oversized", sender="a@s.test", recipient="b@s.test", message=MESSAGE, is_oversized=True,
        oversized_bytes=oversized,
    )  # fmt: skip
    trial = await attempt(server, trespass)

    assert (trial.step, trial.reply.code) == ("MAIL", 552)
    assert any(said in line for line in server.commands)
    assert server.messages == []


@pytest.mark.parametrize("offers", [(), ("SIZE",), ("SIZE 0",)])
async def test_where_no_limit_is_told_the_size_is_sent_or_nothing_is_claimed(offers):
    trespass = Trespass(
        check="oversized", sender="a@s.test", recipient="b@s.test", message=MESSAGE, is_oversized=True
    )
    trial = await attempt(HostileSmtp(offers=offers), trespass)
    assert trial.reply is None
    assert "oversized_bytes is not set" in trial.unobserved

    server = HostileSmtp({"DOT": b"552 5.3.4 Too large\r\n"}, offers=offers)
    trespass = Trespass(
        check="oversized", sender="a@s.test", recipient="b@s.test", message=MESSAGE, is_oversized=True,
        oversized_bytes=100_000,
    )  # fmt: skip
    trial = await attempt(server, trespass)
    assert (trial.step, trial.reply.code) == ("the message", 552)
    assert len(server.messages[0]) >= 100_000


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"GREETING": b"554 Go away\r\n"}, "greeting failed: 554"),
        ({"GREETING": Deed.CUT}, "greeting failed"),
        ({"EHLO": b"550 No\r\n"}, "ehlo failed: 550"),
        ({"RCPT": Deed.RESET}, "rcpt failed"),
        ({"RCPT": Deed.HANG}, "rcpt failed: no answer in time"),
        ({"MAIL": b"garbage\r\n"}, "mail failed"),
    ],
)
async def test_what_comes_not_to_the_point_is_not_observed(answers, why):
    trial = await attempt(HostileSmtp(answers), relay(), timeouts={"rcpt": 0.3})

    assert trial.reply is None
    assert why in trial.unobserved


async def test_a_login_of_ours_that_is_refused_decides_nothing(certificates):
    server = HostileSmtp({"AUTH": b"535 5.7.8 No\r\n"}, tls=certificates.good, offers=("AUTH PLAIN",))
    trespass = Trespass(check="gtube", sender="a@s.test", recipient="b@s.test", message=MESSAGE)
    trial = await attempt(server, trespass, certificates, tls="starttls", auth=OWN)

    assert trial.reply is None
    assert "auth failed: 535" in trial.unobserved


async def test_a_server_that_is_not_there_is_not_observed():
    server = HostileSmtp()
    async with server.running():
        pass
    own = sender(server.port)
    terms = Terms(
        settings=own,
        resolver=FixedResolver("127.0.0.1"),
        clock=ReferenceClock(),
        contexts=ContextSource(own.tls_options),
        read_secret=None,
    )
    trial = await SmtpTrespasser(terms, "nobody").attempt(relay())
    assert "connect failed" in trial.unobserved
