from __future__ import annotations

from pathlib import Path

from smtp_probe.demo.addresses import RECIPIENT_LOGIN, SENDER
from smtp_probe.demo.daemon_config import DaemonFacts, Entrance, describe_daemon, write_daemon_config
from smtp_probe.demo.scenarios import SCENARIOS

FACTS = DaemonFacts(
    entrances=(
        Entrance(
            name="submission",
            host="submission.example.test",
            port=2525,
            scenarios=(SCENARIOS["late"], SCENARIOS["lost"]),
        ),
    ),
    imap_host="imap.example.test",
    imap_port=1143,
    ca_file=Path("/nowhere/ca.pem"),
    submission_password="first-secret",
    imap_passwords={RECIPIENT_LOGIN: "second-secret", SENDER: "third-secret"},
)


def test_each_scenario_is_a_route_with_its_own_times(tmp_path: Path) -> None:
    routes = describe_daemon(FACTS, tmp_path)["routes"]
    assert set(routes) == {"late", "lost"}
    assert routes["late"]["recipient"] == "late@example.test"
    assert routes["late"]["deadline"] == SCENARIOS["late"].deadline_seconds
    assert routes["late"]["give_up_after"] == SCENARIOS["late"].give_up_after_seconds
    assert routes["lost"]["interval"] == SCENARIOS["lost"].interval_seconds


def test_servers_are_reached_on_loopback_and_verified_by_name(tmp_path: Path) -> None:
    described = describe_daemon(FACTS, tmp_path)
    sender, mailbox = described["senders"]["submission"], described["mailboxes"]["recipient"]
    assert (sender["host"], sender["port"], sender["tls"]) == ("127.0.0.1", 2525, "starttls")
    assert sender["tls_options"]["server_name"] == "submission.example.test"
    assert (mailbox["host"], mailbox["port"], mailbox["tls"]) == ("127.0.0.1", 1143, "starttls")
    assert mailbox["tls_options"]["server_name"] == "imap.example.test"


def test_the_trust_boundary_lies_between_relay_and_filter(tmp_path: Path) -> None:
    described = describe_daemon(FACTS, tmp_path)
    assert described["senders"]["submission"]["own_hosts"] == [
        "submission.example.test",
        "relay.example.test",
    ]
    assert described["mailboxes"]["recipient"]["own_hosts"] == ["filter.example.test", "store.example.test"]


def test_secrets_are_written_beside_the_configuration_and_not_into_it(tmp_path: Path) -> None:
    path = write_daemon_config(FACTS, tmp_path)
    assert (tmp_path / "recipient.secret").read_text(encoding="ascii") == "second-secret\n"
    assert "secret-" not in path.read_text(encoding="utf-8")
    assert "first-secret" not in path.read_text(encoding="utf-8")
    assert "secret" not in repr(FACTS).replace("_secret", "")


def test_it_can_be_written_again(tmp_path: Path) -> None:
    first = write_daemon_config(FACTS, tmp_path).read_bytes()
    assert write_daemon_config(FACTS, tmp_path).read_bytes() == first
