"""Our verification against that of OpenDKIM, message by message; and its own Authentication-Results, read by us."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from smtp_probe.mail.authentication.results import read_results
from smtp_probe.model import Method, Source, Verdict
from smtp_probe.probes.authentication import ReceivedMessage, authenticate
from tests.policy.dkim.keys import rsa_pem
from tests.policy.dkim.signing import ED25519_RECORD, MESSAGE, RSA_1024_RECORD, RSA_RECORD, sign, sign_ed25519
from tests.policy.scripted import ScriptedDns

pytestmark = pytest.mark.lab

NOW = 1_795_000_000
FOOTER = (b"last line\r\n", b"last line\r\n-- \r\nfooter\r\n")
CASES = {
    "relaxed": (sign, RSA_RECORD, ()),
    "simple": (lambda: sign(canonicalize=(b"simple", b"simple")), RSA_RECORD, ()),
    "mixed": (lambda: sign(canonicalize=(b"relaxed", b"simple")), RSA_RECORD, ()),
    "ed25519": (lambda: sign_ed25519(selector="s"), ED25519_RECORD, ()),
    "short": (lambda: sign(privkey=rsa_pem(1024)), RSA_1024_RECORD, ()),
    "testing": (sign, RSA_RECORD + "; t=y", ()),
    "footer": (sign, RSA_RECORD, FOOTER),
    "blanks": (sign, RSA_RECORD, (b"first line", b"first    line")),
    "blanks-simple": (
        lambda: sign(canonicalize=(b"relaxed", b"simple")),
        RSA_RECORD,
        (b"first line", b"first    line"),
    ),
    "empty-lines": (sign, RSA_RECORD, (b"last line\r\n", b"last line\r\n\r\n\r\n")),
    "subject": (sign, RSA_RECORD, (b"Subject: a", b"Subject: [list] a")),
    "folded": (sign, RSA_RECORD, (b"Subject: a test", b"Subject: a\r\n\ttest")),
    "folded-simple": (
        lambda: sign(canonicalize=(b"simple", b"relaxed")),
        RSA_RECORD,
        (b"Subject: a test", b"Subject: a\r\n\ttest"),
    ),
    "added-field": (sign, RSA_RECORD, (b"From:", b"X-Spam: no\r\nFrom:")),
    "partial": (lambda: sign(length=True), RSA_RECORD, FOOTER),
    "other-key": (sign, RSA_1024_RECORD, ()),
    "revoked": (sign, "v=DKIM1; k=rsa; p=", ()),
    "no-sha256": (sign, RSA_RECORD + "; h=sha1", ()),
    "subdomain": (lambda: sign(identity=b"@m.e.test"), RSA_RECORD, ()),
    "strict": (lambda: sign(identity=b"@m.e.test"), RSA_RECORD + "; t=s", ()),
    "other-service": (sign, RSA_RECORD + "; s=tlsrpt", ()),
}


def _opendkim(octets: bytes, record: str, folder: Path) -> bytes:
    """What the filter would write into the message."""
    program = shutil.which("opendkim", path="/usr/sbin:/usr/bin")
    assert program is not None, "Debian's opendkim is missing: sh tests/lab/install.sh"
    (folder / "message").write_bytes(octets.replace(b"\r\n", b"\n"))
    (folder / "dns").write_text(f"s._domainkey.e.test {record}\n" if record else "x.test y\n")
    (folder / "conf").write_text(f"Mode v\nUserID root\nMinimumKeyBits 1024\nTestDNSData {folder / 'dns'}\n")
    found = subprocess.run(
        [program, "-t", folder / "message", "-x", folder / "conf", "-vv"],
        capture_output=True,
        timeout=20,
        check=False,
    )
    match = re.search(
        rb"hname='Authentication-Results' hvalue='(.*?)'\n", found.stdout + found.stderr, re.DOTALL
    )
    assert match is not None, (found.stdout, found.stderr)
    return match[1]


@pytest.mark.parametrize("name", CASES)
async def test_both_say_the_same(name: str, tmp_path: Path) -> None:
    make, record, change = CASES[name]
    octets = make().replace(change[0], change[1], 1) if change else make()
    written = _opendkim(octets, record, tmp_path)
    theirs = next(found for found in read_results(written).results if found.method == "dkim")
    ours = await _verify(octets, record)
    assert (ours.result.value == "pass") == (theirs.result == "pass"), (ours, theirs)
    assert (theirs.property("header.d"), theirs.property("header.s")) == ("e.test", "s")


async def test_what_opendkim_signs_is_verified(tmp_path: Path) -> None:
    """Debian's opendkim-testmsg signs with rsa-sha1 alone, which verifiers must not take any more (RFC 8301)."""
    (tmp_path / "key").write_bytes(rsa_pem(2048))
    (tmp_path / "key").chmod(0o600)
    signed = subprocess.run(
        ["opendkim-testmsg", "-C", "-d", "e.test", "-s", "s", "-k", tmp_path / "key"],
        input=MESSAGE,
        capture_output=True,
        timeout=20,
        check=True,
    ).stdout
    ours = await _verify(signed.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), RSA_RECORD)
    assert (ours.result.value, ours.detail.partition(":")[0]) == ("permerror", "algorithm")


async def _verify(octets: bytes, record: str) -> Verdict:
    header, _, body = octets.partition(b"\r\n\r\n")
    dns = ScriptedDns({"s._domainkey.e.test": {"TXT": (record,)}} if record else {})
    found = await authenticate(ReceivedMessage(header=header + b"\r\n\r\n", body=body), dns, NOW)
    verdict = found.summary(Method.DKIM, Source.OWN)
    assert verdict is not None
    return verdict
