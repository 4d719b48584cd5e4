from __future__ import annotations

import subprocess
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


@pytest.mark.slow
def test_the_path_can_be_named_without_the_extra() -> None:
    """Neither package is imported until a path is entered, in an interpreter of its own."""
    code = (
        "import sys, smtp_probe.demo.mail_path, smtp_probe.demo.scenarios\n"
        "print(sorted({'aiosmtpd', 'pymap'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
