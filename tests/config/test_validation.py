from copy import deepcopy

import pytest

from smtp_probe.config.settings import Config
from smtp_probe.config.validation import Validation

SOUND = {
    "senders": {"relay": {"host": "a", "tls": "starttls", "ehlo_name": "b", "envelope_from": "a@b"}},
    "mailboxes": {"inbox": {"host": "a", "tls": "implicit"}},
    "routes": {"daily": {"sender": "relay", "recipient": "a@b", "mailbox": "inbox"}},
}


def validate(environment=None, **sections):
    return Validation(deepcopy(SOUND) | sections, environment or {})


def paths(validation):
    return [".".join(map(str, complaint.path)) for complaint in validation.complaints]


def test_sound_data_become_a_configuration():
    validation = validate()
    assert isinstance(validation.config, Config)
    assert validation.complaints == []


def test_the_environment_is_put_over_the_file_section_by_section():
    validation = validate({"routes": {"daily": {"interval": 60}}}, schedule={"max_submissions": 3})
    assert validation.config.routes["daily"].interval == 60
    assert validation.config.routes["daily"].sender == "relay"
    assert validation.config.schedule.max_submissions == 3


def test_the_environment_of_the_process_is_not_looked_at(monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", "/elsewhere")
    monkeypatch.setenv("HISTORY_DAYS", "nonsense")
    assert str(validate().config.state_directory) == "/var/lib/smtp-probe"


def test_a_rule_between_settings_is_judged_though_another_setting_is_wrong():
    route = SOUND["routes"]["daily"] | {
        "max_in_flight": 0,
        "deadline": "2d",
        "labels": {"route": "x"},
        "extra": 1,
    }
    validation = validate(routes={"daily": route})
    assert paths(validation) == [
        "routes.daily.max_in_flight",
        "routes.daily.extra",
        "routes.daily.give_up_after",
        "routes.daily.labels",
    ]
    assert validation.config is not None


def test_what_was_mended_is_known():
    validation = validate(routes={"daily": SOUND["routes"]["daily"] | {"sender": 5}})
    assert validation.is_mended(("routes", "daily", "sender"))
    assert not validation.is_mended(("routes", "daily", "mailbox"))


def test_missing_sections_do_not_hide_the_others():
    validation = Validation({"routes": {"daily": {"sender": "x", "interval": "x"}}}, {})
    assert paths(validation) == [
        "senders",
        "mailboxes",
        "routes.daily.recipient",
        "routes.daily.mailbox",
        "routes.daily.interval",
    ]
    assert validation.config is not None


def test_a_wrong_value_from_the_environment_is_mended_there():
    validation = validate({"routes": {"daily": {"sender": [], "interval": "x"}}})
    assert paths(validation) == ["routes.daily.sender", "routes.daily.interval"]
    assert validation.config is not None


def test_entries_that_are_no_sections():
    validation = validate(senders={"relay": 5, "bad name": SOUND["senders"]["relay"]}, routes={"daily": None})
    assert paths(validation) == ["senders.relay", "senders.bad name", "routes.daily"]
    assert validation.config is not None


def test_the_only_entry_has_a_bad_name():
    """That the section is then empty is no second mistake."""
    assert paths(validate(senders={"bad name": SOUND["senders"]["relay"]})) == ["senders.bad name"]


@pytest.mark.parametrize("value", [None, 5, "x", [], [1], {"a": {"b": {"c": 1}}}])
@pytest.mark.parametrize("section", list(Config.model_fields))
def test_anything_anywhere_ends(section, value):
    validation = validate(**{section: value})
    assert (
        validation.complaints
        or validation.config == validate().config
        or section in ("state_directory", "history_days", "failure_history_days")
    )


def test_a_list_is_mended_as_a_whole():
    validation = validate(mailboxes={"inbox": SOUND["mailboxes"]["inbox"] | {"folders": ["a", 5, ""]}})
    assert paths(validation) == ["mailboxes.inbox.folders.1", "mailboxes.inbox.folders.2"]
    assert validation.config is not None


def test_a_list_whose_only_entry_is_wrong_is_not_called_empty_too():
    wrong = {"inbox": {"host": "a", "tls": "implicit", "folders": ["a\0b"]}}
    assert paths(validate(mailboxes=wrong)) == ["mailboxes.inbox.folders.0"]


def test_bytes_that_are_no_text_are_called_that():
    wrong = validate({"routes": {"daily": {"recipient": "a\udcff@b"}}})
    assert [complaint.message for complaint in wrong.complaints] == ["not UTF-8 text"]
