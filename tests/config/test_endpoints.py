import pytest
from pydantic import ValidationError

from smtp_probe.config.endpoints import Auth, Sender, SmtpTimeouts, TlsMode, TlsOptions
from smtp_probe.config.mailboxes import Mailbox

SENDER = {"host": "a", "tls": "starttls", "ehlo_name": "b", "envelope_from": "a@b"}
MAILBOX = {"host": "a", "tls": "implicit"}
AUTH = {"username": "u", "password_env": "X"}


def conflicts(model, **settings):
    """The keys of the one contradiction in a section; None where there is none."""
    try:
        model(**settings)
    except ValidationError as error:
        (details,) = error.errors()
        assert details["type"] == "conflict", details
        return details["ctx"]["keys"]
    return None


@pytest.mark.parametrize(("tls", "port"), [("implicit", 465), ("starttls", 587), ("none", 25)])
def test_a_sender_has_the_port_of_its_protocol(tls, port):
    assert Sender(**SENDER | {"tls": tls}).effective_port == port
    assert Sender(**SENDER | {"tls": tls, "port": 2525}).effective_port == 2525


@pytest.mark.parametrize(("tls", "port"), [("implicit", 993), ("starttls", 143), ("none", 143)])
def test_a_mailbox_has_the_port_of_its_protocol(tls, port):
    assert Mailbox(**MAILBOX | {"tls": tls}).effective_port == port
    assert Mailbox(**MAILBOX | {"tls": tls, "port": 1143}).effective_port == 1143


def test_from_is_spelled_as_in_the_header():
    assert Sender(**SENDER, **{"from": "Probe <a@b>"}).from_ == "Probe <a@b>"


@pytest.mark.parametrize("model", [Sender, Mailbox])
def test_a_login_in_the_clear_needs_words(model):
    settings = (SENDER if model is Sender else MAILBOX) | {"tls": "none"}
    assert conflicts(model, **settings, auth=AUTH) == ("tls", "allow_credentials_without_tls")
    assert conflicts(model, **settings) is None
    assert conflicts(model, **settings, auth=AUTH, allow_credentials_without_tls=True) is None
    assert conflicts(model, **settings | {"tls": TlsMode.STARTTLS}, auth=AUTH) is None


def test_a_login_has_exactly_one_source():
    assert conflicts(Auth, username="u") == (
        "",
        "password_file",
        "password_env",
        "password_credential",
        "oauth",
    )
    assert conflicts(Auth, **AUTH, password_file="f") == ("password_file", "password_env")
    assert conflicts(Auth, **AUTH) is None


@pytest.mark.parametrize(
    ("source", "family", "fits"),
    [
        ("192.0.2.1", "ipv4", True),
        ("192.0.2.1", "any", True),
        ("192.0.2.1", "ipv6", False),
        ("2001:db8::1", "ipv6", True),
        ("2001:db8::1", "ipv4", False),
    ],
)
def test_the_source_address_is_of_the_family(source, family, fits):
    found = conflicts(Mailbox, **MAILBOX, source_address=source, address_family=family)
    assert found == (None if fits else ("source_address", "address_family"))


@pytest.mark.parametrize(
    "changed",
    [{"from": "Mailer-Daemon@b"}, {"from": "X <MAILER-DAEMON@b>"}, {"envelope_from": "mailer-daemon@b"}],
)
def test_an_author_who_looks_like_a_bounce_is_refused(changed):
    assert conflicts(Sender, **SENDER | changed) == ("from", "envelope_from")


def test_the_junk_folder_stands_apart():
    assert conflicts(Mailbox, **MAILBOX, folders=["INBOX", "Junk"], junk="Junk") == ("junk", "folders")
    assert conflicts(Mailbox, **MAILBOX, folders=["INBOX"], junk=None) is None


@pytest.mark.parametrize(
    ("folders", "clashes"), [(["INBOX"], True), (["Spam"], True), (["Quarantine", "Promotions"], False)]
)
def test_a_quarantine_stands_apart(folders, clashes):
    found = conflicts(Mailbox, **MAILBOX, junk="Spam", quarantine=folders)
    assert found == (("quarantine", "folders") if clashes else None)


def test_no_folder_is_named_twice_or_not_at_all():
    with pytest.raises(ValidationError, match="a folder is named twice"):
        Mailbox(**MAILBOX, folders=["INBOX", "INBOX"])
    with pytest.raises(ValidationError):
        Mailbox(**MAILBOX, folders=[])


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"poll_minimum": 3}, ("poll_maximum", "poll_minimum")),
        ({"timeouts": {"reconnect_minimum": "6m"}}, ("reconnect_maximum", "reconnect_minimum")),
    ],
)
def test_a_minimum_is_not_above_its_maximum(settings, keys):
    assert conflicts(Mailbox, **MAILBOX, **settings) == keys


def test_idle_ends_before_the_server_may_log_out():
    """RFC 2177: a server may take 30 minutes without a command for the end."""
    assert Mailbox(**MAILBOX, timeouts={"idle": "29m"}).timeouts.idle == 1740
    with pytest.raises(ValidationError):
        Mailbox(**MAILBOX, timeouts={"idle": "30m"})


def test_defaults_are_within_their_own_rules():
    for section in (SmtpTimeouts(), TlsOptions(), Mailbox(**MAILBOX), Sender(**SENDER)):
        assert type(section).model_validate(section.model_dump(by_alias=True)) == section


@pytest.mark.parametrize(("local", "fits"), [("a" * 15, True), ("a" * 16, False), ('"a', False)])
def test_a_tag_has_to_fit_into_the_envelope_sender(local, fits):
    changed = {"envelope_from": f"{local}@example.org", "verp": True}

    assert (conflicts(Sender, **SENDER | changed) if not fits else ()) == (
        () if fits else ("envelope_from", "verp")
    )
    assert not fits or Sender(**SENDER | changed).verp
