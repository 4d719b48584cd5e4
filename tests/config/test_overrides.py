import pytest

from smtp_probe.config.load import load
from smtp_probe.config.overrides import read_overrides, variable_form
from tests.config.samples import ENVIRONMENT, SOUND, problems, write_sound

DATA = {
    "senders": {"relay": {"tls": "none"}, "a-b": {}, "a.b": {}, "x__y": {}, "x": {}},
    "mailboxes": {"inbox": {}},
    "routes": {"daily-mail.eu": {"interval": "5m", "labels": {"team": "x"}}},
}


def override(**variables):
    """The nested data that variables give, where none of them is wrong."""
    found = read_overrides({f"SMTP_PROBE__{name}": value for name, value in variables.items()}, DATA)
    assert found.problems == []
    return found.values


def refuse(name, value="x"):
    """What is said of one variable."""
    (problem,) = read_overrides({f"SMTP_PROBE__{name}": value}, DATA).problems
    assert problem.file == f"SMTP_PROBE__{name}"
    assert problem.line is None
    return problem.message


def test_names_are_found_in_any_case_and_with_any_character():
    expected = {"routes": {"daily-mail.eu": {"interval": "60s"}}}
    assert override(ROUTES__DAILY_MAIL_EU__INTERVAL="60s") == expected
    assert override(routes__Daily_mail_EU__interval="60s") == expected
    assert read_overrides({"smtp_probe__ROUTES__DAILY_MAIL_EU__INTERVAL": "60s"}, DATA).values == expected
    assert variable_form("daily-mail.eu") == "DAILY_MAIL_EU"


def test_a_name_may_hold_two_underscores():
    assert override(SENDERS__X__Y__PORT="25") == {"senders": {"x__y": {"port": 25}}}
    assert override(SENDERS__X__PORT="25") == {"senders": {"x": {"port": 25}}}


def test_two_names_that_are_spelled_alike_are_refused():
    assert refuse("SENDERS__A_B__PORT") == "can mean a-b and a.b: rename one of them"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("SENDERS__RELAY__PORT", "587", 587),
        ("SENDERS__RELAY__HOST", "587", "587"),
        ("SENDERS__RELAY__FROM", "Probe <a@b>", "Probe <a@b>"),
        ("SENDERS__RELAY__TLS", "none", "none"),
        ("SENDERS__RELAY__AUTH__USERNAME", "0123", "0123"),
        ("SENDERS__RELAY__AUTH__PASSWORD_FILE", "null", None),
        ("SENDERS__RELAY__AUTH", "null", None),
        ("SENDERS__RELAY__HOST", "null", "null"),
        ("SENDERS__RELAY__ALLOW_CREDENTIALS_WITHOUT_TLS", "true", True),
        ("SENDERS__RELAY__TLS_OPTIONS__MINIMUM_VERSION", "1.3", "1.3"),
        ("MAILBOXES__INBOX__FOLDERS", "[INBOX, 'a b']", ["INBOX", "a b"]),
        ("MAILBOXES__INBOX__JUNK", "null", None),
        ("MAILBOXES__INBOX__POLL_FRACTION", "0.1", 0.1),
        ("HISTORY_DAYS", "7", 7),
        ("STATE_DIRECTORY", "12", "12"),
        ("TAG_KEY_FILES", '["a", "b"]', ["a", "b"]),
    ],
)
def test_text_is_taken_as_it_is_and_all_else_as_yaml(name, text, value):
    values = override(**{name: text})
    while isinstance(values, dict):
        (values,) = values.values()
    assert values == value
    assert type(values) is type(value)


def test_labels_may_be_new():
    assert override(ROUTES__DAILY_MAIL_EU__LABELS__MY_SITE="b") == {
        "routes": {"daily-mail.eu": {"labels": {"my_site": "b"}}}
    }


def test_a_longer_path_goes_over_a_section_as_a_whole():
    assert override(SCHEDULE="{max_per_minute: 5, max_submissions: 3}", SCHEDULE__MAX_PER_MINUTE="9") == {
        "schedule": {"max_per_minute": 9, "max_submissions": 3}
    }
    assert override(SENDERS__X__AUTH="null", SENDERS__X__AUTH__USERNAME="u") == {
        "senders": {"x": {"auth": {"username": "u"}}}
    }


def test_other_variables_are_not_looked_at():
    assert override() == {}
    assert (
        read_overrides({"SMTP_PROBE_CONFIG_FILE": "x", "PATH": "y", "XSMTP_PROBE__A": "z"}, DATA).problems
        == []
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "ROUTS__X",
            "x",
            "unknown key 'routs': did you mean 'routes'? allowed here: senders, mailboxes, routes, ",
        ),
        (
            "SENDERS__RELAY__PORTS",
            "x",
            "unknown key 'ports': did you mean 'port'? allowed here: host, port, ",
        ),
        (
            "SENDERS__RELAI__PORT",
            "5",
            "unknown name 'relai': did you mean 'relay'? allowed here: relay, a-b, ",
        ),
        ("SENDERS__RELAY__PORT__X", "5", "senders.relay.port is one value and has no settings below it"),
        (
            "SENDERS__RELAY__AUTH__PASSWORD",
            "hunter2",
            "unknown key: a secret cannot stand here: put it into a file",
        ),
        ("SENDERS__RELAY__PORT", "[hunter2", "not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("MAILBOXES__INBOX__FOLDERS", "{a: 1, a: hunter2}", "a: duplicate name"),
        ("MAILBOXES__INBOX__FOLDERS", "!x hunter2", "a YAML tag"),
        ("MAILBOXES__INBOX__FOLDERS", "x" * 70_000, "the value is too long"),
        ("", "x", "unknown key ''"),
    ],
)
def test_a_variable_that_fits_nothing_is_refused_without_its_value(name, value, message):
    said = refuse(name, value)
    assert said.startswith(message)
    assert "hunter2" not in said


def test_the_same_setting_twice_is_refused():
    found = read_overrides({"SMTP_PROBE__HISTORY_DAYS": "1", "smtp_probe__history_days": "2"}, DATA)
    assert [str(problem) for problem in found.problems] == [
        "smtp_probe__history_days: the same setting as SMTP_PROBE__HISTORY_DAYS"
    ]


def test_the_source_of_a_setting_is_the_nearest_variable():
    found = read_overrides({"SMTP_PROBE__SCHEDULE": "{max_per_minute: 5}"}, DATA)
    assert found.source_of(("schedule", "max_per_minute")) == "SMTP_PROBE__SCHEDULE"
    assert found.source_of(("schedule",)) == "SMTP_PROBE__SCHEDULE"
    assert found.source_of(("routes",)) is None


# Over a whole file.


def test_the_environment_wins_and_sections_are_merged(tmp_path):
    environ = {
        "SMTP_PROBE__SENDERS__RELAY__PORT": "2525",
        "SMTP_PROBE__SENDERS__RELAY__TIMEOUTS__QUIT": "1s",
        "SMTP_PROBE__ROUTES__DAILY": "{interval: 60s, labels: {team: mail}}",
        "SMTP_PROBE__STATE_DIRECTORY": "state",
    }
    config = load(write_sound(tmp_path), ENVIRONMENT | environ)
    sender = config.senders["relay"]
    assert (sender.port, sender.host, sender.timeouts.quit, sender.timeouts.mail) == (
        2525,
        "mail.example.org",
        1,
        300,
    )
    assert config.routes["daily"].interval == 60
    assert config.routes["daily"].labels == {"team": "mail"}
    assert config.state_directory == tmp_path / "state"


def test_another_source_of_a_secret_needs_the_first_one_to_be_taken_away(tmp_path):
    environ = ENVIRONMENT | {"SMTP_PROBE__SENDERS__RELAY__AUTH__PASSWORD_ENV": "INBOX_PASSWORD"}
    (problem,) = problems(write_sound(tmp_path), environ)
    assert problem.startswith(
        "SMTP_PROBE__SENDERS__RELAY__AUTH__PASSWORD_ENV: senders.relay.auth.password_env: exactly"
    )
    environ["SMTP_PROBE__SENDERS__RELAY__AUTH__PASSWORD_FILE"] = "null"
    assert problems(write_sound(tmp_path), environ) == []


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ROUTES__DAILY__INTERVAL", "soon", "routes.daily.interval: expected a duration such as "),
        (
            "ROUTES__DAILY__INTERVAL",
            "1s",
            "routes.daily.interval: 1s is below schedule.minimum_interval (10s)",
        ),
        (
            "ROUTES__DAILY__DEADLINE",
            "2d",
            "routes.daily.deadline: deadline (2d) must not be longer than give_up_after",
        ),
        ("ROUTES__DAILY__SENDER", "x", "routes.daily.sender: 'x' is not one of senders: relay"),
        (
            "SENDERS__RELAY__PORT",
            "0587",
            "senders.relay.port: expected a whole number; found the text '0587'",
        ),
        ("SENDERS__RELAY__TLS", "none", "senders.relay.tls: credentials would be sent unencrypted"),
        ("SENDERS__RELAY", "{prot: 5}", "senders.relay.prot: unknown key 'prot': did you mean 'port'?"),
        (
            "SENDERS__RELAY__AUTH__PASSWORD_FILE",
            "gone",
            "senders.relay.auth.password_file: there is no file of this",
        ),
        ("MAILBOXES", "[]", "mailboxes: expected a section of names; found a list"),
    ],
)
def test_a_wrong_value_is_said_with_its_variable(tmp_path, name, value, problem):
    (found,) = problems(write_sound(tmp_path), ENVIRONMENT | {f"SMTP_PROBE__{name}": value})
    assert found.startswith(f"SMTP_PROBE__{name}: {problem}")


def test_mistakes_of_the_file_and_of_the_environment_are_said_together(tmp_path):
    environ = ENVIRONMENT | {"SMTP_PROBE__HISTORY_DAYS": "0", "SMTP_PROBE__X": "y"}
    found = problems(write_sound(tmp_path, SOUND + "    interval: x\n"), environ)
    assert [problem.split(": ")[0] for problem in found] == [
        "probe.yaml:22",
        "SMTP_PROBE__HISTORY_DAYS",
        "SMTP_PROBE__X",
    ]
