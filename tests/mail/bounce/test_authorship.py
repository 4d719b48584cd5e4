"""Who wrote a message, by its header alone."""

from __future__ import annotations

import pytest

from smtp_probe.mail.bounce.authorship import (
    collect_addresses,
    has_no_path,
    is_by_a_daemon,
    is_by_a_person,
    is_by_a_program,
    is_by_its_author,
)


def values(author, path=None, **more):
    fields = {"from": author} | ({} if path is None else {"return-path": path}) | more
    return {name.replace("_", "-"): value.encode() for name, value in fields.items()}


SERVERS = [
    values("MAILER-DAEMON@mx.example (Mail Delivery System)", "<list-bounces@here.example>"),
    values("Mail Delivery Subsystem <mailer-daemon@mx.example>", "<>"),
    values('"Jetmail System" <>'),
    values("<>"),
    values("System Administrator <postmaster@exchange.example>", "<watch@here.example>"),
]
PROGRAMS = [
    values("Mail <mail@firm.example>", auto_submitted="auto-replied (failure)"),
    values("Gateway <noreply@gw.example>"),
    values("Mail <mail@firm.example>", precedence="bulk"),
    values("Mail <mail@firm.example>", x_failed_recipients="gone@there.example"),
]
PEOPLE = [
    values("Ann <ann@firm.example>"),
    values("Ann <ann@firm.example>", "<ann@firm.example>"),
    values("Ann <ann@firm.example>", "<bounces+ann=firm.example@sender.example>"),
    values("Ann <ann@firm.example>", auto_submitted="no"),
]


@pytest.mark.parametrize("header", SERVERS)
def test_a_server_is_known_by_its_name_or_its_empty_path(header):
    assert has_no_path(header) or is_by_a_daemon(header)
    assert is_by_a_program(header)
    assert not is_by_a_person(header)


@pytest.mark.parametrize("header", PROGRAMS)
def test_another_program_says_so_itself(header):
    assert not is_by_a_daemon(header)
    assert is_by_a_program(header)


@pytest.mark.parametrize("header", PEOPLE)
def test_nothing_makes_a_program_of_a_person(header):
    assert not is_by_a_program(header)


@pytest.mark.parametrize(
    "more",
    [
        {"user_agent": "Mozilla Thunderbird"},
        {"x_mailer": "Apple Mail (2.3774)"},
        {"subject": "Fwd: Undelivered"},
    ],
)
def test_a_postmaster_may_be_a_person(more):
    assert is_by_a_person(values("Postmaster <postmaster@there.example>", **more))
    assert not is_by_a_person(values("Mail Delivery System <MAILER-DAEMON@there.example>", **more))
    assert not is_by_a_person(values("Postmaster <postmaster@there.example>", "<>", **more))


@pytest.mark.parametrize(
    ("author", "path", "expected"),
    [
        ("Postmaster <postmaster@there.example>", "<postmaster@there.example>", True),
        ("Postmaster <postmaster@there.example>", "<watch@here.example>", False),
        ("MAILER-DAEMON@there.example", "<MAILER-DAEMON@there.example>", False),
        ("InterScan <imss@there.example>", "<imss@there.example>", False),
        ("Ann <ann@there.example>", "<ANN@there.example>", True),
    ],
)
def test_mail_that_would_bounce_to_its_author_is_somebodys(author, path, expected):
    assert is_by_its_author(values(author, path)) is expected


def test_addresses_are_gathered_in_lower_case():
    assert collect_addresses("Ann <Ann@A.example>, b@b.example.") == {"ann@a.example", "b@b.example"}
