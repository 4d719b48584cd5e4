"""What `init` asks and tells: flags first, then a person where there is a terminal, and a plain word where there is none.

In: what flags said. Out: checked values. Raises typer.Exit: 2 for what cannot be used, 1 and 3 when there is no server.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn

import typer
from pydantic import TypeAdapter, ValidationError

from smtp_probe.app.login_test import LoginResult
from smtp_probe.cli.domain_arguments import read_name
from smtp_probe.cli.login_view import problems_of
from smtp_probe.cli.terminal import choose_glyphs
from smtp_probe.config.values import Address
from smtp_probe.demo.certificates import write_private
from smtp_probe.mail.hostnames import as_host_name
from smtp_probe.model import AccountProtocol, Cause, FoundServer
from smtp_probe.policy.discovery.consent import find_recipe
from smtp_probe.policy.discovery.service_records import Person

PASSWORD_FILE = "smtp-probe.password"  # noqa: S105 - a file's name
_IS_IT_RIGHT = "is the password right, and does the provider take passwords (docs/mail-servers.md)?"
_PORTS = {
    AccountProtocol.SMTP: ((465, True), (587, False)),
    AccountProtocol.IMAP: ((993, True), (143, False)),
}
"""Where a server is that has been named without a port: TLS from the start is tried first (RFC 8314)."""


@dataclass(frozen=True, slots=True)
class Questions:
    """The talk of one run."""

    is_terminal: bool
    accepts_foreign: bool

    def say(self, text: str) -> None:
        """One line of the result."""
        typer.echo(text)

    def fail(self, text: str) -> NoReturn:
        """Say what cannot be used, and end."""
        typer.echo(text, err=True)
        raise typer.Exit(2)

    def _ask(self, what: str, flag: str) -> str:
        if not self.is_terminal:
            self.fail(f"there is no terminal to ask on: give {flag}")
        return str(typer.prompt(what, err=True)).strip()

    def person(self, text: str | None) -> Person:
        """The account's address."""
        local, _, domain = self.address(text or self._ask("Address of the account", "ADDRESS")).rpartition(
            "@"
        )
        return Person(local, as_domain(domain))

    def address(self, text: str) -> str:
        """An address that a configuration takes."""
        try:
            local, at, domain = text.rpartition("@")
            return TypeAdapter(Address).validate_python(f"{local}{at}{as_domain(domain)}")
        except ValidationError:
            self.fail(f"{text!r} is no address, such as probe@example.org")

    def server(self, protocol: AccountProtocol, text: str | None, person: Person) -> tuple[FoundServer, ...]:
        """The places that a person means with HOST or HOST:PORT; none where nothing is said."""
        if text is None:
            return ()
        name, colon, number = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
        host = as_host_name(name) or _as_ip_address(name)
        if host is None or (
            colon and not (number.isascii() and number.isdigit() and 0 < int(number) < 65_536)
        ):
            self.fail(f"--{protocol}-server {text!r}: a host is meant, or HOST:PORT")
        known = _PORTS[protocol]
        places = [(int(number), (int(number), True) in known)] if colon else known
        return tuple(
            FoundServer(
                protocol=protocol,
                host=host,
                port=port,
                is_implicit_tls=is_implicit_tls,
                usernames=person.usernames,
                source=f"--{protocol}-server",
                is_vouched=True,
            )
            for port, is_implicit_tls in places
        )

    def nameservers(self, texts: list[str]) -> tuple[str, ...]:
        """Addresses of name servers."""
        for text in texts:
            if _as_ip_address(text) is None:
                self.fail(f"--nameserver {text!r}: an IP address is meant")
        return tuple(texts)

    def password(self, path: Path | None, folder: Path) -> tuple[Path, bool]:
        """The file with the password, and whether it was made just now from what a person typed."""
        if path is None:
            if not self.is_terminal:
                self.fail("there is no terminal to ask on: give --password-file")
            default = folder / PASSWORD_FILE
            path = Path(typer.prompt("File with the password", default=str(default), err=True))
        path = path.absolute()
        if path.exists():
            return path, False
        if not self.is_terminal:
            self.fail(f"{path}: there is no such file")
        word = str(typer.prompt("Password (kept in that file alone)", hide_input=True, err=True))
        try:
            return write_private(path, f"{word}\n".encode()), True
        except OSError as error:
            self.fail(f"{path} cannot be written: {error.strerror or error}")

    def accepts(self, server: FoundServer) -> bool:
        """Whether a password may go to a server that only unsigned DNS names (RFC 6186 section 6)."""
        place = f"{server.host}:{server.port}"
        if self.accepts_foreign:
            return True
        if self.is_terminal:
            question = (
                f"{server.source} names {place}, of another domain, and DNS is not signed. Log in there?"
            )
            return typer.confirm(question, err=True)
        self.say(
            f"  {place} is not tried: only unsigned DNS says so ({server.source}); --accept-foreign allows it"
        )
        return False

    def tell_trial(self, server: FoundServer, username: str, result: LoginResult) -> None:
        """One login that was tried."""
        glyphs = choose_glyphs(sys.stdout)
        kind = "TLS" if server.is_implicit_tls else "STARTTLS"
        problems = problems_of(result)
        self.say(
            f"  {glyphs.bad if result.failure else glyphs.good} {server.protocol} {server.host}:{server.port} "
            f"({kind}) as {username}" + "".join(f"; {problem}" for problem in problems)
        )

    def give_up(
        self, protocol: AccountProtocol, last: LoginResult | None = None, *, is_unobserved: bool = False
    ) -> NoReturn:
        """Say that there is no server of a protocol, and whose fault it is."""
        advice = f"name one with --{protocol}-server"
        if last is not None and last.failure is not None:
            what = f"no {protocol} server takes the login; the last said: {problems_of(last)[0]}"
            is_unobserved = last.failure.cause in {Cause.RESOLVER_FAILED.value, Cause.NO_ROUTE.value}
            if last.failure.cause == Cause.AUTH_REFUSED.value or last.failure.stage == "auth":
                recipe = find_recipe(last.server.rpartition(":")[0])
                advice = recipe.advice if recipe is not None else _IS_IT_RIGHT
        else:
            what = f"no {protocol} server was found"
        typer.echo(f"{what}. Nothing is written: {advice}", err=True)
        raise typer.Exit(3 if is_unobserved else 1)


def as_domain(text: str) -> str:
    """A domain as DNS has it; what is none stays for the checks to refuse."""
    return read_name(text) or text.lower()


def _as_ip_address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
