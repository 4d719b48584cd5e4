"""Received-SPF as receivers write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.authentication.received_spf import read_received_spf


def test_postfix_policy_daemon() -> None:
    found = read_received_spf(
        b"Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; helo=mail.example.org;\r\n"
        b' envelope-from="probe@example.org"; receiver=<UNKNOWN>'
    )
    assert found is not None
    assert (found.result, found.comment) == ("pass", "mailfrom")
    assert [found.get(name) for name in ("identity", "client-ip", "envelope-from", "receiver", "x")] == [
        "mailfrom",
        "192.0.2.1",
        "probe@example.org",
        "UNKNOWN",
        "",
    ]


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (
            b"pass (google.com: domain of a@b.test designates 2001:db8::1 as permitted sender) client-ip=2001:db8::1;",
            "pass",
        ),
        (b"SoftFail (x) client-ip=192.0.2.1", "softfail"),
        (b"Fail", "fail"),
        (b"unknown (old)", "permerror"),
        (b"error", "temperror"),
        (b"none", "none"),
    ],
)
def test_results(value: bytes, result: str) -> None:
    found = read_received_spf(value)
    assert found is not None
    assert found.result == result


@pytest.mark.parametrize("value", [b"", b"(pass)", b"maybe", b'"pass"'])
def test_what_is_none(value: bytes) -> None:
    assert read_received_spf(value) is None


@given(st.binary(max_size=300))
def test_nothing_raises(value: bytes) -> None:
    read_received_spf(value)
