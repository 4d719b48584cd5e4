"""What became of requests for access tokens, as samples and log lines: each failure is said once, and its end.

In: statements about a credential. Out: samples in `Series`. Knows no token.
"""

from __future__ import annotations

import logging

from smtp_probe.config.settings import Config
from smtp_probe.model import TokenResult
from smtp_probe.report.known_series import credentials_in_use
from smtp_probe.report.metrics import CREDENTIAL_EXPIRY, CREDENTIAL_REFRESHES
from smtp_probe.report.series import Labels, Series

_log = logging.getLogger(__name__)


class CredentialResults:
    """All credentials that senders and mailboxes use."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._names: set[str] = set()
        self._failing: dict[str, TokenResult] = {}

    def declare(self, config: Config) -> None:
        """Take over a configuration: what is gone is forgotten."""
        self._names = set(credentials_in_use(config))
        self._failing = {name: why for name, why in self._failing.items() if name in self._names}
        for name in self._names:
            for result in TokenResult:
                self._series.put_new(CREDENTIAL_REFRESHES, (name, result.value), 0.0)

    def show(self, credential: str, result: TokenResult, detail: str, expires_ns: int | None) -> None:
        """Take over what one request came to; one of a credential that is not used any more is ignored."""
        if credential not in self._names:
            return
        self._series.add(CREDENTIAL_REFRESHES, (credential, result.value), 1.0)
        expiry: dict[Labels, float] = {} if expires_ns is None else {(credential,): expires_ns / 1e9}
        self._series.replace(CREDENTIAL_EXPIRY, credential, expiry)
        self._say(credential, result, detail)

    def _say(self, credential: str, result: TokenResult, detail: str) -> None:
        extra = {"credential": credential, "result": result.value}
        if result is TokenResult.RENEWED:
            if self._failing.pop(credential, None) is not None:
                _log.info("access tokens are had again", extra=extra)
        elif self._failing.get(credential) is not result:
            self._failing[credential] = result
            if result is TokenResult.REVOKED:
                _log.warning("%s: it may be revoked, and another is asked for", detail, extra=extra)
            else:
                _log.error("no access token: %s", detail, extra=extra)
