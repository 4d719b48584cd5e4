"""docs/checks.md and the rules name the same findings."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = r"(?:domain_missing|egress_unroutable|(?:mx|ptr|ehlo|spf|exchanger|mta_sts|tls_rpt|dane|dnssec|caa|authority|dkim|dmarc|bimi|dnsbl|drill)_[a-z_]+)"
NO_FINDINGS = {
    *("dkim_key_bits", "dmarc_fails"),
    *("mx_ttl_seconds", "spf_lookups_left", "mta_sts_policy_expiry_timestamp_seconds"),
    *("ehlo_name", "ehlo_addresses", "ehlo_result", "mx_hosts"),
}
"""Names of facts and gauges that look like ids."""


def test_every_finding_is_told_and_nothing_else() -> None:
    sources = [path.read_text() for path in (ROOT / "smtp_probe" / "policy").rglob("*.py")]
    used = {name for text in sources for name in re.findall(rf'"({PARTS})"', text)} - NO_FINDINGS
    told = set(re.findall(rf"^\| `({PARTS})` \|", (ROOT / "docs" / "checks.md").read_text(), re.MULTILINE))
    assert told == used


def test_every_finding_of_a_domain_has_a_zone_of_a_real_name_server() -> None:
    page = (ROOT / "docs" / "checks.md").read_text().partition("\n## Messages\n")[0]
    told = re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)
    zones = "".join(path.read_text() for path in (ROOT / "tests" / "zones").glob("*.py"))
    assert len(told) > 100
    assert [check for check in told if f'"{check}"' not in zones] == []


def test_every_finding_is_expected_by_a_test() -> None:
    told = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs" / "checks.md").read_text(), re.MULTILINE)
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    ours = [
        check for check in told if not check.startswith("drill_")
    ]  # they have a page and tests of their own
    assert len(ours) > 120
    assert [check for check in ours if f'"{check}"' not in tests] == []
