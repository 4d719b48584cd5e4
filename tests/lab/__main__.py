"""Runs a lab in the foreground for a user: `python -m tests.lab`, as root."""

import argparse
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from .errors import LabError
from .lab import MailLab
from .layout import BEHAVIOURS, NUMBERS


def describe(lab: MailLab) -> str:
    """Say where everything is."""
    out, box, dns = lab.submission, lab.imap, lab.dns
    rows = [
        ("directory", lab.layout.root),
        ("submission", f"{out.host}, {out.server_name}"),
        ("  ports", f"{out.starttls_port} STARTTLS, {out.implicit_tls_port} TLS, {out.plain_port} plain"),
        ("IMAP", f"{box.host}, {box.server_name}"),
        ("  ports", f"{box.starttls_port} STARTTLS, {box.tls_port} TLS"),
        ("DNS", f"{dns.host} port {dns.port}"),
        ("CA", lab.ca_file),
        ("mail log", lab.log_file("mail")),
        ("Dovecot log", lab.log_file("dovecot")),
        ("configuration", lab.config_file),
    ]
    lines = [f"{name:<16}{value}" for name, value in rows]
    lines += ["", "users (password file)"]
    lines += [
        f"  {lab.mail_address(user):<24}{lab.password(user):<15}{lab.password_file(user)}"
        for user in lab.users
    ]
    lines += ["", f"recipients @{lab.domain}"]
    lines += [f"  {who}\n      {what}" for who, what in BEHAVIOURS.items()]
    lines += ["", "numbers, read at each use"]
    lines += [f"  {lab.layout.path('control', name)}  {value:g}" for name, value in NUMBERS.items()]
    return "\n".join(lines)


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """Make SIGTERM end the lab as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """Run a lab until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="directory to make and use; removed at the end"
    )
    parser.add_argument(
        "--config-out", type=Path, metavar="FILE", help="write a configuration of smtp-probe here"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        with MailLab.start(arguments.root) as lab:
            if arguments.config_out:
                shutil.copyfile(lab.config_file, arguments.config_out)
            print(describe(lab), "\nThe lab runs. Ctrl-C ends it.", sep="\n", flush=True)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
