"""Says what a machine lacks to run a lab, before anything is made."""

import os
import shutil

from .enclosure import ENVIRONMENT
from .errors import LabError

PROGRAMS = (
    "nsd",
    "dovecot",
    "sievec",
    "opendkim",
    "postgrey",
    "prometheus",
    "prometheus-alertmanager",
    "nsenter",
    "unshare",
    "mount",
)
POSTFIX_MASTER = "/usr/lib/postfix/sbin/master"


def check_machine() -> None:
    """Raise LabError unless this process may run a lab and all programs are installed."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root")
    missing = [
        name for name in (*PROGRAMS, POSTFIX_MASTER) if shutil.which(name, path=ENVIRONMENT["PATH"]) is None
    ]
    if missing:
        raise LabError(f"missing: {', '.join(missing)}; `sh tests/lab/install.sh` installs them")
