from __future__ import annotations

import sys

import pytest

from smtp_probe.demo.extra import require_extra
from smtp_probe.demo.mail_path import MailPath
from smtp_probe.demo.scenarios import SCENARIOS
from smtp_probe.errors import ConfigError


def test_nothing_is_said_when_the_extra_is_there() -> None:
    require_extra()


async def test_a_missing_package_is_told_with_the_way_to_install_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pymap", None)
    with pytest.raises(ConfigError, match=r"needs pymap: pip install 'smtp-probe\[demo\]'"):
        async with MailPath([SCENARIOS["on-time"]], tmp_path / "unused"):
            pass
    assert not (tmp_path / "unused").exists()
