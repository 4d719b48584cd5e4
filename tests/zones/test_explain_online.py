"""`explain` and `domain` as a user runs them, against a real name server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.policy.dkim.signing import RSA_RECORD, seal, sign
from tests.zones.domains import Domain, write_zone
from tests.zones.nameserver import ADDRESS, serve

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
TOP = b"Return-Path: <probe@e.test>\r\nAuthentication-Results: mx.r.test; dkim=pass header.d=e.test; spf=pass; dmarc=pass\r\n"


def _txt(owner: str, record: str) -> str:
    return f"{owner} TXT " + " ".join(f'"{record[at : at + 250]}"' for at in range(0, len(record), 250))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    lines = [
        _txt("@", "v=spf1 ip4:192.0.2.1 -all"),
        _txt("s._domainkey", RSA_RECORD),
        _txt("arc._domainkey.list.test.", RSA_RECORD),
    ]
    domain = Domain(name="e", without=("@ TXT",), plus="\n".join(lines))
    with serve({".": write_zone([domain])}, tmp_path_factory.mktemp("nsd")) as port:
        yield f"{ADDRESS}:{port}"


def _run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "smtp_probe", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False, cwd=ROOT)


def _explain(octets: bytes, *flags: str) -> dict[str, Any]:
    done = _run("explain", "--json", *flags, "-", stdin=octets)
    assert (done.returncode, done.stderr) == (0, b"")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _results(side: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [one["result"] for one in said] if isinstance(said, list) else said and said["result"]
        for name, said in side.items()
    }


def test_a_message_that_is_well(server: str) -> None:
    found = _explain(TOP + seal(sign(), "list.test"), "--resolver", server)
    said = found["authentication"]
    assert _results(said["own"]) == {"spf": "pass", "dkim": ["pass"], "dmarc": "pass", "arc": "pass"}
    assert _results(said["receiver"]) == {"spf": "pass", "dkim": ["pass"], "dmarc": "pass", "arc": None}
    assert said["own"]["arc"]["domain"] == "list.test"
    assert said["own"]["dkim"][0]["aligned"] is True
    assert (said["disagreements"], said["unobserved"], said["online"]) == ([], [], True)


def test_a_message_that_was_changed(server: str) -> None:
    found = _explain(TOP + sign().replace(b"last line", b"lost line"), "--resolver", server)
    assert found["authentication"]["disagreements"] == ["dkim"]
    checks = [finding["check"] for finding in found["findings"]]
    assert {"signature_body_changed", "dkim_disagrees"} <= set(checks)


def test_offline_is_the_default_and_says_so() -> None:
    said = _explain(TOP + sign())["authentication"]
    assert (said["online"], said["own"]) == (False, None)
    assert said["receiver"]["dkim"][0]["result"] == "pass"


def test_whose_word_counts_can_be_said() -> None:
    said = _explain(TOP + sign(), "--trust", "other.test")["authentication"]
    assert said["receiver"] == {"spf": None, "dkim": [], "dmarc": None, "arc": None}


def test_a_dead_resolver_is_not_a_failed_message() -> None:
    said = _explain(TOP + sign(), "--resolver", "127.0.0.1:1")
    assert _results(said["authentication"]["own"])["dkim"] == ["temperror"]
    assert said["authentication"]["unobserved"]
    assert not [
        finding for finding in said["findings"] if finding["check"].startswith(("signature", "dmarc"))
    ]


def test_people_see_both_sides(server: str) -> None:
    shown = _run("explain", "--resolver", server, "-", stdin=TOP + sign()).stdout.decode()
    assert "receiver" in shown
    assert "verified" in shown
    assert "dkim=pass (e.test)" in shown


def test_a_resolver_that_is_none_is_a_mistake() -> None:
    done = _run("explain", "--resolver", "192.0.2.1:99999", "-", stdin=sign())
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_the_domain_command_tells_dkim_and_dmarc(server: str) -> None:
    done = _run("domain", "e.test", "--selector", "s", "--resolver", server, "--no-dial", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, found["findings"]
    assert found["findings"] == []
    assert found["dkim"]["selectors"][0]["bits"] == 2048
    assert (found["dmarc"]["domain"], found["dmarc"]["policy"]) == ("e.test", "reject")
    assert found["dmarc"]["alignment"]["dkim"] == "relaxed"
