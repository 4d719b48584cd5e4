"""Whether the packages that only the demo needs are installed.

In: the import system. Out: nothing, or an error that tells what to do. Imports none of them.
"""

from __future__ import annotations

from importlib.util import find_spec

from smtp_probe.errors import ConfigError, ConfigProblem

_PACKAGES = ("aiosmtpd", "pymap")


def require_extra() -> None:
    """Raise `errors.ConfigError` with the way to install them, unless all packages of the demo are there."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        message = f"the demo needs {' and '.join(missing)}: pip install 'smtp-probe[demo]'"
        raise ConfigError((ConfigProblem(message),))
