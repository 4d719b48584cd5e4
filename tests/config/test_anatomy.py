from pathlib import Path

from smtp_probe.config import anatomy
from smtp_probe.config.settings import Auth, Config, Route, Sender, TlsMode


def at(dotted):
    return anatomy.annotation_at(
        Config, tuple(int(part) if part.isdigit() else part for part in dotted.split("."))
    )


def test_keys_are_those_of_the_file():
    assert "from" in anatomy.keys_of(Sender)
    assert "from_" not in anatomy.keys_of(Sender)


def test_what_stands_at_a_path():
    assert anatomy.annotation_at(Config, ()) is Config
    assert anatomy.section_of(at("senders.any")) is Sender
    assert anatomy.section_of(at("senders.any.auth")) is Auth
    assert anatomy.entry_of(at("routes")) is Route
    assert anatomy.bare_type(at("senders.any.port")) is int
    assert anatomy.bare_type(at("mailboxes.any.folders.3")) is str
    assert anatomy.bare_type(at("routes.any.labels.team")) is str
    assert anatomy.bare_type(at("state_directory")) is Path
    for path in ("nothing", "senders.any.nothing", "senders.any.port.below", "routes.any.labels.team.below"):
        assert at(path) is None


def test_text_is_told_from_the_rest():
    texts = ["senders.a.host", "senders.a.tls", "senders.a.from", "metrics.detail", "state_directory"]
    texts += ["senders.a.tls_options.minimum_version", "senders.a.auth.password_file", "routes.a.labels.b"]
    others = [
        "senders.a.port",
        "senders.a",
        "routes.a.interval",
        "mailboxes.a.folders",
        "tag_key_files",
        "senders",
    ]
    assert [path for path in texts if not anatomy.is_text(at(path))] == []
    assert [path for path in others if anatomy.is_text(at(path))] == []


def test_none_is_allowed_where_it_is():
    assert anatomy.is_optional(at("mailboxes.a.junk"))
    assert anatomy.is_optional(at("senders.a.auth"))
    assert not anatomy.is_optional(at("mailboxes.a.trash"))


def test_choices():
    assert anatomy.choices_of(at("senders.a.tls")) == tuple(TlsMode)
    assert anatomy.choices_of(at("mailboxes.a.after_judgement")) == ("delete", "trash", "keep")
    assert anatomy.choices_of(at("senders.a.host")) == ()


def test_the_field_at_a_path():
    assert anatomy.field_at(Config, ("routes", "x", "interval")) is Route.model_fields["interval"]
    assert anatomy.field_at(Config, ("routes", "x")) is None
    assert anatomy.field_at(Config, ()) is None
    assert anatomy.field_at(Config, ("nothing",)) is None
