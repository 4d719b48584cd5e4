"""Profiles: defaults by provider, each of which an explicit setting overrides; told as the documentation has them."""

import re
from pathlib import Path

import pytest

from smtp_probe.config.endpoints import Sender
from smtp_probe.config.mailboxes import Mailbox
from smtp_probe.config.profiles import MAILBOXES, SENDERS, Profile
from smtp_probe.config.values import format_duration
from tests.config.samples import problems_in
from tests.config.test_endpoints import MAILBOX, SENDER, conflicts

DOCUMENT = Path(__file__).parents[2] / "docs" / "providers.md"
CASES = [(Mailbox, MAILBOX, MAILBOXES), (Sender, SENDER, SENDERS)]


def flat(values):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", wanted) for inner, wanted in value.items())
        else:
            yield key, value


def found(section, path):
    for key in path.split("."):
        section = getattr(section, key)
    return section


@pytest.mark.parametrize(("model", "least", "known"), CASES)
@pytest.mark.parametrize("profile", list(Profile))
def test_what_is_known_is_the_default(model, least, known, profile):
    section, plain = model(**least, profile=profile), model(**least)
    habits = dict(flat(known.get(profile, {})))

    assert {path: found(section, path) for path in habits} == habits
    assert all(found(plain, path) != value for path, value in habits.items())


def test_whatever_is_set_wins():
    timeouts = {"idle": 60, "connect": 7}
    section = Mailbox(
        **MAILBOX, profile="microsoft365", poll_minimum=0.5, timeouts=timeouts, max_connections=3
    )

    assert (section.poll_minimum, section.poll_maximum, section.max_connections) == (0.5, 10.0, 3)
    assert (section.timeouts.idle, section.timeouts.connect) == (60, 7)
    assert section.timeouts.reconnect_minimum == 10.0


@pytest.mark.parametrize("wrong", ["hotmail", 3, None, ["gmail"]])
def test_what_is_no_profile_changes_nothing_else(wrong):
    if wrong is None:
        assert Mailbox(**MAILBOX, profile=wrong) == Mailbox(**MAILBOX)
    else:
        with pytest.raises(ValueError, match="profile"):
            Mailbox(**MAILBOX, profile=wrong)


def test_an_unknown_profile_is_told_with_those_that_there_are(tmp_path):
    (problem,) = problems_in(tmp_path, "    tls: implicit\n", "    tls: implicit\n    profile: gmial\n")

    assert "mailboxes.inbox.profile" in problem
    assert "gmail" in problem


def test_no_more_folders_than_connections():
    folders = tuple(f"F{number}" for number in range(10))
    wanted = {**MAILBOX, "profile": "dovecot", "folders": folders}

    assert conflicts(Mailbox, **wanted) == ("folders", "max_connections")
    assert conflicts(Mailbox, **wanted, junk=None) is None
    assert conflicts(Mailbox, **wanted, max_connections=11) is None


def test_the_documentation_has_every_value():
    rows = re.findall(r"^\| `([a-z._]+)` \| ([^|]*) \|(.*)\|$", DOCUMENT.read_text(), re.MULTILINE)
    told = {name: [cell.strip() for cell in cells.split("|")] for name, _, cells in rows}
    wanted: dict[str, list[str]] = {}
    for number, profile in enumerate(Profile):
        for prefix, known in (("", MAILBOXES), ("senders.", SENDERS)):
            for path, value in flat(known.get(profile, {})):
                is_duration = isinstance(value, float)
                text = (
                    format_duration(value) if is_duration else value[0] if isinstance(value, tuple) else value
                )
                wanted.setdefault(prefix + path, ["-"] * len(Profile))[number] = f"`{text}`"

    assert told == wanted
