"""Our own side of a submission: what is missing there never counts against the path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smtp_probe.errors import ProbeError
from smtp_probe.model import Cause
from smtp_probe.network.clock import ReferenceClock
from smtp_probe.network.submission_terms import Terms
from smtp_probe.network.tls import ContextSource
from smtp_probe.ports import Secret
from tests.network.submitting import FixedResolver, sender


def _terms(read_secret: Secret | None = None, **changes: Any) -> Terms:
    settings = sender(1, **changes)
    return Terms(
        settings=settings,
        resolver=FixedResolver(),
        clock=ReferenceClock(),
        contexts=ContextSource(settings.tls_options),
        read_secret=read_secret,
    )


def _leaky() -> str:
    raise ValueError("not text\x1b[31m")


async def test_the_secret_is_read_when_asked_for() -> None:
    secrets = iter(["first secret", "second secret"])
    terms = _terms(lambda: next(secrets))
    assert [await terms.secret(), await terms.secret()] == ["first secret", "second secret"]
    assert "first secret" not in repr(terms)


async def test_a_secret_that_has_to_be_asked_for_is_awaited() -> None:
    async def ask() -> str:
        await asyncio.sleep(0)
        return "a token"

    assert await _terms(ask).secret() == "a token"


@pytest.mark.parametrize("read_secret", [None, lambda: "", _leaky])
async def test_a_secret_that_cannot_be_had_is_a_credential_failure(
    read_secret: Callable[[], str] | None,
) -> None:
    with pytest.raises(ProbeError) as caught:
        await _terms(read_secret).secret()
    assert caught.value.cause is Cause.CREDENTIAL
    assert caught.value.detail.isprintable()


@pytest.mark.parametrize(("tls", "stage"), [("implicit", "tls"), ("starttls", "starttls")])
async def test_authorities_that_cannot_be_read_are_ours(tmp_path: Path, tls: str, stage: str) -> None:
    terms = _terms(tls=tls, tls_options={"ca_file": str(tmp_path / "missing.pem")})
    with pytest.raises(ProbeError) as caught:
        await terms.tls_context(asyncio.get_running_loop().time() + 1)
    assert (caught.value.stage, caught.value.cause) == (stage, Cause.CREDENTIAL)
    assert "missing.pem" in caught.value.detail


async def test_waiting_for_the_authorities_has_an_end() -> None:
    terms = _terms(tls="implicit")
    with pytest.raises(ProbeError) as caught:
        await terms.tls_context(asyncio.get_running_loop().time() - 1)
    assert caught.value.cause is Cause.CREDENTIAL
