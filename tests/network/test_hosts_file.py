"""The system's table of hosts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.network.hosts_file import HostsFile, parse_hosts


def test_names_and_aliases_are_found_whatever_their_case() -> None:
    names = parse_hosts(
        "127.0.0.1 localhost\n::1\tlocalhost ip6-localhost # loopback\n192.0.2.1 Mail.Example.org mail\n"
    )
    assert names == {
        "localhost": ("127.0.0.1", "::1"),
        "ip6-localhost": ("::1",),
        "mail.example.org": ("192.0.2.1",),
        "mail": ("192.0.2.1",),
    }


@pytest.mark.parametrize(
    "line", ["", "# 192.0.2.1 mail", "mail 192.0.2.1", "192.0.2.1", "192.0.2 mail", "\x00"]
)
def test_what_is_no_entry_is_passed_over(line: str) -> None:
    assert parse_hosts(f"{line}\n192.0.2.9 other") == {"other": ("192.0.2.9",)}


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for addresses in parse_hosts(text).values():
        assert addresses


def test_changes_are_seen_and_a_missing_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    hosts = HostsFile(path)
    assert hosts.addresses("mail") == ()
    path.write_text("192.0.2.1 mail\n")
    assert hosts.addresses("MAIL.") == ("192.0.2.1",)
    path.write_text("192.0.2.1 mail\n192.0.2.2 mail\n")
    assert hosts.addresses("mail") == ("192.0.2.1", "192.0.2.2")
    path.unlink()
    assert hosts.addresses("mail") == ()
