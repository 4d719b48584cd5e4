"""The configuration, without what could open a door."""

from ruamel.yaml import YAML

from smtp_probe.report.redaction import register_secret
from smtp_probe.report.web.masked import MASK, mask_config, show_config
from tests.report.samples import make_config


def test_everything_is_there_but_where_secrets_are():
    config = make_config(tag_key_files=["/etc/smtp-probe/tag.key"])
    masked = mask_config(config)

    assert masked["senders"]["relay"]["auth"]["password_env"] == MASK
    assert masked["tag_key_files"] == MASK
    assert masked["senders"]["relay"]["allow_credentials_without_tls"] is False
    assert masked["senders"]["relay"]["host"] == "smtp.example.net"
    assert masked["routes"]["example"]["recipient"] == "probe@example.org"
    assert "SECRET" not in show_config(config)


def test_it_can_be_read_as_yaml():
    config = make_config()

    assert YAML(typ="safe").load(show_config(config)) == mask_config(config)


def test_a_secret_in_the_wrong_place_is_struck_out():
    register_secret("hunter22-in-a-label")
    config = make_config(routes={"example": {"sender": "relay", "recipient": "p@example.org", "mailbox": "inbox",
                                             "labels": {"team": "hunter22-in-a-label"}}})  # fmt: skip

    assert "hunter22" not in show_config(config)
