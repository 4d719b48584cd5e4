import json
import os
import stat
from pathlib import Path

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from smtp_probe.config.load import LARGEST_FILE_BYTES, load
from smtp_probe.config.settings import Config
from smtp_probe.errors import ConfigError
from tests.config.samples import ENVIRONMENT, SOUND, problems, problems_in, write_sound

ROOT = Path(__file__).parents[2]


def test_a_sound_file_gives_a_frozen_configuration(tmp_path):
    config = load(write_sound(tmp_path), ENVIRONMENT)
    assert isinstance(config, Config)
    assert config.routes["daily"].interval == 300
    assert config.senders["relay"].effective_port == 587
    with pytest.raises(ValidationError, match="frozen"):
        setattr(config, "history_days", 3)  # noqa: B010 - mypy knows that it cannot be


def test_two_loads_of_one_file_are_equal(tmp_path):
    path = write_sound(tmp_path)
    assert load(path, ENVIRONMENT) == load(path, ENVIRONMENT)


def test_the_process_environment_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("INBOX_PASSWORD", "x")
    monkeypatch.setenv("SMTP_PROBE__ROUTES__DAILY__INTERVAL", "42s")
    assert load(write_sound(tmp_path)).routes["daily"].interval == 42


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path, monkeypatch):
    text = SOUND + "state_directory: state\ntag_key_files: [a.key, /dev/null]\n"
    (tmp_path / "a.key").write_bytes(b"k" * 32)
    path = write_sound(tmp_path, text.replace(", /dev/null", ""))
    (tmp_path / "a.key").chmod(0o600)
    monkeypatch.chdir(tmp_path.parent)
    config = load(Path(tmp_path.name, "probe.yaml"), ENVIRONMENT)
    auth = config.senders["relay"].auth
    assert auth is not None
    assert auth.password_file == tmp_path / "relay.password"
    assert config.state_directory == tmp_path / "state"
    assert config.tag_key_files == (tmp_path / "a.key",)
    assert path.is_file()


def test_an_absolute_path_stays(tmp_path):
    path = write_sound(tmp_path, SOUND + "state_directory: /somewhere/else\n")
    assert load(path, ENVIRONMENT).state_directory == Path("/somewhere/else")


def test_moving_the_paths_does_not_mark_defaults_as_set(tmp_path):
    sender = load(write_sound(tmp_path), ENVIRONMENT).senders["relay"]
    assert "timeouts" not in sender.model_fields_set
    assert "auth" in sender.model_fields_set


# What the issue lists as bad input, each with its place.


def test_missing_file(tmp_path):
    assert problems(tmp_path / "none.yaml") == ["none.yaml: cannot be read: no such file or directory"]


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "probe.yaml").mkdir()
    assert problems(tmp_path / "probe.yaml") == ["probe.yaml: is a folder"]


def test_yaml_error(tmp_path):
    assert problems_in(tmp_path, "    tls: starttls\n", "    tls: starttls: yes\n") == [
        (
            "probe.yaml:4: not valid YAML: mapping values are not allowed here "
            "(a ': ' too much, or lines that are not indented alike)"
        )
    ]


def test_unknown_key_names_the_nearest_and_all(tmp_path):
    assert problems_in(tmp_path, "    mailbox: inbox\n", "    mailbox: inbox\n    intervall: 60s\n") == [
        (
            "probe.yaml:22: routes.daily.intervall: unknown key 'intervall': did you mean 'interval'? allowed here: "
            "sender, recipient, mailbox, bounce_mailbox, interval, deadline, give_up_after, message_size, "
            "max_in_flight, plus_address, echo, echo_from, junk_is_failure, authentication, labels"
        )
    ]


def test_unknown_section(tmp_path):
    (problem,) = problems(write_sound(tmp_path, SOUND + "alerts: {}\n"))
    assert problem.startswith(
        "probe.yaml:22: alerts: unknown key 'alerts': allowed here: senders, mailboxes, "
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "tls: starttls",
            "port: 0587",
            "3: .port: expected a whole number; found the text '0587' (write it ",
        ),
        ("tls: starttls", "port: 1:30", "3: .port: expected a whole number; found the text '1:30'"),
        ("tls: starttls", "port: true", "3: .port: expected a whole number; found true"),
        ("tls: starttls", "port: 5.5", "3: .port: expected a whole number; found the number 5.5"),
        ("tls: starttls", "port: 0", "3: .port: must be at least 1"),
        (
            "tls: starttls",
            "tls: ssl",
            "3: .tls: expected one of implicit, starttls, none; found the text 'ssl'",
        ),
        ("tls: starttls", "tls:", "3: .tls: expected one of implicit, starttls, none; found nothing"),
        (
            "host: mail.example.org\n    tls: starttls",
            "host: 5",
            "3: .host: expected text; found the number 5 (put",
        ),
        (
            "tls: starttls",
            "timeouts: 5s",
            "3: .timeouts: expected a section of settings; found the text '5s'",
        ),
        (
            "tls: starttls",
            "timeouts: {quit: soon}",
            "3: .timeouts.quit: expected a duration such as 250ms, 30s",
        ),
        ("tls: starttls", "timeouts: {quit: 0s}", "3: .timeouts.quit: must be more than 0"),
        (
            "tls: starttls",
            "address_family: ip",
            "3: .address_family: expected one of any, ipv4, ipv6; found the ",
        ),
        ("tls: starttls", "source_address: here", "3: .source_address: expected an IPv4 or IPv6 address"),
        (
            "tls: starttls",
            "tls_options: {verify: no}",
            "3: .tls_options.verify: expected true or false; found the ",
        ),
        (
            "tls: starttls",
            "tls_options: {minimum_version: 1.1}",
            "3: .tls_options.minimum_version: expected one of ",
        ),
        ("tls: starttls", "host: a b", "3: .host: expected a host name or an address"),
    ],
)
def test_wrong_type_says_what_was_expected_and_what_stands_there(tmp_path, old, new, expected):
    text = SOUND.replace(f"    {old}\n", "")
    lines = text.split("\n")
    lines.insert(2, f"    {new}")
    found = problems(write_sound(tmp_path, "\n".join(lines)))
    line, _, rest = expected.partition(": .")
    assert any(text.startswith(f"probe.yaml:{line}: senders.relay.{rest}") for text in found), found


@pytest.mark.parametrize("port", ["0587", "1:30", "true", "5.5", '"587"', "0x24B", "0o1113", "[587]", "5e2"])
def test_no_port_is_guessed(tmp_path, port):
    (problem,) = problems_in(tmp_path, "    tls: starttls\n", f"    tls: starttls\n    port: {port}\n")
    assert problem.startswith("probe.yaml:5: senders.relay.port: expected a whole number; found ")


def test_a_truth_value_is_no_duration(tmp_path):
    (problem,) = problems_in(tmp_path, "    mailbox: inbox\n", "    mailbox: inbox\n    interval: true\n")
    assert problem.startswith("probe.yaml:22: routes.daily.interval: expected a duration")


def test_no_is_a_word(tmp_path):
    path = write_sound(tmp_path, SOUND.replace("    tls: implicit\n", "    tls: implicit\n    junk: no\n"))
    assert load(path, ENVIRONMENT).mailboxes["inbox"].junk == "no"


def test_a_tls_version_needs_no_quotes(tmp_path):
    new = "    tls: implicit\n    tls_options: {minimum_version: 1.3}\n"
    path = write_sound(tmp_path, SOUND.replace("    tls: implicit\n", new))
    assert load(path, ENVIRONMENT).mailboxes["inbox"].tls_options.minimum_version == "1.3"


def test_unknown_sender_and_mailbox(tmp_path):
    text = SOUND.replace("sender: relay", "sender: realy").replace("mailbox: inbox", "mailbox: imbox")
    assert problems(write_sound(tmp_path, text + "    bounce_mailbox: b\n")) == [
        "probe.yaml:19: routes.daily.sender: 'realy' is not one of senders: relay",
        "probe.yaml:21: routes.daily.mailbox: 'imbox' is not one of mailboxes: inbox",
        "probe.yaml:22: routes.daily.bounce_mailbox: 'b' is not one of mailboxes: inbox",
    ]


def test_unreadable_secret_file(tmp_path):
    assert problems_in(tmp_path, "relay.password", "other.password") == [
        f"probe.yaml:9: senders.relay.auth.password_file: there is no file of this name in {tmp_path}"
    ]
    assert problems_in(tmp_path, "relay.password", ".") == [
        f"probe.yaml:9: senders.relay.auth.password_file: {tmp_path} is a folder"
    ]


def test_secrets_are_tried_unless_told_not_to(tmp_path):
    path = write_sound(tmp_path, SOUND.replace("relay.password", "other.password"))
    assert len(problems(path, {})) == 2
    assert load(path, {}, verify_secrets=False).routes.keys() == {"daily"}


def test_duplicate_names(tmp_path):
    text = SOUND + "  daily:\n    sender: relay\n  daily: {}\nschedule: {}\nschedule: {}\n"
    assert problems(write_sound(tmp_path, text)) == [
        "probe.yaml:22: routes.daily: duplicate name: it stands on line 18 already",
        "probe.yaml:24: routes.daily: duplicate name: it stands on line 18 already",
        "probe.yaml:26: schedule: duplicate name: it stands on line 25 already",
    ]


def test_impossible_intervals(tmp_path):
    text = SOUND + "    interval: 5s\n    deadline: 2d\nschedule:\n  backoff_minimum: 2h\n"
    assert problems(write_sound(tmp_path, text)) == [
        "probe.yaml:22: routes.daily.interval: 5s is below schedule.minimum_interval (10s)",
        "probe.yaml:23: routes.daily.deadline: deadline (2d) must not be longer than give_up_after (1d)",
        "probe.yaml:25: schedule.backoff_minimum: backoff_minimum (2h) must not be longer than backoff_maximum (1h)",
    ]


def test_more_than_the_budget_is_impossible(tmp_path):
    new = "    max_per_minute: 5\n    auth:\n      username: probe\n      password_file"
    text = SOUND.replace("    auth:\n      username: probe\n      password_file", new) + "    interval: 10s\n"
    assert problems(write_sound(tmp_path, text)) == [
        (
            "probe.yaml:7: senders.relay.max_per_minute: senders.relay.max_per_minute is 5, but its routes ask for 6 "
            "messages a minute: raise it, or make the intervals longer"
        )
    ]


# The rest of the contract.


def test_missing_keys_are_said_at_the_line_of_their_section(tmp_path):
    text = SOUND.replace("    recipient: probe@example.org\n", "").replace("    tls: implicit\n", "")
    assert problems(write_sound(tmp_path, text)) == [
        "probe.yaml:11: mailboxes.inbox.tls: is required: implicit, starttls, none",
        "probe.yaml:17: routes.daily.recipient: is required: Envelope recipient",
    ]


@pytest.mark.parametrize(
    ("text", "found"), [("", "; the file is empty"), ("# nothing\n", "; the file is empty")]
)
def test_an_empty_file(tmp_path, text, found):
    assert problems(write_sound(tmp_path, text)) == [
        f"probe.yaml:1: expected senders, mailboxes and routes{found}"
    ]


def test_a_file_that_is_a_list(tmp_path):
    assert problems(write_sound(tmp_path, "\n- a\n")) == [
        "probe.yaml:2: expected senders, mailboxes and routes"
    ]


def test_sections_without_entries(tmp_path):
    assert problems(write_sound(tmp_path, "senders: {}\nmailboxes: {}\nroutes: {}\n")) == [
        "probe.yaml:1: senders: needs 1 or more entries",
        "probe.yaml:2: mailboxes: needs 1 or more entries",
        "probe.yaml:3: routes: needs 1 or more entries",
    ]


def test_everything_wrong_is_said_at_once(tmp_path):
    """A mistake of every kind: of form, between settings, between sections, and in the files that are named."""
    text = (
        SOUND.replace("tls: starttls", "tls: none\n    port: x")
        .replace("password_file: relay", "password_file: other")
        .replace(
            "    tls: implicit\n", "    tls: implicit\n    jnk: auto\n    tls_options: {ca_file: ca.pem}\n"
        )
        .replace("    sender: relay\n", "    sender: other\n    give_up_after: 1s\n    plus_address: 5\n")
    )
    found = problems(write_sound(tmp_path, text), {})
    assert [problem.split(": ")[:2] for problem in found] == [
        ["probe.yaml:4", "senders.relay.tls"],
        ["probe.yaml:5", "senders.relay.port"],
        ["probe.yaml:10", "senders.relay.auth.password_file"],
        ["probe.yaml:15", "mailboxes.inbox.jnk"],
        ["probe.yaml:16", "mailboxes.inbox.tls_options.ca_file"],
        ["probe.yaml:19", "mailboxes.inbox.auth.password_env"],
        ["probe.yaml:22", "routes.daily.sender"],
        ["probe.yaml:23", "routes.daily.give_up_after"],
        ["probe.yaml:24", "routes.daily.plus_address"],
    ]


def test_the_error_has_a_line_for_each_problem(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(write_sound(tmp_path, SOUND + "    interval: x\n    deadline: y\n"), ENVIRONMENT)
    assert str(caught.value).split("\n") == [str(problem) for problem in caught.value.problems]
    assert [problem.line for problem in caught.value.problems] == [22, 23]


def test_what_follows_from_another_mistake_is_not_said(tmp_path):
    """`deadline` is wrong: whether the default one would fit `give_up_after` was never asked."""
    found = problems(write_sound(tmp_path, SOUND + "    deadline: soon\n    give_up_after: 1m\n"))
    assert [problem.split(": ")[1] for problem in found] == ["routes.daily.deadline"]


def test_credentials_over_an_unencrypted_connection_need_words(tmp_path):
    assert problems_in(tmp_path, "tls: starttls", "tls: none") == [
        (
            "probe.yaml:4: senders.relay.tls: credentials would be sent unencrypted (tls: none): use tls: starttls or "
            "tls: implicit, or say allow_credentials_without_tls: true"
        )
    ]
    new = "tls: none\n    allow_credentials_without_tls: true"
    assert problems_in(tmp_path, "tls: starttls", new) == []


def test_a_switch_with_a_wrong_name_is_no_secret(tmp_path):
    new = "tls: none\n    allow_plaintext_credentials: true"
    _, problem = problems_in(tmp_path, "tls: starttls", new)
    assert problem.startswith(
        "probe.yaml:5: senders.relay.allow_plaintext_credentials: unknown key 'allow_plaintext_credentials': "
    )
    assert "allow_credentials_without_tls" in problem


@pytest.mark.parametrize("key", ["password", "passwd", "secret", "token", "pass", "client_secret"])
def test_a_password_in_the_file_is_refused_and_not_repeated(tmp_path, key):
    (problem,) = problems_in(tmp_path, "      password_file: relay.password", f"      {key}: hunter2")[1:]
    assert problem == (
        f"probe.yaml:9: senders.relay.auth.{key}: unknown key: a secret cannot stand here: put it into a file and "
        "name that with password_file, or use password_env or password_credential"
    )


def test_two_sources_of_one_secret(tmp_path):
    new = "password_file: relay.password\n      password_env: X"
    assert problems_in(tmp_path, "password_file: relay.password", new) == [
        (
            "probe.yaml:9: senders.relay.auth.password_file: exactly one of password_file, password_env, "
            "password_credential, oauth is needed; found password_file and password_env"
        )
    ]


@pytest.mark.parametrize(
    "line",
    [
        "password: hunter2",
        "passwort: hunter2",
        "password_env: hunter2",
        "password_env: 'hunter2!'",
        "password_file: hunter2",
        "password_file: [hunter2]",
        "password_credential: hunter2",
        "password_credential: ../hunter2",
        "username: [hunter2]",
        "mechanism: hunter2",
        "mechanism: {hunter2: hunter2}",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path, line):
    old = "      username: probe\n      password_file: relay.password"
    new = f"      {line}" + ("" if line.startswith("username") else "\n      username: probe")
    text = SOUND.replace(old, new)
    environ = ENVIRONMENT | {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    path = write_sound(tmp_path, text)
    found = problems(path, environ)
    assert found
    assert "hunter2" not in "\n".join(found)
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    shown = (
        repr(caught.value) + str(caught.value) + repr(caught.value.__cause__) + repr(caught.value.problems)
    )
    assert "hunter2" not in shown
    assert caught.value.__cause__ is None


def test_an_address_with_a_password_in_it_is_not_repeated(tmp_path):
    found = problems_in(tmp_path, "    tls: starttls\n", "    tls: smtp://probe:hunter2@mail\n")
    assert found
    assert "hunter2" not in str(found)


def test_a_syntax_error_does_not_quote_the_line(tmp_path):
    found = problems_in(tmp_path, "      password_file: relay.password", "      password: 'hunter2\n")
    assert found
    assert "hunter2" not in str(found)


def test_no_secret_in_the_repr_of_a_configuration(tmp_path):
    config = load(write_sound(tmp_path), ENVIRONMENT)
    assert "hunter2" not in repr(config) + str(config) + config.model_dump_json()


def test_anchors_aliases_and_merge_keys(tmp_path):
    text = SOUND.replace("  daily:", "  daily: &base") + "  weekly:\n    <<: *base\n    interval: 7d\n"
    routes = load(write_sound(tmp_path, text), ENVIRONMENT).routes
    assert routes["weekly"].interval == 7 * 86400
    assert routes["weekly"].recipient == routes["daily"].recipient


def test_a_mistake_in_an_alias_is_said_where_it_is_written(tmp_path):
    text = SOUND.replace("  daily:\n", "  daily: &base\n    deadlin: 5\n") + "  weekly:\n    <<: *base\n"
    found = problems(write_sound(tmp_path, text))
    assert [problem.split(": unknown")[0] for problem in found] == [
        "probe.yaml:19: routes.daily.deadlin",
        "probe.yaml:19: routes.weekly.deadlin",
    ]


def test_a_name_with_a_space_in_it(tmp_path):
    assert problems(write_sound(tmp_path, SOUND.replace("  daily:", "  my route:"))) == [
        (
            "probe.yaml:18: routes.my route: a name has at most 63 letters, digits, '_', '.' and '-', and begins with a "
            "letter or a digit"
        )
    ]


def test_control_characters_do_not_reach_the_terminal(tmp_path):
    text = SOUND.replace("  daily:", '  "da\\e[31mily\\n":').replace(
        "tls: starttls", 'tls: "\\e]0;x\\a\\u202e"'
    )
    found = problems(write_sound(tmp_path, text))
    assert len(found) == 2
    assert all(problem.isprintable() for problem in found)


def test_a_byte_order_mark_is_read_over(tmp_path):
    path = write_sound(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert problems(path) == []


def test_not_utf8(tmp_path):
    path = write_sound(tmp_path)
    path.write_bytes(SOUND.encode() + b"\n# gr\xfc\xdfe\n")
    assert problems(path) == ["probe.yaml:23: not UTF-8 text"]


def test_the_size_of_the_file_is_bounded(tmp_path):
    path = write_sound(tmp_path)
    with path.open("ab") as file:
        file.truncate(LARGEST_FILE_BYTES + 1)
    assert problems(path) == [f"probe.yaml: is larger than {LARGEST_FILE_BYTES} bytes"]


def test_a_certificate_file_is_tried(tmp_path):
    new = "tls: starttls\n    tls_options: {ca_file: ca.pem}"
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    assert problems_in(tmp_path, "tls: starttls", new) == []
    (tmp_path / "ca.pem").write_text("nothing")
    assert problems_in(tmp_path, "tls: starttls", new) == [
        "probe.yaml:5: senders.relay.tls_options.ca_file: ca.pem holds no certificate in PEM form"
    ]


def test_a_signing_key_is_tried(tmp_path):
    (tmp_path / "short.key").write_text("short")
    (tmp_path / "short.key").chmod(0o600)
    (problem,) = problems(write_sound(tmp_path, SOUND + "tag_key_files:\n  - short.key\n"))
    assert problem.startswith(
        "probe.yaml:23: tag_key_files.0: short.key holds 5 bytes, but a key needs at least 32"
    )


_words = st.sampled_from(
    ["senders", "relay", "auth", "routes", "interval", "tls", "none", "5m", "x y", "<<", "é"]
)
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | _words | st.text(max_size=8)
_trees = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=4)
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    tree=_trees,
    place=st.sampled_from(["senders", "mailboxes", "routes", "schedule", "tag_key_files", "metrics"]),
)
def test_whatever_stands_in_a_section_is_a_problem_and_no_exception(tree, place, tmp_path_factory):
    """JSON is YAML, so any tree can be written down."""
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_text(json.dumps({place: tree}))
    assert all(problem.startswith("fuzzed.yaml:1: ") for problem in problems(path, {}))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("ab:-?#&*!|>%@`'\"{}[],~<= \n\t"), max_size=60))
def test_whatever_the_text_is_a_problem_and_no_exception(text, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_text(text)
    assert problems(path, {})


# The example that ships with the program.


@pytest.fixture
def example(tmp_path) -> Path:
    """The example and the files that it names, as an administrator would put them beside it."""
    path = tmp_path / "smtp-probe.example.yaml"
    path.write_text((ROOT / "deploy" / path.name).read_text())
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "own-authority.pem"))
    for name in (
        "submission.password",
        "returns.password",
        "inbox",
        "tag-1.key",
        "tag-2.key",
        "client.secret",
        "refresh-token",
    ):
        (tmp_path / name).write_text(name * 8)
        (tmp_path / name).chmod(stat.S_IRUSR | stat.S_IWUSR)
    return path


def test_the_example_loads(example):
    environ = {
        "LOOPBACK_RELAY_PASSWORD": "x",
        "CLIENT_SECRET": "x",
        "CREDENTIALS_DIRECTORY": os.fspath(example.parent),
    }
    config = load(example, environ)
    assert set(config.routes) == {"internal", "inbound", "relay"}
    assert config.routes["inbound"].sender == "outside"
    assert config.routes["inbound"].labels == config.routes["internal"].labels


def test_the_comments_of_the_example_give_the_defaults(example):
    """Where the example shows a default, it is still the default."""
    environ = {
        "LOOPBACK_RELAY_PASSWORD": "x",
        "CLIENT_SECRET": "x",
        "CREDENTIALS_DIRECTORY": os.fspath(example.parent),
    }
    config = load(example, environ)
    for section in (config.schedule, config.metrics, config.senders["submission"].timeouts):
        assert section == type(section)()
    assert config.mailboxes["inbox"].timeouts == type(config.mailboxes["inbox"].timeouts)()
    assert config.history_days == Config.model_fields["history_days"].default
