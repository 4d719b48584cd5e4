# ruff: noqa: INP001 - a script beside a configuration
"""Make what the two mail servers of this composition and the prober share, where it is not there yet.

In: a folder. Out, in it: `password`, `users` (the same for Dovecot), and an authority with a certificate for the servers'
names. It is kept while it is valid for a month more; only its owner may read what is secret.
"""

import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from smtp_probe.demo.certificates import make_certificates, write_private

NAMES = ("submission", "mx", "imap")
USER = "probe"
MARGIN = timedelta(days=30)


def is_good(certificate: Path, now: datetime) -> bool:
    """Whether a certificate is there and stays valid for long enough."""
    if not certificate.exists():
        return False
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc > now + MARGIN


def main(folder: Path) -> None:
    """Write what is missing; the certificate is the last, so that what was cut short is done again."""
    now = datetime.now(UTC)  # noqa: TID251 - no probe depends on it
    if is_good(folder / "hosts.pem", now):
        return
    word = secrets.token_urlsafe(24)
    write_private(folder / "password", f"{word}\n".encode())
    write_private(folder / "users", f"{USER}:{{PLAIN}}{word}::::::\n".encode())
    make_certificates(folder, NAMES, now)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
