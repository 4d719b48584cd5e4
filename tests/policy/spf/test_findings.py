"""What is wrong with a record, told with its place: that each fault has its finding stands in `test_check`."""

from __future__ import annotations

from smtp_probe.policy.spf.findings import judge_record
from smtp_probe.policy.spf.survey import survey
from tests.policy.scripted import ScriptedDns


async def test_a_record_that_looks_like_one_is_quoted() -> None:
    (finding,) = judge_record(await survey("e.test", ScriptedDns({"e.test": {"TXT": ("v=spf1;-all",)}})))
    assert finding.check == "spf_missing"
    assert "v=spf1;-all" in finding.message


async def test_a_fault_names_the_record_in_which_it_stands() -> None:
    zone = {"e.test": {"TXT": ("v=spf1 include:i.test -all",)}, "i.test": {"TXT": ("v=spf1 foo:x -all",)}}
    (finding,) = judge_record(await survey("e.test", ScriptedDns(zone)))
    assert finding.subject == "i.test"
    assert "foo:x" in finding.message
