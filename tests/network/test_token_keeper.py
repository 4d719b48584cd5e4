"""A token is had once for all who want it, renewed before its end, and its loss is told by its cause."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from smtp_probe.config.token_files import TokenFile
from smtp_probe.errors import CredentialError
from smtp_probe.model import TokenResult
from smtp_probe.network.token_keeper import CredentialState, TokenKeeper
from tests.network.authorization_server import AuthorizationServer
from tests.network.certificates import Certificates
from tests.network.test_oauth import Asked

NS = 1_000_000_000


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.ns = 1_700_000_000 * NS

    def now_ns(self) -> int:
        return self.ns

    def wall_step_seconds(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.ns += round(seconds * NS)
        await asyncio.sleep(0)


class Kept(Asked):
    """A keeper with its file, on the test's clock."""

    def __init__(self, server: AuthorizationServer, certificates: Certificates, folder: Path) -> None:
        super().__init__(server, certificates, folder)
        self.clock = Clock()
        self.states: list[CredentialState] = []
        self.file = TokenFile(folder / "tokens" / "mail.json")
        self.first = folder / "first.token"
        self.first.write_text(server.issue_refresh_token())

    def keeper(self, **changes: Any) -> TokenKeeper:
        source = {"grant": "refresh_token", "refresh_token": {"password_file": str(self.first)}}
        settings = {**source, **changes}
        client = self.client(**settings)
        return TokenKeeper(self.settings(**settings), client, self.file, self.clock, self.states.append)

    @property
    def results(self) -> list[TokenResult]:
        return [state.result for state in self.states]


@pytest.fixture
async def kept(certificates: Certificates, tmp_path: Path):
    server = AuthorizationServer()
    async with server.running(certificates.good):
        yield Kept(server, certificates, tmp_path)


async def refused(keeper: TokenKeeper) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        await keeper.token()
    return caught.value


async def test_many_who_want_it_at_once_cause_one_request(kept):
    kept.server.delay = 0.05
    keeper = kept.keeper()
    tokens = await asyncio.gather(*(keeper.token() for _ in range(50)))

    assert len(set(tokens)) == len(kept.server.requests) == 1
    assert kept.states[0].expires_ns == kept.clock.ns + 3600 * NS


async def test_a_rotated_refresh_token_is_kept_in_a_file_of_ours_alone(kept):
    await kept.keeper().token()
    kept.clock.ns += 4000 * NS
    await kept.keeper().token()  # another process, later

    newest = json.loads(kept.file.path.read_text())["refresh_token"]
    assert kept.server.refresh_tokens[newest]
    assert kept.results == [TokenResult.RENEWED] * 2
    assert stat.S_IMODE(kept.file.path.stat().st_mode) == 0o600


async def test_another_process_uses_the_token_that_is_had_already(kept):
    token = await kept.keeper().token()

    assert await kept.keeper().token() == token
    assert len(kept.server.requests) == 1


async def test_a_new_first_refresh_token_of_the_settings_takes_over(kept):
    await kept.keeper().token()
    kept.server.revoke_all()
    kept.first.write_text(kept.server.issue_refresh_token())

    assert await kept.keeper().token() in kept.server.active


async def test_it_is_renewed_before_its_end_for_as_long_as_the_daemon_lives(kept):
    keeper = kept.keeper()
    running = asyncio.create_task(keeper.run())
    ends_ns = kept.clock.ns + 24 * 3600 * NS
    while kept.clock.ns < ends_ns:
        await asyncio.sleep(0)
        if kept.states:
            assert kept.clock.ns < kept.states[-1].expires_ns
    running.cancel()

    assert set(kept.results) == {TokenResult.RENEWED}
    assert 24 <= len(kept.server.requests) <= 30  # each hour, five minutes early


async def test_a_revoked_consent_is_told_once_and_asked_again_ever_more_seldom(kept):
    keeper = kept.keeper()
    await keeper.token()
    kept.server.revoke_all()
    kept.clock.ns += 3600 * NS
    for _ in range(20):
        error = await refused(keeper)

    assert (error.result, len(kept.server.requests)) == (TokenResult.INVALID_GRANT, 2)
    running = asyncio.create_task(keeper.run())
    ends_ns = kept.clock.ns + 3600 * NS
    while kept.clock.ns < ends_ns:
        await asyncio.sleep(0)
    running.cancel()
    assert 12 <= len(kept.server.requests) <= 24
    assert set(kept.results[1:]) == {TokenResult.INVALID_GRANT}


async def test_a_new_login_is_found_at_once(kept):
    keeper = kept.keeper()
    kept.server.revoke_all()
    await refused(keeper)
    kept.first.write_text(kept.server.issue_refresh_token())

    assert await keeper.token() in kept.server.active
    assert kept.results == [TokenResult.INVALID_GRANT, TokenResult.RENEWED]


async def test_a_token_is_used_while_it_is_good_though_the_server_is_down(kept):
    keeper = kept.keeper()
    token = await keeper.token()
    kept.server.answer = lambda: web.Response(status=503)
    running = asyncio.create_task(keeper.run())
    good_until_ns = kept.clock.ns + 3580 * NS
    while kept.clock.ns < good_until_ns - 10 * NS:
        assert await keeper.token() == token
        await asyncio.sleep(0)
    while kept.clock.ns < good_until_ns + 60 * NS:
        await asyncio.sleep(0)
    running.cancel()

    assert (await refused(keeper)).result is TokenResult.NETWORK
    assert kept.states[-1].expires_ns < kept.clock.ns


async def test_a_token_that_a_mail_server_refused_is_not_used_again(kept):
    keeper = kept.keeper()
    token = await keeper.token()
    assert not keeper.refused()
    assert await keeper.token() == token  # it is new: another one would be refused as well
    kept.clock.ns += 60 * NS
    assert keeper.refused()

    assert kept.states[-1].result is TokenResult.REVOKED, "told apart from a token that is not to be had"
    assert await keeper.token() not in (token, "")
    assert [state.result for state in kept.states] == [
        TokenResult.RENEWED,
        TokenResult.REVOKED,
        TokenResult.RENEWED,
    ]
    assert len(kept.server.requests) == 2


async def test_of_a_token_that_was_taken_back_no_end_is_told(kept):
    """Though another is not to be had: nothing is held that could expire."""
    keeper = kept.keeper()
    await keeper.token()
    kept.clock.ns += 60 * NS
    assert keeper.refused()
    kept.server.answer = lambda: web.Response(status=503)
    await refused(keeper)

    assert kept.states[0].expires_ns is not None
    assert [(state.result, state.expires_ns) for state in kept.states[1:]] == [
        (TokenResult.REVOKED, None),
        (TokenResult.NETWORK, None),
    ]


async def test_an_answer_is_kept_though_nobody_waits_for_it_any_more(kept):
    """It holds the one refresh token that is good from now on."""
    kept.server.delay = 0.1
    keeper = kept.keeper()
    waiting = asyncio.create_task(keeper.token())
    await asyncio.sleep(0.05)
    waiting.cancel()
    await keeper.close()

    assert kept.server.refresh_tokens[json.loads(kept.file.path.read_text())["refresh_token"]]


async def test_a_file_that_cannot_be_written_is_told_and_the_new_refresh_token_is_not_lost(kept, monkeypatch):
    from smtp_probe.config.files import UnreadableFile

    def fail(tokens: object) -> None:
        raise UnreadableFile("the disk is full")

    keeper = kept.keeper()
    with monkeypatch.context() as patch:
        patch.setattr(kept.file, "write", fail)
        assert await keeper.token() in kept.server.active
    kept.clock.ns += 4000 * NS

    assert await keeper.token() in kept.server.active
    assert kept.results == [TokenResult.RENEWED, TokenResult.LOCAL, TokenResult.RENEWED]


async def test_nobody_has_logged_in(kept):
    url = kept.server.url("/device")
    keeper = kept.keeper(grant="device_code", refresh_token=None, device_authorization_url=url)

    assert "run smtp-probe login" in (await refused(keeper)).detail
    assert kept.results == [TokenResult.LOCAL]
