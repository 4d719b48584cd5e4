"""What the lines give away besides their times."""

from __future__ import annotations

import pytest

from smtp_probe.mail.explanation.path_findings import Path, check_path
from smtp_probe.mail.path.legs import find_border
from smtp_probe.mail.trace import read_trace
from tests.mail.lines import chain, line, told

PATH = [(f"mx.h{number}.example", f"08:00:{number:02}") for number in range(1, 5)]


def check(header, own=()):
    passages, disagreements = told(header)
    border = find_border(passages, own)
    flags = read_trace(header).flags
    return list(check_path(Path(passages=passages, flags=flags, border=border, disagreements=disagreements)))


def checks(header, own=()):
    return [(each.check, each.hop) for each in check(header, own)]


def lines(*hops):
    """The single lines of a chain, oldest first."""
    sources = ["client.example.org", *(by for by, _ in hops)]
    return [line(by, at, source=source) for (by, at), source in zip(hops, sources, strict=False)]


def test_an_ordinary_way_is_no_finding():
    assert checks(chain(*PATH)) == []
    assert checks(chain(PATH[0])) == []


def test_no_line_at_all_is_told():
    assert checks(b"Subject: draft\r\n\r\n") == [("no_received", None)]


def test_a_retrieval_is_told():
    fetched = b"Received: from a by b with POP3 (fetchmail-6.4.37); Tue, 1 Sep 2026 08:00:00 +0000\r\n"

    assert checks(line() + fetched) == [("retrieval", None)]


@pytest.mark.parametrize(
    ("count", "expected"), [(25, None), (26, "warning"), (60, "warning"), (64, "warning"), (65, "error")]
)
def test_many_hops_are_told_and_more_than_are_read_is_an_error(count, expected):
    header = chain(*((f"h{number}.test", "08:00:00") for number in range(count)))

    found = [(each.check, each.severity) for each in check(header)]

    assert found == ([("hop_limit", expected)] if expected else [])


def test_a_circle_is_told_and_one_return_is_none():
    visits = [(("a.test", "b.test")[number % 2], f"08:00:0{number}") for number in range(6)]

    assert checks(chain(*visits[:4])) == []
    assert checks(chain(*visits)) == [("loop", None), ("loop", None)]


def test_lines_of_one_host_in_a_row_are_one_visit():
    assert checks(chain(*[("a.test", f"08:00:0{number}") for number in range(5)])) == []


def test_a_line_that_stands_there_twice_is_told():
    first, second, third, _ = lines(*PATH)

    assert checks(third + second + second + first) == [("duplicate_hop", 3)]


def test_lines_that_differ_in_their_ids_are_two_passages():
    assert checks(line(id_="x-2") + line(id_="x-1")) == []


def test_a_header_that_stands_upside_down_is_told_once():
    assert checks(b"".join(lines(*PATH))) == [("order", None)]


def test_shuffled_lines_are_told_of_each_that_names_another_source():
    first, second, third, fourth = lines(*PATH)

    assert checks(fourth + second + third + first) == [("order", 2), ("order", 3), ("order", 4)]


def test_lines_that_name_other_hosts_are_no_disorder_while_the_stamps_are_in_order():
    """Names within an organisation often differ from those that it shows outside."""
    assert (
        checks(line("c.test", "08:00:02", source="a.test") + line("b.test", "08:00:01") + line("a.test"))
        == []
    )


def test_a_wrong_clock_alone_is_no_disorder():
    assert checks(chain(PATH[0], ("mx.h2.example", "09:00:00"), PATH[2], PATH[3])) == []


def test_lines_that_are_malformed_are_told_and_signs_that_cannot_be_seen_are_a_warning():
    found = check(line(source="a\u202e.test") + line(source="(open"))

    assert [(each.severity, each.hop) for each in found if each.check == "malformed_line"] == [
        ("info", 1),
        ("warning", 2),
    ]


def test_a_doubt_of_the_receiving_host_is_passed_on():
    header = b"Received: from mail.example.org (mail.example.org [192.0.2.1] (may be forged))\r\n by mx.example.net; Tue, 1 Sep 2026 08:00:00 +0000\r\n"

    assert checks(header) == [("may_be_forged", 1)]


def test_own_hosts_that_wrote_nothing_are_told():
    assert checks(chain(*PATH), ["example.invalid"]) == [("own_not_found", None)]
    assert checks(chain(*PATH), ["h4.example"]) == []
