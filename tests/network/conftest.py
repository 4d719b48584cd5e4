"""Fixtures of the network tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.network.certificates import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of all kinds; made once."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    return Certificates(folder)
